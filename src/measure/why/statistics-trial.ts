import { quoteName } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import { conjuncts, partTexts, readCondition } from '../../sql/rewrite/condition.js'
import { count, tableOf, type PlanNode } from '../plan/plan-node.js'
import { stoppedEarly } from '../rules/estimate-rules.js'
import { rolledBack } from '../sample/sample.js'
import { readTables, type TableFacts } from '../sample/tables.js'
import type { Catalog } from './catalog.js'
import { expectedRows } from './estimate.js'
import { computes } from './serves-index.js'
import type { WithoutSeqScan } from './without-seq-scan.js'
import { statisticsVariants, type Asked, type Variant } from './statistics-variants.js'

/**
 * Why the planner is wrong about the rows of a scan, when its statistics are fresh: columns that depend on one another, a value that is missing from the most
 * common ones, an expression; each way to give it numbers is tried in a transaction that is rolled back. A condition that holds a sub-query has none. null where the
 * statistics are old, or where nothing more is known. The trial holds SHARE UPDATE EXCLUSIVE on the table for 5 s at most, and is not made where another session
 * holds the table. Throws CONNECTION_LOST and INTERRUPTED.
 * https://www.postgresql.org/docs/current/planner-stats.html#PLANNER-STATS-EXTENDED
 */
export async function statisticsReason(
  counterpart: WithoutSeqScan,
  node: PlanNode,
  catalog: Catalog,
): Promise<string | null> {
  const { session, limits } = counterpart
  const table = tableOf(node)
  const [facts] = await readTables(session, [node], limits)
  if (facts === undefined || isOld(facts)) return null
  if (/SubPlan/.test(node.filter))
    return `the statistics of ${table} are fresh; the planner takes a fixed part of the rows for a sub-query in a condition: write it as a join, or as exists (...)`
  if (stoppedEarly(counterpart.plan, node)) return null
  const asked = await askedOf(node, catalog)
  const variants = statisticsVariants(asked, session.versionNum)
  const fresh = `the statistics of ${table} are fresh`
  const [first] = variants
  if (first === undefined) return `${fresh}: the planner has no numbers for what the condition computes`
  const actual = node.parallel ? node.rows : node.rowsPerLoop
  const may = catalog.owned && !counterpart.foreign && !session.inRecovery && !session.readOnly
  const trial = may ? await tryVariants(counterpart, node, asked, variants, actual) : null
  if (trial === null)
    return facts.changed_rows > 0
      ? `analyze ${table}, which was changed since; if it stays, ${first.why}: ${first.advice} (not tried)`
      : `${fresh}: ${first.why}; ${first.advice} (not tried)`
  const expects = `(tried: the planner then expects ${count(trial.rows)} rows)`
  if (trial.variant === null) return `analyze ${table} ${expects}`
  return trial.better
    ? `${fresh}: ${trial.variant.why}; ${trial.variant.advice} ${expects}`
    : `${fresh}, and ${trial.variant.without} changes little (tried: ${count(trial.rows)} rows): no more is known of the cause`
}

/** Changed by a twentieth of its rows, or never looked at. */
export function isOld({ never, changed_rows: changed, estimated_rows: rows }: TableFacts): boolean {
  return never || changed > 0.05 * Math.max(rows, 1000)
}

function off(estimate: number, actual: number): number {
  const [a, b] = [Math.max(1, estimate), Math.max(1, actual)]
  return Math.max(a, b) / Math.min(a, b)
}

/** What is compared, of which all conditions must hold: columns as they are, and else what is computed from them. */
async function askedOf(node: PlanNode, { columns }: Catalog): Promise<Asked> {
  const texts = [node.indexCondition, node.filter].flatMap((text) => partTexts(text, 'AND'))
  const read = await Promise.all(texts.map(readCondition))
  const compared = read
    .flatMap((one) => (one === null ? [] : conjuncts(one)))
    .filter(({ others }) => others.length === 0)
  const plain = compared.filter((one) => !computes(one, columns))
  // Of a range over many values statistics on several columns know nothing: those that are compared with = alone, where there are two.
  const equal = new Set(plain.filter(({ operator }) => ['=', 'in'].includes(operator)).map(({ column }) => column))
  const all = equal.size >= 2 ? equal : new Set(plain.map(({ column }) => column))
  return {
    table: tableOf(node),
    columns: [...all].slice(0, 8),
    equal: equal.size >= 2,
    ranged: equal.size === 0,
    expressions: compared.filter((one) => computes(one, columns)),
  }
}

interface Trial {
  /** null where ANALYZE alone mended it. */
  readonly variant: Variant | null
  readonly rows: number
  readonly better: boolean
}

/**
 * The first variant by which the planner expects about as many rows of the conditions of the scan alone as there are, else the best; null where none could be tried. Not
 * of the whole query, whose plan may be another with them: a node of it may be one of several processes, or run once for each outer row.
 */
async function tryVariants(
  { session, subject, limits }: WithoutSeqScan,
  node: PlanNode,
  { table, columns, expressions }: Asked,
  variants: readonly Variant[],
  actual: number,
): Promise<Trial | null> {
  const until = performance.now() + mostMs
  const short = { ...limits, statementTimeoutMs: mostMs, lockTimeoutMs: 100 }
  const conditions = [node.indexCondition, node.filter].flatMap((text) => partTexts(text, 'AND'))
  const looked = [...new Set([...columns, ...expressions.map(({ column }) => column)])].map(quoteName).join(', ')
  let best: Trial | null = null
  try {
    return await rolledBack(session, short, { readOnly: false }, async () => {
      const rows = async () => expectedRows(session, { table, alias: node.alias, conditions }, subject.values)
      const before = await rows()
      const analyze = `analyze ${quoteName(node.schema)}.${quoteName(node.relation)} (${looked})`
      await session.query(analyze)
      const analyzed = await rows()
      if (off(analyzed, actual) * 2 < off(before, actual) && off(analyzed, actual) < 10)
        return { variant: null, rows: analyzed, better: true }
      for (const variant of variants) {
        if (performance.now() > until) break
        await session.query('savepoint perfdb_try')
        for (const statement of variant.statements) await session.query(statement)
        await session.query(analyze)
        const after = await rows()
        await session.query('rollback to savepoint perfdb_try')
        const better = off(after, actual) * 2 < off(analyzed, actual)
        if (best === null || off(after, actual) * 2 < off(best.rows, actual)) best = { variant, rows: after, better }
        if (off(after, actual) < 3) break
      }
      return best
    })
  } catch (error) {
    if (limits.signal?.aborted || (error instanceof PerfdbError && error.code === 'CONNECTION_LOST')) throw error
    return best
  }
}

const mostMs = 5000
