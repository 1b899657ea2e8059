import type { TableName } from '../../definition/definition.js'
import type { Listener } from '../../build/events.js'
import { noteInterruptedRuns } from '../../ledger/read/interrupted.js'
import { acquireRunLock } from '../../server/session/lock.js'
import type { Session } from '../../server/session/session.js'
import type { Finding } from '../../plan/plan.js'
import { closeInterruptedRuns } from './close-interrupted.js'

export interface RunLockOptions {
  readonly lockWaitMs: number
  readonly ledger: boolean
  readonly signal: AbortSignal
  readonly listener: Listener
}

export interface Taken {
  readonly findings: readonly Finding[]
  /** Tables on which an earlier run built something that nobody has analyzed since. */
  readonly repairedTables: readonly TableName[]
}

/**
 * Takes the run lock for `ddl`, telling who holds it as long as it waits, and then tells of earlier runs that were cut short
 * (fault 72): what they left this run sees to, as it sees to anything that the catalog shows. Throws LOCK_HELD and INTERRUPTED.
 */
export async function takeRunLock(
  ddl: Session,
  watchdog: Session,
  { lockWaitMs, ledger, signal, listener }: RunLockOptions,
): Promise<Taken> {
  let told = ''
  await acquireRunLock(ddl, {
    waitMs: lockWaitMs,
    signal,
    onWait: (holder) => {
      const message =
        holder === null
          ? 'another run holds the lock: waiting'
          : `pid ${holder.pid} (${holder.applicationName}, user ${holder.user}) holds the run lock: waiting`
      if (message !== told) listener({ type: 'warning', message })
      told = message
    },
  })
  if (!ledger) return { findings: [], repairedTables: [] }
  const interrupted = await noteInterruptedRuns(watchdog)
  const repairedTables = await closeInterruptedRuns(
    ddl,
    watchdog,
    interrupted.map(({ run }) => run),
  )
  const findings = interrupted.map(({ run, unfinished }): Finding => {
    const message = `run ${run} began and never ended${unfinished.length === 0 ? '' : `; it was at ${unfinished.join(', ')}`}`
    listener({ type: 'warning', message })
    return {
      code: 'INTERRUPTED',
      severity: 'warning',
      message,
      hint: 'the catalog says what is left of it: this run begins there',
    }
  })
  return { findings, repairedTables }
}
