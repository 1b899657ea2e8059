import { nodeAt } from '../measure/rules/rule.js'
import { ownKey, passing } from '../measure/rules/order.js'
import type { PlanNode } from '../measure/plan/plan-node.js'
import type { QueryPlan } from '../measure/plan/query-plan.js'

/**
 * The columns by which the rows of a scan are grouped or sorted next, with nothing that joins between; empty where nothing is, or an expression or
 * another table decides it. An index in that order spares the sort or the hash, and one that holds all columns spares the table.
 */
export function groupingAbove(plan: QueryPlan, node: PlanNode): readonly string[] {
  for (let at = nodeAt(plan, node.parent); at !== undefined; at = nodeAt(plan, at.parent)) {
    const keys = at.groupKeys.length > 0 ? at.groupKeys : at.sortKeys
    const own = keys.map((key) => ownKey(key, node.alias))
    if (keys.length > 0) return own.every((key) => key !== null) ? own : []
    if (!passing.includes(at.type) && at.type !== 'Aggregate') return []
  }
  return []
}
