import { quoteName } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import { tablesSql } from '../../sql/measure/explain-catalog.js'
import { conjuncts, partTexts, readCondition } from '../../sql/rewrite/condition.js'
import { count, tableOf, type PlanNode } from '../plan/plan-node.js'
import { stoppedEarly } from '../rules/estimate-rules.js'
import { rolledBack } from '../sample/sample.js'
import { catalogOnly, type TableFacts } from '../sample/tables.js'
import { expectedRows } from './estimate.js'
import type { WithoutSeqScan } from './without-seq-scan.js'

/**
 * Why the planner is wrong about the rows of a scan, when its statistics are fresh: columns that depend on one another, for which CREATE STATISTICS is tried
 * in a transaction that is rolled back; a value that is missing from the most common ones; a condition that holds a sub-query. null where they are old, or
 * where nothing more is known. The trial holds SHARE UPDATE EXCLUSIVE on the table for as long as its ANALYZE takes, 5 s at most, and is not made
 * where another session holds the table. Throws CONNECTION_LOST and INTERRUPTED.
 * https://www.postgresql.org/docs/current/planner-stats.html#PLANNER-STATS-EXTENDED
 */
export async function statisticsReason(
  counterpart: WithoutSeqScan,
  node: PlanNode,
  owned: boolean,
): Promise<string | null> {
  const { session, limits } = counterpart
  const table = tableOf(node)
  const [facts] = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<TableFacts>(tablesSql, [[node.schema], [node.relation]]),
  )
  if (facts === undefined || facts.never || facts.changed_rows > 0.05 * Math.max(facts.estimated_rows, 1000))
    return null
  if (/SubPlan/.test(node.filter))
    return `the statistics of ${table} are fresh; the planner takes a fixed part of the rows for a sub-query in a condition: write it as a join, or as exists (...)`
  if (stoppedEarly(counterpart.plan, node)) return null
  const columns = await comparedColumns(node)
  if (columns.length === 0)
    return `the statistics of ${table} are fresh: the planner has no numbers for what the condition computes; create statistics on the expression (from 14 on), or an index on it, gives them`
  const [column = ''] = columns
  if (columns.length === 1)
    return `the statistics of ${table} are fresh: the value is missing from the most common ones of ${column}: alter table ${table} alter column ${column} set statistics 1000, then analyze ${table} (${column}) (not tried)`
  const create = `create statistics on ${columns.join(', ')} from ${table}`
  const trial =
    owned && !counterpart.foreign && !session.inRecovery && !session.readOnly
      ? await tryStatistics(counterpart, node, columns)
      : null
  const depend = `the statistics of ${table} are fresh: ${columns.join(', ')} depend on one another; ${create}`
  if (trial === null) return `${depend} (not tried), then analyze ${table}`
  const actual = node.parallel ? node.rows : node.rowsPerLoop
  if (off(trial.analyzed, actual) * 2 < off(trial.before, actual) && off(trial.analyzed, actual) < 10)
    return `analyze ${table} (tried: the planner then expects ${count(trial.analyzed)} rows)`
  return off(trial.after, actual) * 2 < off(trial.analyzed, actual)
    ? `${depend}, then analyze ${table} (tried: the planner then expects ${count(trial.after)} rows)`
    : `the statistics of ${table} are fresh, and with statistics on ${columns.join(', ')} together the planner expects ${count(trial.after)} rows instead of ${count(trial.analyzed)} (tried): no more is known of the cause`
}

function off(estimate: number, actual: number): number {
  const [a, b] = [Math.max(1, estimate), Math.max(1, actual)]
  return Math.max(a, b) / Math.min(a, b)
}

/** Columns that are compared as they are, of which all conditions must hold. */
async function comparedColumns(node: PlanNode): Promise<readonly string[]> {
  const texts = [node.indexCondition, node.filter].flatMap((text) => partTexts(text, 'AND'))
  const read = await Promise.all(texts.map(readCondition))
  const names = read
    .flatMap((one) => (one === null ? [] : conjuncts(one)))
    .filter(({ computed, others }) => computed === null && others.length === 0)
  // Of a range over many values statistics on several columns know nothing: those that are compared with = alone, where there are two.
  const equal = new Set(names.filter(({ operator }) => ['=', 'in'].includes(operator)).map(({ column }) => column))
  const all = equal.size >= 2 ? equal : new Set(names.map(({ column }) => column))
  return [...all].slice(0, 8)
}

/**
 * Rows that the planner expects of the conditions of the scan alone: before, with statistics on these columns together, and after the ANALYZE without them;
 * null where it could not be tried. Not of the whole query, whose plan may be another with them: a node of it may be one of several processes, or run once for each outer row.
 */
async function tryStatistics(
  { session, subject, limits }: WithoutSeqScan,
  node: PlanNode,
  columns: readonly string[],
): Promise<{ readonly before: number; readonly after: number; readonly analyzed: number } | null> {
  const short = { ...limits, statementTimeoutMs: 5000, lockTimeoutMs: 100 }
  const table = `${quoteName(node.schema)}.${quoteName(node.relation)}`
  const list = columns.map(quoteName).join(', ')
  const conditions = [node.indexCondition, node.filter].flatMap((text) => partTexts(text, 'AND'))
  const asked = { table: tableOf(node), alias: node.alias, conditions }
  try {
    return await rolledBack(session, short, { readOnly: false }, async () => {
      const before = await expectedRows(session, asked, subject.values)
      await session.query(`create statistics ${quoteName(node.schema)}.perfdb_try_statistics on ${list} from ${table}`)
      await session.query(`analyze ${table} (${list})`)
      const after = await expectedRows(session, asked, subject.values)
      await session.query(`drop statistics ${quoteName(node.schema)}.perfdb_try_statistics`)
      return { before, after, analyzed: await expectedRows(session, asked, subject.values) }
    })
  } catch (error) {
    if (limits.signal?.aborted || (error instanceof PerfdbError && error.code === 'CONNECTION_LOST')) throw error
    return null
  }
}
