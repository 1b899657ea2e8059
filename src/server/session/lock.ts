import { setTimeout as sleep } from 'node:timers/promises'
import { PerfdbError } from '../../errors.js'
import { heldLock, runLockPidSql } from '../../sql/catalog/progress.js'
import type { Session } from './session.js'

/**
 * The two-int advisory lock of perfdb (manual: "Advisory Locks"): 1885696614 is `perf` in ASCII, 1 the lock of a run
 * that changes the database. Advisory locks belong to one database, so that one key excludes all runs there.
 */
export const runLockKey = [1_885_696_614, 1] as const

export interface LockHolder {
  readonly pid: number
  readonly applicationName: string
  readonly user: string
  /** Age of the holder's session, by the server's clock; null when this role may not see it. */
  readonly ageMs: number | null
  readonly state: string
}

export interface RunLock extends AsyncDisposable {
  /** Gives it back; does nothing when the session is lost, because the server has then done so. */
  release(): Promise<void>
}

export interface LockOptions {
  /** How long to try; 0 tries once. */
  readonly waitMs: number
  readonly pollMs?: number
  readonly signal?: AbortSignal
  /** Called after each vain try. */
  readonly onWait?: (holder: LockHolder | null) => void
}

/**
 * Takes the run lock by trying again and again: a session that waits in pg_advisory_lock holds a snapshot and kills the
 * concurrent build of the very run it waits for (fault 23). Throws LOCK_HELD, which names the holder, or INTERRUPTED.
 */
export async function acquireRunLock(session: Session, options: LockOptions): Promise<RunLock> {
  const started = performance.now()
  const pollMs = options.pollMs ?? 500
  for (;;) {
    if (options.signal?.aborted === true) throw interrupted(options.signal.reason)
    const [row] = await session.query<{ taken: boolean }>(
      'select pg_catalog.pg_try_advisory_lock($1, $2) as taken',
      runLockKey,
    )
    if (row?.taken === true) return runLock(session)
    const holder = await runLockHolder(session)
    const leftMs = options.waitMs - (performance.now() - started)
    if (leftMs <= 0) throw lockHeld(holder)
    options.onWait?.(holder)
    await pause(Math.min(pollMs, leftMs), options.signal)
  }
}

/** True while this session still is the backend that took the lock: to be asked before every step (fault 52). */
export async function holdsRunLock(session: Session): Promise<boolean> {
  if (session.lost) return false
  const rows = await session.query(
    `select from pg_catalog.pg_locks
     where ${heldLock} and pid = pg_catalog.pg_backend_pid() and pid = $3`,
    [...runLockKey, session.pid],
  )
  return rows.length > 0
}

/** Who holds the run lock of this database; null when nobody does. */
export async function runLockHolder(session: Session): Promise<LockHolder | null> {
  const [row] = await session.query<LockHolder>(
    `select pid, coalesce(application_name, '') as "applicationName", coalesce(usename, '') as "user",
       coalesce(state, '') as state,
       round(extract(epoch from pg_catalog.clock_timestamp() - backend_start) * 1000)::float8 as "ageMs"
     from pg_catalog.pg_locks left join pg_catalog.pg_stat_activity using (pid)
     where ${heldLock} limit 1`,
    runLockKey,
  )
  return row ?? null
}

/** Its pid alone, for a look before each statement: without pg_stat_activity it takes a quarter of the time. */
export async function runLockPid(session: Session): Promise<number | null> {
  const [row] = await session.query<{ pid: number }>(runLockPidSql, runLockKey)
  return row?.pid ?? null
}

function runLock(session: Session): RunLock {
  let held = true
  const release = async () => {
    if (!held || session.lost) return
    held = false
    await session.query('select pg_catalog.pg_advisory_unlock($1, $2)', runLockKey)
  }
  return { release, [Symbol.asyncDispose]: release }
}

function lockHeld(holder: LockHolder | null): PerfdbError {
  if (holder === null) return new PerfdbError('LOCK_HELD', 'another run of perfdb holds the lock of this database')
  const since = holder.ageMs === null ? '' : `, connected for ${Math.round(holder.ageMs / 1000)} s`
  const who = holder.user === '' ? '' : `, user ${holder.user}`
  return new PerfdbError('LOCK_HELD', `another run of perfdb holds the lock of this database: pid ${holder.pid}`, {
    detail: `${holder.applicationName === '' ? 'unknown application' : holder.applicationName}${who}${since}`,
  })
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal })
  } catch (cause) {
    throw interrupted(cause)
  }
}

function interrupted(cause: unknown): PerfdbError {
  return new PerfdbError('INTERRUPTED', 'stopped while waiting for the lock', { cause })
}
