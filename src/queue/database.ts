import { setTimeout as sleep } from 'node:timers/promises'
import { PerfdbError, type ErrorCode } from '../errors.js'
import type { QueueConnection } from '../server/queue-connection.js'

/** One connection at a time for pg-boss, made anew when the last one was lost. */
export interface QueueDatabase {
  /** As pg-boss wants it. Throws the server's error, or CONNECTION_LOST and what connecting throws. */
  executeSql(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
  close(): Promise<void>
}

export function queueDatabase(connect: () => Promise<QueueConnection>): QueueDatabase {
  let connection: Promise<QueueConnection> | undefined
  const current = async () => {
    const known = await connection?.catch(() => undefined)
    if (known === undefined || known.lost()) connection = connect()
    return connection ?? connect()
  }
  // One after another: two that find the connection lost would make two.
  let last: Promise<unknown> = Promise.resolve()
  return {
    async executeSql(text, values = []) {
      const before = last
      const running = (async () => {
        await before.catch(() => undefined)
        return { rows: await (await current()).run(text, values) }
      })()
      last = running
      return running
    },
    async close() {
      await last.catch(() => undefined)
      await (await connection?.catch(() => undefined))?.close()
    },
  }
}

/** A queue that restarts, or whose server is full for a moment: it is asked again. */
const passing: ReadonlySet<ErrorCode> = new Set(['CONNECTION_REFUSED', 'CONNECTION_LOST', 'TOO_MANY_CONNECTIONS'])
const againMs = 1000

/** Does it as often as it takes while the queue does not answer; `onWait` is told why, each time, and may throw to end it. Throws everything else, and after the signal what went wrong last. */
export async function patiently<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  onWait: (error: PerfdbError) => void,
): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof PerfdbError) || !passing.has(error.code) || signal.aborted) throw error
      onWait(error)
      await sleep(againMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
