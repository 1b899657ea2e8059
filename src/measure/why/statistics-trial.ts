import { quoteName } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import { tablesSql } from '../../sql/measure/explain-catalog.js'
import { conjuncts, partTexts, readCondition } from '../../sql/rewrite/condition.js'
import { count, tableOf, type PlanNode } from '../plan/plan-node.js'
import { stoppedEarly } from '../rules/estimate-rules.js'
import { explain, rolledBack } from '../sample/sample.js'
import { catalogOnly, type TableFacts } from '../sample/tables.js'
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
  const estimate =
    owned && !counterpart.foreign && !session.inRecovery && !session.readOnly
      ? await tryStatistics(counterpart, node, columns)
      : null
  if (estimate === null)
    return `the statistics of ${table} are fresh: ${columns.join(', ')} depend on one another; ${create} (not tried), then analyze ${table}`
  const [before, after] = [off(node.estimatedRows, node.rowsPerLoop), off(estimate, node.rowsPerLoop)]
  return after * 2 < before
    ? `the statistics of ${table} are fresh: ${columns.join(', ')} depend on one another; ${create}, then analyze ${table} (tried: the planner then expects ${count(estimate)} rows)`
    : `the statistics of ${table} are fresh, and statistics on ${columns.join(', ')} together change nothing (tried): no more is known of the cause`
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
  return [...new Set(names.map(({ column }) => column))].slice(0, 8)
}

/** Rows that the planner expects of the same scan with statistics on these columns together; null where it could not be tried. */
async function tryStatistics(
  { session, subject, limits }: WithoutSeqScan,
  node: PlanNode,
  columns: readonly string[],
): Promise<number | null> {
  const short = { ...limits, statementTimeoutMs: 5000, lockTimeoutMs: 100 }
  const table = `${quoteName(node.schema)}.${quoteName(node.relation)}`
  const list = columns.map(quoteName).join(', ')
  try {
    return await rolledBack(session, short, { readOnly: false }, async () => {
      await session.query(`create statistics ${quoteName(node.schema)}.perfdb_try_statistics on ${list} from ${table}`)
      await session.query(`analyze ${table} (${list})`)
      const plan = await explain(session, subject, 'plain')
      const same = plan.nodes.find(
        (one) =>
          one.relation === node.relation &&
          one.alias === node.alias &&
          one.schema === node.schema &&
          (one.filter !== '' || one.indexCondition !== ''),
      )
      return same?.estimatedRows ?? null
    })
  } catch (error) {
    if (limits.signal?.aborted || (error instanceof PerfdbError && error.code === 'CONNECTION_LOST')) throw error
    return null
  }
}
