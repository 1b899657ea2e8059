import { PerfdbError } from '../errors.js'
import { cancelWaiterSql } from '../sql/catalog/progress.js'
import type { Eyes, QueuePolicy } from './context.js'
import type { Listener } from './events.js'
import { backendText, blockerTexts, lookAt, phaseName, type Backend, type BackendLook } from './look.js'

/** What the watchdog saw of one statement. */
export interface Watched {
  /** oid of the index that the statement builds, once the progress view named it. */
  readonly indexOid: number | null
  /** Time in which it waited for another transaction, to the precision of the polling. */
  readonly waitedMs: number
  /** Why the watchdog cancelled it: whom it waited for; null when it did not. */
  readonly stalledOn: string | null
  /** Why the policy cancel-build ended it: the statement that was queued behind it; null when it did not. */
  readonly queuedBehind: string | null
  /** Why nobody could look, so that it was cancelled; null when it was watched, or too short for a look. */
  readonly unwatched: unknown
}

export interface WatchOptions {
  readonly index: string
  /** A wait without any progress longer than this is ended by `cancel`. */
  readonly maxWaitMs: number
  readonly listener: Listener
  readonly onQueue: QueuePolicy
  /** While it is aborted the statement is cancelled at each look: a single request may come before the statement does. */
  readonly signal: AbortSignal
  readonly cancel: () => Promise<void>
  /** Gives up the connection of the statement, whose backend has long answered or gone. */
  readonly abandon: () => void
}

const pollMs = 400

/** So often a session is opened in vain before the statement that nobody watches is ended. */
const opens = 5

/** The answer of a statement takes no longer than this on any line that still carries one. */
const answerMs = 5000

/**
 * Watches backend `pid` on a session of its own until `stop` is called: tells phase, percent, ETA and blocker, warns of
 * statements queued behind the build that would kill it at its end (fault 21), and cancels it when it waits for one
 * transaction for longer than `maxWaitMs` without progress. lock_timeout stays 0 meanwhile: it would throw finished work away.
 */
export function watch(eyes: Eyes, pid: number, options: WatchOptions): { stop(): Promise<Watched> } {
  const seen: { -readonly [Key in keyof Watched]: Watched[Key] } = {
    indexOid: null,
    waitedMs: 0,
    stalledOn: null,
    queuedBehind: null,
    unwatched: null,
  }
  const started = performance.now()
  let lastLook = started
  let counters = ''
  let progressAt = started
  let idleAt: number | null = null
  let phaseAt = started
  let phase = ''
  let stopped = false
  let wake = () => {}
  let end = () => {}
  const ended = new Promise<void>((resolve) => (end = resolve))
  const warned = new Set<number>()
  let unopened = 0

  const queued = async (waiter: Backend) => {
    const text = backendText(waiter)
    // Another role's may not be touched without pg_signal_backend: no reason to look no more.
    const notCancelled = (error: unknown) => {
      if (!(error instanceof PerfdbError) || error.code === 'CONNECTION_LOST') throw error
      options.listener({
        type: 'warning',
        message: `the statement of pid ${waiter.pid} could not be cancelled: ${error.message}`,
      })
    }
    const message = `queued behind the build of ${options.index}, will end it with a deadlock unless it goes away: ${text}`
    options.listener({
      type: 'warning',
      message: options.onQueue === 'report' ? message : `${message} (${options.onQueue})`,
    })
    if (options.onQueue === 'cancel-waiter') await eyes.query(cancelWaiterSql, [waiter.pid, pid]).catch(notCancelled)
    if (options.onQueue !== 'cancel-build') return
    seen.queuedBehind = text
    await options.cancel()
  }

  const look = async () => {
    const current = await lookAt(eyes, pid)
    const now = performance.now()
    if (current === undefined || stopped) return
    if (current.indexOid !== null && current.indexOid > 0) seen.indexOid = current.indexOid
    const name = phaseName(current)
    if (name !== phase) phaseAt = now
    phase = name
    const next = JSON.stringify([name, current.lockersDone, current.blocksDone, current.tuplesDone])
    if (next !== counters) progressAt = now
    counters = next
    if (options.signal.aborted) await options.cancel()
    // The connection has fallen silent, as behind a NAT that forgot it: no error ever comes (fault 54).
    idleAt = current.active === true ? null : (idleAt ?? now)
    if (idleAt !== null && now - idleAt > answerMs) options.abandon()
    if (current.waits) seen.waitedMs += now - lastLook
    lastLook = now
    const blocker = blockerTexts(current).join('; ') || null
    options.listener({
      type: 'step-progress',
      index: options.index,
      phase: name,
      ...percentAndEta(current, now - phaseAt),
      elapsedMs: now - started,
      blocker,
    })
    for (const waiter of current.queued ?? []) {
      if (warned.has(waiter.pid)) continue
      warned.add(waiter.pid)
      await queued(waiter)
    }
    if (current.waits && seen.stalledOn === null && now - progressAt > options.maxWaitMs) {
      seen.stalledOn = blocker ?? 'a lock whose holder is not visible to this role'
      await options.cancel()
    }
  }

  const loop = async () => {
    while (!stopped) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      if (stopped) return
      // Opening a session may take long where every slot is taken; the statement may be over before.
      const opening = eyes.opened().then(
        () => null,
        (error: unknown) => ({ error }),
      )
      const failed = await Promise.race([opening, ended])
      if (stopped) return
      if (failed) {
        unopened += 1
        if (unopened < opens) continue
        seen.unwatched = failed.error
        await options.cancel()
        continue
      }
      await look().catch(() => {
        // The statement goes on without its watchdog; the deadline is then the server's own.
        if (!stopped)
          options.listener({
            type: 'warning',
            message: `the watchdog lost its connection: the build of ${options.index} goes on unwatched`,
          })
        stopped = true
      })
    }
  }
  const running = loop()
  return {
    async stop() {
      stopped = true
      wake()
      end()
      await running
      return seen
    },
  }
}

/** Percent of this phase, and what is left of it at its speed so far. */
function percentAndEta(look: BackendLook, phaseMs: number): { percent: number | null; etaMs: number | null } {
  const [done, total] =
    (look.blocksTotal ?? 0) > 0
      ? [look.blocksDone ?? 0, look.blocksTotal ?? 0]
      : [look.tuplesDone ?? 0, look.tuplesTotal ?? 0]
  if (total <= 0) return { percent: null, etaMs: null }
  const percent = Math.min(100, (100 * done) / total)
  return { percent, etaMs: done > 0 && phaseMs > 1000 ? (phaseMs * (total - done)) / done : null }
}
