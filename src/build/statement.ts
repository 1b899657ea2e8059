import { PerfdbError } from '../errors.js'
import { runLockPid } from '../server/session/lock.js'
import type { Session } from '../server/session/session.js'
import { answeredWithin } from '../server/session/steady.js'
import type { BuildContext } from './context.js'
import { watch, type Watched } from './watch.js'

/** How a watched statement ended. `error` is PostgreSQL's or, when perfdb ended it, the reason why. */
export interface Ran extends Watched {
  /** False when perfdb did not even send it. */
  readonly sent: boolean
  readonly error: PerfdbError | null
}

export interface WatchedOptions {
  readonly maxWaitMs?: number
  readonly signal?: AbortSignal
  /** search_path of the statement, as SQL; pg_catalog, that of the session, without it. */
  readonly searchPath?: string
  /** Who held the run lock a moment ago, by a look since the last statement that changed something; else it is asked. */
  readonly lockPid?: number | null | undefined
}

/**
 * Runs one long statement on the ddl session under the watchdog's eyes. Before it starts, pid and run lock are checked: a
 * session that reconnected silently would run without its settings and without the lock (fault 52). An abort cancels it.
 * Its search_path goes out ahead of it and is taken back behind it without waiting for answers: were it refused, names of a schema
 * would not be found, and pg_catalog's are found first anyway.
 */
export async function runWatched(
  context: BuildContext,
  index: string,
  sql: string,
  { maxWaitMs = context.maxWaitMs, signal = context.signal, searchPath, lockPid }: WatchedOptions = {},
): Promise<Ran> {
  const { ddl, eyes, listener } = context
  if (signal.aborted) return { ...nothingSeen, error: interrupted() }
  const lost = lockPid === undefined ? await runLockLost(context) : lockLost(context, lockPid)
  if (lost !== null) return { ...nothingSeen, error: lost }
  const cancel = () => ddl.cancel().catch(() => undefined)
  const onAbort = () => void cancel()
  signal.addEventListener('abort', onAbort, { once: true })
  // Between the look at the signal above and here it may have come.
  if (signal.aborted) return { ...nothingSeen, error: interrupted() }
  const abandon = () => void ddl[Symbol.asyncDispose]()
  const { onQueue } = context
  const watching = watch(eyes, ddl.pid, { index, maxWaitMs, listener, cancel, abandon, onQueue, signal })
  const ahead = searchPath === undefined ? undefined : taken(ddl, `set search_path = ${searchPath}`)
  const running = ddl.query(sql).then(() => null, perfdbError)
  const behind = searchPath === undefined ? undefined : pathBack(ddl, context.behind?.first ?? null)
  context.behind?.send(behind !== undefined)
  const failure = await running
  signal.removeEventListener('abort', onAbort)
  const seen = await watching.stop()
  await ahead
  // A cancel request may have met it instead of the statement.
  if (behind !== undefined && !(await answeredWithin(ddl, shortMs, async () => behind))) await pathBack(ddl, null)
  return { ...seen, sent: true, error: failure === null ? null : explain(failure, seen, signal, index, maxWaitMs) }
}

/** For what takes no time: without an answer the connection is as good as lost (fault 54). */
const shortMs = 30_000

/** Back to that of the session; what else is to be computed travels along. */
async function pathBack(ddl: Session, first: string | null): Promise<boolean> {
  if (first === null) return taken(ddl, 'set search_path = pg_catalog')
  return taken(ddl, `select pg_catalog.set_config('search_path', 'pg_catalog', false), ${first}`)
}

/** False where the server did not take it. */
async function taken(ddl: Session, text: string): Promise<boolean> {
  return ddl.query(text).then(
    () => true,
    () => false,
  )
}

/** The error when the run lock is no longer held, to be asked before every statement that changes something (fault 52); null when all is well. */
export async function runLockLost(context: BuildContext): Promise<PerfdbError | null> {
  return lockLost(context, context.ddl.lost ? null : await runLockPid(context.watchdog))
}

function lockLost({ ddl, lockPid }: BuildContext, holder: number | null): PerfdbError | null {
  if (!ddl.lost && holder === lockPid) return null
  return new PerfdbError('CONNECTION_LOST', 'the run lock of perfdb is no longer held: nothing more is started')
}

export function interrupted(): PerfdbError {
  return new PerfdbError('INTERRUPTED', 'ended by a signal')
}

export function perfdbError(error: unknown): PerfdbError {
  if (error instanceof PerfdbError) return error
  return new PerfdbError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error })
}

const nothingSeen = { sent: false, indexOid: null, waitedMs: 0, stalledOn: null, queuedBehind: null, unwatched: null }

/** 57014 means only "cancelled": whether by the user, by perfdb's deadline or by somebody else is perfdb's own bookkeeping (fault 3). */
function explain(
  failure: PerfdbError,
  seen: Watched,
  signal: AbortSignal,
  index: string,
  maxWaitMs: number,
): PerfdbError {
  if (failure.code === 'CONNECTION_LOST') return failure
  if (signal.aborted) return interrupted()
  if (seen.unwatched !== null) {
    const { code, message, hint, sqlstate } = perfdbError(seen.unwatched)
    return new PerfdbError(code, `the statement on ${index} was ended, as no session could be had to watch it`, {
      detail: message,
      hint,
      sqlstate,
    })
  }
  if (seen.stalledOn !== null) {
    return new PerfdbError('BLOCKED', `${index} waited ${Math.round(maxWaitMs / 1000)} s without progress`, {
      detail: `it waited for ${seen.stalledOn}`,
      sqlstate: failure.sqlstate,
    })
  }
  if (seen.queuedBehind !== null) {
    return new PerfdbError('BUILD_FAILED', `the build of ${index} made way for a statement queued behind it`, {
      detail: seen.queuedBehind,
      // To be tried again once the statement is through.
      sqlstate: '40P01',
    })
  }
  if (failure.sqlstate === '57014') {
    return new PerfdbError('BUILD_FAILED', `somebody cancelled the statement on ${index}`, {
      detail: failure.message,
      sqlstate: '57014',
      hint: 'run the same command again',
    })
  }
  return failure
}
