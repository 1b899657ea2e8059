import { readPartitionTrees } from '../../catalog/read/partitions.js'
import { readIndex } from '../../catalog/read/read.js'
import type { CanonicalDefinition, ExistingIndex, PartitionTree } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { PerfdbError } from '../../errors.js'
import { newNameFor, oldNameFor } from '../../plan/match/names.js'
import { dropPartitionedStatement, lockText } from '../../plan/match/drop-partitioned.js'
import { restoreStatements, type Step } from '../../plan/plan.js'
import { exchangeStatement } from '../../plan/partitioned/partitioned-replace.js'
import { partStatements } from '../../plan/partitioned/partition-parts.js'
import { whatIsLeft } from '../../plan/partitioned/partitioned-reasons.js'
import { partitionedWork, type PartitionWork } from '../../plan/partitioned/partitioned-work.js'
import { sameDefinition } from '../../plan/match/same.js'
import { dropPartitionedSql } from '../../sql/ddl/partitions.js'
import type { BuildContext } from '../context.js'
import type { Listener } from '../events.js'
import { runPartitionWork } from './partitioned-run.js'
import { runSwap } from '../steps/run-swap.js'
import { interrupted, perfdbError } from '../statement.js'
import { verifyBuilt } from '../check/verify.js'

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
  const wanted = { declared, canonical }
  if (step.step === 'replace') return replaceTree(context, step, wanted, waited)
  await completeTree(context, step, wanted, step.index, waited)
  if (step.describe !== undefined) {
    for (const statement of restoreStatements(step.describe, step.table, step.index))
      waited.ms += await runSwap(context, step, statement)
  }
  await giveParts(context, step, declared, waited)
  return verifyBuilt(context.watchdog, step.schema, step.index, step.table.name, canonical)
}

/** What indexes of single partitions are declared to have of their own. */
async function giveParts(
  context: BuildContext,
  step: Step,
  declared: Definition,
  waited: { ms: number },
): Promise<void> {
  if (declared.partitions === undefined) return
  for (const statement of partStatements(declared, await readTree(context, declared), step.index))
    waited.ms += await runSwap(context, step, statement)
}

interface Wanted {
  readonly declared: Definition
  readonly canonical: CanonicalDefinition
}

/** Another tree beside the old one, which takes its name; the old one goes last. What an earlier run left is gone on with, or goes first. */
async function replaceTree(
  context: BuildContext,
  step: Step,
  wanted: Wanted,
  waited: { ms: number },
): Promise<ExistingIndex> {
  const { schema, index, table, describe = [] } = step
  const [fresh, old] = [newNameFor(index), oldNameFor(index)]
  const drop = async (name: string) => {
    const left = await readIndex(context.watchdog, schema, name)
    if (left === undefined || left.table.name !== table.name) return
    waited.ms += await runSwap(context, step, dropPartitionedStatement(left))
  }
  await drop(old)
  const begun = await readIndex(context.watchdog, schema, fresh)
  if (begun !== undefined && !sameDefinition(wanted.canonical, begun.canonical)) await drop(fresh)
  await completeTree(context, step, wanted, fresh, waited)
  waited.ms += await runSwap(context, step, exchangeStatement(wanted.declared, describe))
  await drop(old).catch((error: unknown) => {
    const { code, message, detail, sqlstate } = perfdbError(error)
    throw new PerfdbError(code, message, {
      detail: [detail, `${index} is replaced and valid; ${old}, the old one, is left`].filter(Boolean).join('; '),
      hint: 'run the same command again: it drops what is left',
      sqlstate,
      cause: error,
    })
  })
  // Their names may have been those of the old one's.
  await giveParts(context, step, wanted.declared, waited)
  return verifyBuilt(context.watchdog, schema, index, table.name, wanted.canonical)
}

/** Until nothing is left to do for the index `name`, and it is valid. */
async function completeTree(
  context: BuildContext,
  step: Step,
  { declared, canonical }: Wanted,
  name: string,
  waited: { ms: number },
): Promise<void> {
  let unchanged = 0
  let before = ''
  for (;;) {
    await stillOurs(context, step, canonical, name)
    const tree = await readTree(context, declared)
    const work = partitionedWork(declared, canonical, tree, name, step.namesFrom)
    if (work.length === 0) {
      const index = await readIndex(context.watchdog, step.schema, name)
      if (index?.valid !== true) throw notFinished(step, [], tree)
      return
    }
    const text = JSON.stringify(work)
    unchanged = text === before ? unchanged + 1 : 0
    before = text
    if (unchanged >= triesWithoutProgress) throw notFinished(step, work, tree)
    await runRound(context, step, declared, work, waited)
  }
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
async function stillOurs(
  { watchdog }: BuildContext,
  step: Step,
  canonical: CanonicalDefinition,
  name: string,
): Promise<void> {
  const { schema, index, table, existing } = step
  const now = await readIndex(watchdog, schema, index)
  const gone = existing !== null && now?.oid !== existing.oid
  const own = name === index ? now : await readIndex(watchdog, schema, name)
  const other = own !== undefined && (own.table.name !== table.name || !sameDefinition(canonical, own.canonical))
  if (gone || other) {
    throw new PerfdbError('CHANGED', `${schema}.${index} is not what it was when the plan was made`, {
      detail: now?.indexdef,
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
    hint: `${update}drop it when the table may be locked, then apply again: ${dropPartitionedSql({ schema, name })} (${lockText({ table })})`,
  })
}
