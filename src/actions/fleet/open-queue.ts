import { PerfdbError } from '../../errors.js'
import { openQueue, type Queue } from '../../queue/boss.js'
import { patiently, queueDatabase } from '../../queue/database.js'
import type { Invocation } from '../../settings/invocation.js'
import { duration } from '../../text/amounts.js'

/** A queue that is asked again and again while its server does not answer, which is told once for each time. */
export interface PatientQueue extends AsyncDisposable {
  readonly queue: Queue
  ask<T>(work: (queue: Queue) => Promise<T>, signal: AbortSignal): Promise<T>
  /** It answered the last time. */
  answers(): boolean
}

/**
 * The queue at a url, TLS and passwords as everywhere. One that does not answer is waited for, here for --queue-wait. Once it has not answered for `waitMs` later on, every
 * question throws QUEUE_LOST. Throws that, BAD_URL, MISSING_ENVIRONMENT and what openQueue throws; after the signal what connecting throws.
 */
export async function patientQueue(
  url: string,
  invocation: Invocation,
  signal: AbortSignal,
  waitMs = invocation.options.queueWait,
): Promise<PatientQueue> {
  const { environment, home, options, listener } = invocation
  const [{ openQueueConnection }, { resolveTarget }] = await Promise.all([
    import('../../server/queue-connection.js'),
    import('../../server/target/target.js'),
  ])
  const { passwordCommand, heartbeat } = options
  const nothing = Number.isFinite(waitMs) ? 'nothing was sent' : 'no tenant was taken'
  const target = await resolveTarget({ url, environment, home, passwordCommand })
  let silentSince: number | undefined
  let given: PerfdbError | undefined
  const told = (error: unknown) => {
    if (silentSince !== undefined) return
    silentSince = performance.now()
    const reason = error instanceof Error ? error.message : String(error)
    listener({ type: 'warning', message: `the queue does not answer, and is asked again: ${reason}` })
  }
  const onWait = (error: PerfdbError, longestMs: number, so: string) => {
    told(error)
    if (performance.now() - (silentSince ?? 0) < longestMs) return
    const message = `the queue did not answer for ${duration(longestMs)}: ${so}`
    given ??= new PerfdbError('QUEUE_LOST', message, { detail: error.message, cause: error })
    throw given
  }
  const database = queueDatabase(async () => {
    const connection = await openQueueConnection(target)
    silentSince = undefined
    return connection
  })
  try {
    // What its timers meet while the server is away, the next question meets as well.
    const onError = (error: unknown) =>
      error instanceof PerfdbError ? told(error) : listener({ type: 'warning', message: `pg-boss: ${String(error)}` })
    const opening = async () => openQueue(database, { heartbeatMs: heartbeat, onError })
    const queue = await patiently(opening, signal, (error) => onWait(error, options.queueWait, nothing))
    return {
      queue,
      async ask(work, signal) {
        if (given !== undefined) throw given
        return patiently(
          async () => work(queue),
          signal,
          (error) => onWait(error, waitMs, 'what became of this tenant is not known'),
        )
      },
      answers: () => silentSince === undefined,
      [Symbol.asyncDispose]: async () => queue[Symbol.asyncDispose](),
    }
  } catch (error) {
    await database.close()
    throw error
  }
}
