import { readPartitionTrees } from '../../catalog/read/partitions.js'
import { readIndex, readIndexByOid } from '../../catalog/read/read.js'
import type { ExistingIndex } from '../../catalog/snapshot.js'
import { readTrust } from '../../catalog/trust.js'
import type { Definition, TableName } from '../../definition/definition.js'
import { PerfdbError } from '../../errors.js'
import type { RecordedStep, RunWithSteps } from '../../ledger/ledger.js'
import { isCanonical } from '../../ledger/ownership.js'
import { differences, attributesFrom, type TableMarks } from '../../plan/index-attributes.js'
import { newNameFor, oldNameFor } from '../../plan/match/names.js'
import type { Finding } from '../../plan/plan.js'
import { undo } from '../../plan/undo/undo.js'
import { isBefore, leave, type Before, type Done, type Now, type Undo } from '../../plan/undo/undo-parts.js'
import { indexDefinition } from '../../profile/sql/sql-index.js'
import type { Session } from '../../server/session/session.js'
import { singleStatement } from '../../sql/parser/parser.js'
import { commentKinds, scanTokens } from '../../sql/parser/parser-tokens.js'
import { remakeIndexSql } from '../../sql/ddl/remake-index.js'
import { takenNamesSql, undoTableSql } from '../../sql/catalog/undo-look.js'

/** What becomes of one step of the run that is undone. */
export interface Entry {
  readonly done: Done
  readonly undo: Undo
}

/** One entry for each step that changed something, or may have, the last first. `mayLock`: --allow DROP, for indexes of partitioned tables. */
export async function planUndo(session: Session, { steps }: RunWithSteps, mayLock: boolean): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for (const step of steps.toReversed()) {
    if (step.outcome !== 'waited' && step.step !== 'building') entries.push(await entryOf(session, step, mayLock))
  }
  return entries
}

const undoneBefore: Undo = { ended: { outcome: 'undone', undone: true, finding: null } }

async function entryOf(session: Session, step: RecordedStep, mayLock: boolean): Promise<Entry> {
  const table = await tableNow(session, step)
  const bare = { ...bareOf(step), table: table?.table ?? step.table, schema: table?.table.schema ?? step.schema }
  if (step.undone !== null) return { done: bare, undo: undoneBefore }
  try {
    const done = { ...bare, before: await beforeOf(step, bare.table) }
    const now = { ...(await lookAt(session, step, done, table)), mayLock }
    if (
      done.before?.partitioned !== null &&
      done.before?.partitioned !== undefined &&
      now.tableThere &&
      now.tree === null
    )
      throw new PerfdbError(
        'BAD_RECORD',
        'the definition in the ledger is not used, as it is ON ONLY a table that is not partitioned',
      )
    const found = undo(done, now)
    const unbuildable = 'step' in found && done.before !== null ? await whyNotBuilt(session, done, done.before) : null
    if (unbuildable === null) return { done, undo: found }
    const hint = 'connect as the owner of the table'
    return {
      done,
      undo: leave('refused', 'FOREIGN_CODE', done, `is not built again by this role: ${unbuildable}`, hint),
    }
  } catch (error) {
    if (!(error instanceof PerfdbError) || (error.code !== 'BAD_RECORD' && error.code !== 'BAD_SQL')) throw error
    return { done: bare, undo: leave('refused', 'BAD_RECORD', bare, `cannot be undone: ${error.message}`) }
  }
}

function bareOf(step: RecordedStep): Done {
  const { number, schema, index, indexBefore, table, indexOid } = step
  const finished = step.state === 'done'
  const outcome = finished ? (step.outcome ?? '') : (outcomes[step.step] ?? '')
  const canonical = isCanonical(step.canonical) ? step.canonical : null
  return { number, outcome, finished, schema, index, indexBefore, table, indexOid, canonical, before: null }
}

/** What a step was to do that has no end in the ledger. */
const outcomes: Readonly<Record<string, string>> = {
  create: 'built',
  rebuild: 'rebuilt',
  reindex: 'reindexed',
  replace: 'replaced',
  adopt: 'renamed',
  drop: 'dropped',
}

const known: ReadonlySet<string> = new Set(Object.values(outcomes))

async function beforeOf(step: RecordedStep, table: TableName): Promise<Before | null> {
  const { step: kind, index, ddlBefore: indexdef, canonical, canonicalBefore } = step
  if (step.state === 'done' && !known.has(step.outcome ?? ''))
    throw new PerfdbError(
      'BAD_RECORD',
      `the ledger says that it was ${step.outcome ?? 'nothing'}, which perfdb does not write`,
    )
  const kept = attributesFrom(step.keptBefore)
  const readable = (value: unknown) => value === null || isCanonical(value)
  if (kept === undefined || !readable(canonical) || !readable(canonicalBefore))
    throw new PerfdbError('BAD_RECORD', 'the record of the step in the ledger is not what perfdb writes')
  if (indexdef === null || (kind !== 'drop' && kind !== 'replace')) return null
  const remade = { indexdef, recordedTable: step.table, table, tablespace: kept?.tablespace ?? null }
  const build = await remakeIndexSql({ ...remade, name: index })
  return {
    indexdef,
    canonical: isCanonical(canonicalBefore) ? canonicalBefore : null,
    kept,
    build,
    buildBeside: await remakeIndexSql({ ...remade, name: newNameFor(index) }),
    partitioned: (await isOnOnly(indexdef)) ? await definitionOf(build, index, table) : null,
  }
}

/** pg_get_indexdef prints the index of a partitioned table so. */
async function isOnOnly(ddl: string): Promise<boolean> {
  const { tree } = await singleStatement(ddl)
  return 'IndexStmt' in tree && tree.IndexStmt.relation?.inh !== true
}

async function definitionOf(build: string, index: string, table: TableName): Promise<Definition | null> {
  const { tree } = await singleStatement(build)
  if (!('IndexStmt' in tree)) return null
  const tokens = (await scanTokens(build)).filter(({ kind }) => !commentKinds.has(kind))
  return indexDefinition(tree.IndexStmt, index, table, build, tokens)
}

/** A record that somebody else may write, or a function that is his by now, must not run with more rights than his. */
async function whyNotBuilt(session: Session, { index, table }: Done, { build }: Before): Promise<string | null> {
  const definition = await definitionOf(build, index, table)
  if (definition === null) return null
  return (await readTrust(session, [definition])).get(definition)?.unbuildable ?? null
}

interface TableNow extends TableMarks {
  readonly table: TableName
}

/** By its oid, under whatever name; by name where the record is of a version that kept no oids. */
async function tableNow(session: Session, { table, tableOid }: RecordedStep): Promise<TableNow | undefined> {
  const [row] = await session.query<TableNow>(undoTableSql, [table.schema, table.name, tableOid])
  return row
}

async function lookAt(
  session: Session,
  step: RecordedStep,
  done: Done,
  table: TableNow | undefined,
): Promise<Omit<Now, 'mayLock'>> {
  const names = [done.index, done.indexBefore ?? done.index, newNameFor(done.index), oldNameFor(done.index)]
  const rows = await session.query<{ name: string; kind: string }>(takenNamesSql, [done.schema, names])
  const indexes = new Map<string, ExistingIndex | undefined>()
  const partitioned = (done.before?.partitioned ?? null) !== null
  for (const { name, kind } of rows)
    if (kind === 'i' || kind === 'I') indexes.set(name, await readIndex(session, done.schema, name))
  return {
    tableThere: table !== undefined,
    marks: table ?? { identity: 'd', identityIndex: null, clusteredIndex: null },
    left: step.indexOid === null ? undefined : await readIndexByOid(session, step.indexOid),
    named: (name) => indexes.get(name),
    taken: (name) => rows.some((row) => row.name === name) && !indexes.has(name),
    tree: (partitioned && (await readPartitionTrees(session, [done.table], [done.index]))[0]) || null,
  }
}

/** In what an index that is back is not what it was before the run; null when it is, or there is nothing to compare. */
export async function notAsBefore(session: Session, { done }: Entry): Promise<Finding | null> {
  const { before, schema, index, table } = done
  if (before === null) return null
  const now = await readIndex(session, schema, index)
  const points =
    now === undefined ? ['it is not there'] : isBefore(done, now) ? differences(before.kept, now) : ['definition']
  if (points.length === 0) return null
  return {
    code: 'CHANGED',
    severity: 'error',
    index,
    table: `${table.schema}.${table.name}`,
    message: `${index} is not all that it was before the run: ${points.join(', ')}`,
  }
}
