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
 * The queue at a url, TLS and passwords as everywhere. Once it has not answered for `waitMs`, every question throws QUEUE_LOST. Throws BAD_URL,
 * MISSING_ENVIRONMENT and what openQueue throws; with a `waitMs` a queue that does not answer is waited for here as well.
 */
export async function patientQueue(
  url: string,
  invocation: Invocation,
  waitMs = Number.POSITIVE_INFINITY,
): Promise<PatientQueue> {
  const { environment, home, options, listener, signals } = invocation
  const [{ openQueueConnection }, { resolveTarget }] = await Promise.all([
    import('../../server/queue-connection.js'),
    import('../../server/target/target.js'),
  ])
  const { passwordCommand, heartbeat } = options
  const target = await resolveTarget({ url, environment, home, passwordCommand })
  let silentSince: number | undefined
  let given: PerfdbError | undefined
  const told = (error: unknown) => {
    if (silentSince !== undefined) return
    silentSince = performance.now()
    const reason = error instanceof Error ? error.message : String(error)
    listener({ type: 'warning', message: `the queue does not answer, and is asked again: ${reason}` })
  }
  const onWait = (error: PerfdbError, so = 'what became of this tenant is not known') => {
    told(error)
    if (performance.now() - (silentSince ?? 0) < waitMs) return
    const message = `the queue did not answer for ${duration(waitMs)}: ${so}`
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
    // A worker says at once that there is no queue; a run waits for one that restarts, as it does later.
    const queue = await (Number.isFinite(waitMs)
      ? patiently(opening, signals.signal, (error) => onWait(error, 'nothing was sent'))
      : opening())
    return {
      queue,
      async ask(work, signal) {
        if (given !== undefined) throw given
        return patiently(
          async () => work(queue),
          signal,
          (error) => onWait(error),
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
