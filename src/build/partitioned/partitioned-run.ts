import { setTimeout as sleep } from 'node:timers/promises'
import { PerfdbError } from '../../errors.js'
import type { PartitionWork } from '../../plan/partitioned/partitioned-work.js'
import type { Statement, Step } from '../../plan/plan.js'
import type { BuildContext } from '../context.js'
import { repairIndex } from './partitioned-repair.js'
import { runShortly } from '../steps/partitioned-short.js'
import { otherBuildsGone, runBuild } from '../steps/run-build.js'
import { runDrop } from '../steps/run-drop.js'
import { interrupted } from '../statement.js'

/**
 * One piece of the work on a partitioned index, as a step of the partition's own. Returns how long it waited for other
 * transactions, in ms. Throws as runBuild does, and NOT_STARTED when no build may be started any more.
 */
export async function runPartitionWork(context: BuildContext, step: Step, work: PartitionWork): Promise<number> {
  const part = partOf(step, work)
  const { statement } = work
  if (statement === null) return otherBuildDone(context, part)
  switch (work.kind) {
    case 'build':
      await assertMayStart(context)
      return (await runBuild(context, part, statement)).waitedMs
    case 'plain':
      await assertMayStart(context)
      return runPlain(context, part, statement, step.schema)
    case 'repair':
      await assertMayStart(context)
      await otherBuildsGone(context, part)
      return repairIndex(context, part, statement)
    case 'drop':
      return runDrop(context, part, statement)
    case 'only':
    case 'attach':
    case 'again':
    case 'wait':
      return runShortly(context, statement, step.schema, part.table)
  }
}

/** A leaf that was empty when it was looked at, and takes longer now, has been filled: it is looked at again. */
async function runPlain(context: BuildContext, part: Step, statement: Statement, schema: string): Promise<number> {
  return runShortly(context, statement, schema, part.table).catch((error: unknown) => {
    if (error instanceof PerfdbError && error.sqlstate === '57014' && !context.signal.aborted) return 0
    throw error
  })
}

function partOf(step: Step, { table, index }: PartitionWork): Step {
  const declared = step.declared === null ? null : { ...step.declared, name: index, table }
  return { ...step, schema: table.schema, index, table, declared }
}

/** The partitions of a large table may take longer than the window that the step was begun in. */
async function assertMayStart({ mayStart }: BuildContext): Promise<void> {
  const reason = await mayStart()
  if (reason !== null) throw new PerfdbError('NOT_STARTED', reason)
}

/** Another session builds the index of this partition: it is waited for and never dropped; what it left is looked at afterwards. */
async function otherBuildDone(context: BuildContext, part: Step): Promise<number> {
  const started = performance.now()
  // Its row in pg_stat_progress_create_index goes a moment before its index is seen as valid.
  await otherBuildsGone(context, part)
  await sleep(200)
  if (context.signal.aborted) throw interrupted()
  return performance.now() - started
}
