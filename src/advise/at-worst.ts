import type { PlanNode } from '../measure/plan/plan-node.js'
import type { QueryPlan } from '../measure/plan/query-plan.js'

/** These read all rows below them before they give the first. */
const readAll: ReadonlySet<string> = new Set(['Sort', 'Hash', 'Materialize', 'Bitmap Index Scan'])

/**
 * The cost of a query plan whose LIMIT ends nothing early. The planner takes the rows that pass a filter for evenly spread among those that are read, and no statistics say
 * whether they are: where they come last, nearly all are read. The cost itself where there is no LIMIT, or no row that is read is left out.
 * https://www.postgresql.org/docs/current/using-explain.html
 */
export function costAtWorst({ nodes, cost }: QueryPlan): number {
  let limit = nodes[0]
  while (limit !== undefined && limit.type !== 'Limit') limit = only(nodes, limit)
  const read = limit === undefined ? undefined : only(nodes, limit)
  return limit === undefined || read === undefined || !leavesOut(nodes, read) ? cost : cost - limit.cost + read.cost
}

function only(nodes: readonly PlanNode[], { children }: PlanNode): PlanNode | undefined {
  const [child, other] = children
  return child === undefined || other !== undefined ? undefined : nodes[child]
}

/** Rows that it reads one after the other are not given, by a filter or a join. */
function leavesOut(nodes: readonly PlanNode[], node: PlanNode): boolean {
  if (readAll.has(node.type) || (node.type === 'Aggregate' && node.strategy !== 'Sorted')) return false
  if (node.filter !== '' || node.joinFilter !== '') return true
  const below = node.children.flatMap((id) => nodes[id] ?? [])
  const streams = below.filter(({ relationship }) => relationship !== 'Inner' && relationship !== 'SubPlan')
  const isJoin = below.length > streams.length
  return streams.some((one) => (isJoin && node.estimatedRows < one.estimatedRows) || leavesOut(nodes, one))
}
