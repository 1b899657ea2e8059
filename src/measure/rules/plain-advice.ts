import { conditionColumns } from '../plan/columns.js'
import { tableOf, type PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { orderAbove } from './order.js'

/**
 * What the text of a query plan alone tells of an index for a scan: the columns that are compared with = , those of the order above it, one
 * that is compared otherwise. Nobody asked the catalog or tried it, which is said; where the catalog can be asked, why/ replaces it.
 */
export function plainAdvice(plan: QueryPlan, node: PlanNode): string {
  const table = tableOf(node)
  const { equal, other, computed } = conditionColumns(`${node.indexCondition} ${node.filter}`, node.alias)
  const columns = [...new Set([...equal, ...(orderAbove(plan, node)?.keys ?? []), ...other])]
  if (/ OR /.test(node.filter)) return `the Filter has an OR: an index serves it only where it serves each of its arms`
  if (unserved.test(node.filter))
    return `what its Filter asks is not served by an index of plain columns: look at it with --url`
  if (columns.length > 0 && equal.length + other.length > 0)
    return `an index on ${table} (${columns.join(', ')}); not tried, and not compared with the indexes that exist`
  if (computed.length > 0)
    return `the Filter computes with ${computed.join(', ')} before it compares: only an index on that expression, or a query without it, helps`
  return 'its Filter compares no plain column'
}

/** Operators of no btree (patterns, containment, inequality), another collation, and what only the type of the column tells (varchar prints as text). */
const unserved = / (?:<>|!?~~\*?|!?~\*?|@>|<@|&&|\?[|&]?|@@) | COLLATE | ANY \([\w"]+\.|\)::text (?:=|[<>]=?) /
