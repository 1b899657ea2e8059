import { PerfdbError, problemsError } from '../../errors.js'
import type { Snapshot } from '../../catalog/snapshot.js'
import type { Plan } from '../../plan/plan.js'
import { foreignProblems } from '../../plan/hazards/foreign.js'
import { privilegeProblems } from '../../plan/make/targets.js'
import type { Session } from '../../server/session/session.js'

/** Refuses a standby and a read-only session before anything is tried: an advisory lock works there too and proves nothing (fault 65). */
export function assertWritable(session: Session): void {
  if (session.inRecovery) throw new PerfdbError('STANDBY', `${session.label} is a standby: it cannot be changed`)
  if (session.readOnly) {
    throw new PerfdbError(
      'READ_ONLY',
      `transactions are read-only by default for ${session.user} in ${session.database}`,
      {
        hint: `alter role ${session.user} in database ${session.database} reset default_transaction_read_only`,
      },
    )
  }
}

/** Everything that the role lacks for the steps of a plan, or has too much of, at once. Throws PRIVILEGE, FOREIGN_CODE. */
export function assertPrivileged(plan: Plan, snapshot: Snapshot): void {
  const tables = new Map(
    plan.steps.filter((step) => step.step !== 'keep').map((step) => [JSON.stringify(step.table), step.table]),
  )
  const [first, ...rest] = [...privilegeProblems([...tables.values()], snapshot), ...foreignProblems(plan.steps)]
  if (first !== undefined) throw problemsError([first, ...rest])
}
