import { bytes } from '../../text/amounts.js'
import { count, tableOf, type PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { scannedWhole } from './join-rules.js'
import { ancestors, shortened, subjectOf, type RuleFinding } from './rule.js'

/** What the planner knows of a table. */
export interface PlannedTable {
  readonly rows: number
  readonly bytes: number
}

/**
 * SEQ_SCAN of a query plan that did not run, by the planner's own estimates: a Seq Scan over 100 blocks or more that is to throw away 90 %
 * and 1,000 of its rows or more.
 */
export function plannedSeqScans(
  plan: QueryPlan,
  tableNamed: (schema: string, name: string) => PlannedTable | undefined,
): readonly RuleFinding[] {
  return plan.nodes.flatMap((node) => {
    const table = tableNamed(node.schema, node.relation)
    if (node.type !== 'Seq Scan' || node.filter === '' || table === undefined) return []
    const kept = Math.min(table.rows, node.estimatedRows * processes(plan, node))
    const removed = table.rows - kept
    if (table.bytes < 100 * 8192 || removed < 1000 || removed / table.rows < 0.9) return []
    return [
      {
        code: 'SEQ_SCAN',
        severity: 'warning',
        ...subjectOf(node),
        node: node.id,
        message: `would read all of ${tableOf(node)} (${bytes(table.bytes)}) to keep an estimated ${count(kept)} of ${count(table.rows)} rows: Filter ${shortened(node.filter)}`,
        hint: `an index on ${tableOf(node)} for that condition; perfdb advise tries some`,
      },
    ]
  })
}

/**
 * JOIN_FILTER of a query plan that did not run: a nested loop that is to put a million pairs of rows or more together, with neither side looked up by an index.
 */
export function plannedJoinFilters(plan: QueryPlan): readonly RuleFinding[] {
  return plan.nodes.flatMap((node) => {
    const [a, b] = scannedWhole(plan, node).toSorted((one, other) => other.estimatedRows - one.estimatedRows)
    const pairs = node.children.reduce((product, id) => product * (plan.nodes[id]?.estimatedRows ?? 1), 1)
    if (node.joinFilter === '' || / OR /.test(node.joinFilter) || a === undefined || pairs < 1_000_000) return []
    return [
      {
        code: 'JOIN_FILTER',
        severity: 'warning',
        ...subjectOf(a),
        node: a.id,
        message: `would put an estimated ${count(pairs)} pairs of rows of ${[a, ...(b === undefined ? [] : [b])].map(tableOf).join(' and ')} together: Join Filter ${shortened(node.joinFilter)}`,
        hint: 'an equality between the two sides lets a hash or merge join do it; an index on the inner side serves a range',
      },
    ]
  })
}

/** Rows of a parallel node are those of one process: so many does the planner count (get_parallel_divisor in costsize.c). */
function processes(plan: QueryPlan, node: PlanNode): number {
  if (!node.parallel) return 1
  const workers = ancestors(plan, node).find(({ workers: found }) => found !== null)?.workers?.planned ?? 0
  return workers + Math.max(0, 1 - 0.3 * workers)
}
