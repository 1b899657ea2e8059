import { readPartitionTrees } from '../catalog/partitions.js'
import { readIndex } from '../catalog/read.js'
import type { CanonicalDefinition, ExistingIndex, PartitionTree } from '../catalog/snapshot.js'
import type { Definition } from '../definition/definition.js'
import { PerfdbError } from '../errors.js'
import { lockingDrop } from '../plan/partitioned/partitioned.js'
import { whatIsLeft } from '../plan/partitioned/partitioned-reasons.js'
import { partitionedWork, type PartitionWork } from '../plan/partitioned/partitioned-work.js'
import type { Step } from '../plan/plan.js'
import { sameDefinition } from '../plan/match/same.js'
import type { BuildContext } from './context.js'
import type { Listener } from './events.js'
import { runPartitionWork } from './partitioned-run.js'
import { interrupted, perfdbError } from './statement.js'
import { verifyBuilt } from './verify.js'

/**
 * Builds the index of a partitioned table, or what is missing of it. Nothing is remembered: what is to be done is asked of the
 * catalog, done, and asked again until nothing is left. So a run that was cut short at any point is continued, and
 * partitions that come or go meanwhile are seen (fault 39). What is built stays when a step of it fails: an index of
 * a partition serves its queries already. Throws CHANGED, NOT_AS_DECLARED, and as runBuild does.
 */
export async function runPartitioned(
  context: BuildContext,
  step: Step,
  waited: { ms: number },
): Promise<ExistingIndex> {
  const { declared, canonical } = step
  if (declared === null || canonical === null) throw new PerfdbError('INTERNAL', `${step.index} is not declared`)
  let unchanged = 0
  let before = ''
  for (;;) {
    await stillOurs(context, step, canonical)
    const tree = await readTree(context, declared)
    const work = partitionedWork(declared, canonical, tree)
    if (work.length === 0) return finished(context, step, canonical, tree)
    const text = JSON.stringify(work)
    unchanged = text === before ? unchanged + 1 : 0
    before = text
    if (unchanged >= triesWithoutProgress) throw notFinished(step, work, tree)
    await runRound(context, step, declared, work, waited)
  }
}

async function finished(
  { watchdog }: BuildContext,
  step: Step,
  canonical: CanonicalDefinition,
  tree: PartitionTree,
): Promise<ExistingIndex> {
  const index = await readIndex(watchdog, step.schema, step.index)
  if (index?.valid === false) throw notFinished(step, [], tree)
  return verifyBuilt(watchdog, step.schema, step.index, step.table.name, canonical)
}

/** Partitions may come and go while it works, but then there is other work each time. */
const triesWithoutProgress = 3

async function runRound(
  context: BuildContext,
  step: Step,
  declared: Definition,
  work: readonly PartitionWork[],
  waited: { ms: number },
): Promise<void> {
  for (const [position, one] of work.entries()) {
    if (context.signal.aborted) throw interrupted()
    try {
      const part = { table: one.table.name, number: position + 1, of: work.length }
      waited.ms += await runPartitionWork(telling(context, step, part), step, one)
    } catch (error) {
      const failure = perfdbError(error)
      if (failure.code === 'CONNECTION_LOST' || (await isPartition(context, declared, one))) {
        throw told(failure, one, position, work)
      }
      context.listener({
        type: 'warning',
        message: `${one.table.schema}.${one.table.name} is no longer a partition: continuing without it`,
      })
      return
    }
    // What the other session has left decides what is to be done next.
    if (one.kind === 'wait') return
  }
}

interface Part {
  readonly table: string
  readonly number: number
  readonly of: number
}

/** To whoever looks on it is one build: its progress says which partition it is at. */
function telling(context: BuildContext, { index }: Step, { table, number, of }: Part): BuildContext {
  const listener: Listener = (event) => {
    if (event.type !== 'step-progress') context.listener(event)
    else context.listener({ ...event, index, phase: `${event.phase} (${table}, ${number} of ${of})` })
  }
  return { ...context, listener }
}

async function readTree({ watchdog }: BuildContext, { name, table }: Definition): Promise<PartitionTree> {
  const [tree] = await readPartitionTrees(watchdog, [table], [name])
  if (tree !== undefined) return tree
  throw new PerfdbError('CHANGED', `${table.schema}.${table.name} is no longer a partitioned table`)
}

/** Another index of that name, made or exchanged since the plan: nothing is attached to it. */
async function stillOurs({ watchdog }: BuildContext, step: Step, canonical: CanonicalDefinition): Promise<void> {
  const now = await readIndex(watchdog, step.schema, step.index)
  const gone = step.existing !== null && now?.oid !== step.existing.oid
  const other = now !== undefined && (now.table.name !== step.table.name || !sameDefinition(canonical, now.canonical))
  if (gone || other) {
    throw new PerfdbError('CHANGED', `${step.schema}.${step.index} is not what it was when the plan was made`, {
      detail: now?.ddl,
    })
  }
}

async function isPartition(context: BuildContext, declared: Definition, { table }: PartitionWork): Promise<boolean> {
  const tree = await readTree(context, declared).catch(() => null)
  if (tree === null) return true
  return tree.partitions.some((one) => one.schema === table.schema && one.name === table.name)
}

function told(
  failure: PerfdbError,
  { table }: PartitionWork,
  done: number,
  work: readonly PartitionWork[],
): PerfdbError {
  const progress = `${done} of ${work.length} statements of the index are done and stay, the next apply goes on there`
  const where = `on ${table.schema}.${table.name}; ${progress}`
  return new PerfdbError(failure.code, failure.message, {
    detail: failure.detail === undefined ? where : `${failure.detail}; ${where}`,
    hint: failure.hint,
    sqlstate: failure.sqlstate,
    cause: failure,
  })
}

function notFinished(step: Step, work: readonly PartitionWork[], tree: PartitionTree): PerfdbError {
  const { schema, index: name, table } = step
  const update = tree.looksAgain ? '' : 'update PostgreSQL to 14.23, 15.18, 16.14, 17.10, 18.4 or later; or '
  return new PerfdbError('NOT_AS_DECLARED', `${schema}.${name} is not valid after all was done`, {
    detail: whatIsLeft(work, tree),
    hint: `${update}drop it when the table may be locked, then apply again: ${lockingDrop({ schema, name, table })}`,
  })
}
