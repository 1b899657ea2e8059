import { setTimeout as sleep } from 'node:timers/promises'
import { PerfdbError, type ErrorCode } from '../errors.js'
import type { QueueConnection } from '../server/queue-connection.js'

/** One connection at a time for pg-boss, made anew when the last one was lost. */
export interface QueueDatabase {
  /** As pg-boss wants it. Throws the server's error, or CONNECTION_LOST and what connecting throws. */
  executeSql(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
  /**
   * Tries to take advisory locks, none or all of them; false where somebody else has one. They go with the connection, as when the server restarts: each new one takes them
   * again before anything else, unless somebody was quicker.
   */
  hold(locks: readonly string[]): Promise<boolean>
  close(): Promise<void>
}

export function queueDatabase(connect: () => Promise<QueueConnection>): QueueDatabase {
  let connection: Promise<QueueConnection> | undefined
  const held = new Set<string>()
  const connected = async () => {
    const made = await connect()
    for (const lock of held) await made.run(tryLockSql, [lock])
    return made
  }
  const current = async () => {
    const known = await connection?.catch(() => undefined)
    if (known === undefined || known.lost()) connection = connected()
    return connection ?? connected()
  }
  // One after another: two that find the connection lost would make two.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = async <T>(work: (on: QueueConnection) => Promise<T>): Promise<T> => {
    const before = last
    const running = (async () => {
      await before.catch(() => undefined)
      return work(await current())
    })()
    last = running
    return running
  }
  return {
    executeSql: async (text, values = []) => inTurn(async (on) => ({ rows: await on.run(text, values) })),
    hold: async (locks) =>
      inTurn(async (on) => {
        const taken: string[] = []
        for (const lock of locks) {
          const [row] = await on.run(tryLockSql, [lock])
          if (row?.['taken'] === true) taken.push(lock)
        }
        const all = taken.length === locks.length
        for (const lock of taken) {
          if (all) held.add(lock)
          else await on.run('select pg_catalog.pg_advisory_unlock($1::pg_catalog.int8)', [lock])
        }
        return all
      }),
    async close() {
      await last.catch(() => undefined)
      await (await connection?.catch(() => undefined))?.close()
    },
  }
}

const tryLockSql = 'select pg_catalog.pg_try_advisory_lock($1::pg_catalog.int8) as taken'

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
