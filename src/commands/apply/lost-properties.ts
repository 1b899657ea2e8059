import { type Plan, restoreStatements, type Step } from '../../plan/plan.js'
import type { ExistingIndex } from '../../catalog/snapshot.js'
import { lostProperties, type UnfinishedStep } from '../../ledger/read/unfinished.js'
import {
  carryOver,
  attributesFrom,
  attributesOf,
  missingOf,
  restoreSql,
  type TableMarks,
} from '../../plan/index-attributes.js'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { shortLockSql } from '../../sql/ddl/partitions.js'
import { undoTableSql } from '../../sql/catalog/undo-look.js'

/*
 * A rebuild drops an index and builds it again: cut short in between, its comment, statistics targets, clustering, replica identity and
 * dependence on extensions are in the ledger alone. They are compared and given back until they are there.
 */

/** Of an index that is valid again. Says whether it has all of it now; throws nothing: the next run tries again. */
export async function givenBack(
  ddl: Session,
  watchdog: Session,
  step: UnfinishedStep,
  now: ExistingIndex | undefined,
): Promise<boolean> {
  const kept = attributesFrom(step.keptBefore)
  if (now === undefined || kept === null || kept === undefined) return true
  const [marks] = await watchdog.query<TableMarks>(undoTableSql, [now.table.schema, now.table.name, now.tableOid])
  const missing = marks === undefined ? null : missingOf(carryOver(kept, now.canonical), now, marks, null)
  if (missing === null) return true
  try {
    await ddl.transaction(async () => {
      await ddl.query(shortLockSql(500))
      for (const sql of restoreSql(missing, now.schema, now.name, now.table)) await ddl.query(sql)
    })
    return true
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    return false
  }
}

/** Of indexes that the plan builds: an earlier run had dropped them. */
export async function withLostProperties(session: Session, plan: Plan): Promise<Plan> {
  const building = plan.steps.some(({ step }) => step === 'create' || step === 'rebuild')
  const lost = building ? await lostProperties(session) : []
  if (lost.length === 0) return plan
  return { ...plan, steps: plan.steps.map((step) => withLost(step, lost)) }
}

function withLost(step: Step, lost: Awaited<ReturnType<typeof lostProperties>>): Step {
  const { schema, index, table, canonical, existing } = step
  const record = lost.find((one) => one.schema === schema && one.name === index)
  const recorded = record === undefined ? null : (attributesFrom(record.keptBefore) ?? null)
  if (recorded === null || canonical === null || step.partitioned === true) return step
  if (step.step !== 'create' && step.step !== 'rebuild') return step
  // What stands there invalid may have been given some of it since.
  if (existing !== null && attributesOf(existing) !== null) return step
  const sql = restoreSql(carryOver(recorded, canonical), schema, index, table)
  return { ...step, kept: recorded, statements: [...step.statements, ...restoreStatements(sql, table, index)] }
}
