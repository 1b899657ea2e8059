import { plainClient } from './wire/plain-client.js'
import { toPerfdbError } from './session/failure.js'
import { PerfdbError } from '../errors.js'
import type { Target } from './target/target.js'

/** A connection for a package that brings its own SQL. It never reconnects. */
export interface QueueConnection {
  /** With values one statement, else a script; the rows of all its statements. Throws the server's error, as postgres.js has it, and CONNECTION_LOST. */
  run(text: string, values: readonly unknown[]): Promise<Record<string, unknown>[]>
  lost(): boolean
  close(): Promise<void>
}

/** Throws CONNECTION_REFUSED, TOO_MANY_CONNECTIONS, AUTHENTICATION_FAILED and their likes. */
export async function openQueueConnection(target: Target): Promise<QueueConnection> {
  const lostError = (cause: unknown) =>
    new PerfdbError('CONNECTION_LOST', `the connection to the queue, ${target.label}, was lost`, { cause })
  try {
    const { sql, answered, lost, close } = await plainClient(target, { application_name: 'perfdb queue' })
    await answered(sql`select 1`)
    // A script that fails may have begun a transaction: whatever comes next would be refused.
    const rolledBack = async (error: unknown) => {
      await answered(sql.unsafe('rollback')).catch(() => undefined)
      throw error
    }
    return {
      async run(text, values) {
        if (lost()) throw lostError(undefined)
        try {
          const request = values.length === 0 ? sql.unsafe(text).simple() : sql.unsafe(text, values.map(parameterText))
          const rows = await answered(request)
          return [...rows].flatMap((row) => (Array.isArray(row) ? [...row] : [row]))
        } catch (error) {
          if (!lost() && toPerfdbError(error, { phase: 'query', label: target.label }).code !== 'CONNECTION_LOST')
            return await rolledBack(error)
          throw lostError(error)
        }
      },
      lost,
      close,
    }
  } catch (error) {
    throw toPerfdbError(error, { phase: 'connect', label: target.label })
  }
}

/** A value as node-postgres would send it: arrays as PostgreSQL writes them, objects as JSON. */
function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return `{${value.map(elementText).join(',')}}`
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function elementText(value: unknown): string {
  const text = parameterText(value)
  if (text === null || Array.isArray(value)) return text ?? 'NULL'
  return `"${text.replace(/["\\]/g, String.raw`\$&`)}"`
}
