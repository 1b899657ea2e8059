import postgres from 'postgres'
import { dialling } from './dial.js'
import { toPerfdbError } from './session/failure.js'
import { wireTypes } from './session/values.js'
import { withoutTargetSessionAttributes } from './session-attributes.js'
import { sendCancelRequest } from './socket.js'
import type { Target } from './target/target.js'

/** A connection as an application has it: named prepared statements, nothing pinned, nothing looked at. It reads only, and never reconnects. */
export interface LoadConnection {
  /** Runs a statement and throws its rows away. Throws postgres.js's error. */
  run(text: string, values: readonly (string | null)[]): Promise<void>
  lost(): boolean
  /** Asks the server to cancel what runs. */
  cancel(): Promise<void>
  /** Resolves when the server has closed it. */
  close(): Promise<void>
}

/** Throws CONNECTION_REFUSED, TOO_MANY_CONNECTIONS, AUTHENTICATION_FAILED and their likes. */
export async function openLoadConnection(target: Target, statementTimeoutMs: number): Promise<LoadConnection> {
  const { dial, password } = dialling(target)
  try {
    const { socket, host, encrypted } = await dial()
    let lost = false
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        lost = true
        resolve()
      })
    })
    let taken = false
    const options = {
      host: host.host,
      port: host.port,
      user: target.user,
      database: target.database,
      password,
      socket: async () => {
        if (taken) throw Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' })
        taken = true
        return socket
      },
      ssl: false,
      max: 1,
      fetch_types: false,
      max_lifetime: null,
      idle_timeout: 0,
      connect_timeout: target.connectTimeoutMs / 1000,
      connection: {
        application_name: 'perfdb load',
        default_transaction_read_only: true,
        statement_timeout: statementTimeoutMs,
        ...(target.options === undefined ? {} : { options: target.options }),
      },
      types: wireTypes(),
      onnotice: () => undefined,
    }
    const sql = withoutTargetSessionAttributes(() => postgres(options))
    const { state: backend } = await sql`select 1`
    return {
      async run(text, values) {
        await sql.unsafe(text, [...values], { prepare: true })
      },
      lost: () => lost,
      cancel: async () =>
        lost ? undefined : sendCancelRequest(host, encrypted ? 'demanded' : 'plain', target.tls, backend),
      async close() {
        await sql.end({ timeout: lost ? 0 : 2 })
        socket.end()
        await closed
      },
    }
  } catch (error) {
    throw toPerfdbError(error, { phase: 'connect', label: target.label })
  }
}
