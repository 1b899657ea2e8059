import { setTimeout as sleep } from 'node:timers/promises'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { endSessionSql, lockHoldersSql } from '../../sql/catalog/tenants.js'

interface Holder {
  readonly pid: number
  readonly started: string | null
  readonly state: string | null
  readonly idleMs: number | null
}

/** A worker that works asks something each second; its sessions that all did nothing for so long are those of one that hangs. */
const hungMs = 5000
const pollMs = 1000

/**
 * Marks a session as one of a job: a shared advisory lock that goes with it. So the server itself knows, and nothing has to be kept of pids, which others get
 * later.
 */
export async function markSession(session: Session, key: string): Promise<void> {
  if (!session.pooled) await session.query('select pg_catalog.pg_try_advisory_lock_shared($1::pg_catalog.int8)', [key])
}

interface TakeOver {
  readonly signal: AbortSignal
  readonly onWait: (message: string) => void
  /** How long they must have done nothing. */
  readonly idleMs?: number
}

/**
 * Waits until no session of an earlier attempt of the job is left. While one of them works, as on a build that its dead worker left, it is left alone; those of a
 * worker that hangs hold the lock of the database for ever and are ended, and as they never connect again, it does no harm when it comes back.
 * Throws TAKEOVER_REFUSED, and INTERRUPTED after the signal.
 */
export async function endLostSessions(
  session: Session,
  key: string,
  { signal, onWait, idleMs = hungMs }: TakeOver,
): Promise<void> {
  let told = false
  for (;;) {
    const holders = await session.query<Holder>(lockHoldersSql, [key])
    if (holders.length === 0) return
    if (signal.aborted) throw new PerfdbError('INTERRUPTED', 'stopped while a lost worker still had sessions there')
    const hidden = holders.find(({ state }) => state === null)
    if (hidden !== undefined) throw refused(holders, 'this role may not see what they do')
    const hangs = holders.every((one) => one.state?.startsWith('idle') === true && (one.idleMs ?? 0) >= idleMs)
    if (hangs) await endAll(session, holders)
    else if (!told) onWait(`a lost worker still has sessions here (pid ${pidsOf(holders)}): waiting for them`)
    told = true
    await sleep(pollMs, undefined, { signal }).catch(() => undefined)
  }
}

async function endAll(session: Session, holders: readonly Holder[]): Promise<void> {
  for (const { pid, started } of holders)
    await session.query(endSessionSql, [pid, started]).catch((error: unknown) => {
      if (error instanceof PerfdbError && error.code === 'PRIVILEGE') throw refused(holders, error.message)
      throw error
    })
}

function refused(holders: readonly Holder[], reason: string): PerfdbError {
  const ends = holders.map(({ pid }) => `select pg_terminate_backend(${pid})`).join('; ')
  return new PerfdbError(
    'TAKEOVER_REFUSED',
    `a worker that was lost still has sessions here (pid ${pidsOf(holders)}), which hold the lock`,
    { detail: reason, hint: `as their own role, or as a member of pg_signal_backend: ${ends}` },
  )
}

function pidsOf(holders: readonly Holder[]): string {
  return holders.map(({ pid }) => pid).join(', ')
}
