import { tableOf, type PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { readTables } from '../sample/tables.js'
import { isOld } from './statistics-trial.js'
import type { WithoutSeqScan } from './without-seq-scan.js'

/**
 * Why the planner is wrong about the rows of a join or an aggregate: old statistics of the tables below it, by name, or what no statistics tell. null where it
 * reads no table. Throws the server's errors.
 */
export async function joinEstimate(
  { session, limits, plan }: Pick<WithoutSeqScan, 'session' | 'limits' | 'plan'>,
  node: PlanNode,
): Promise<string | null> {
  const scans = scansBelow(plan, node)
  const facts = await readTables(session, scans, limits)
  const old = [...new Set(facts.filter(isOld).map(({ table }) => table))]
  if (old.length > 0) return `analyze ${old.join(', ')}`
  if (facts.length === 0) return null
  const fresh = `the statistics of ${[...new Set(facts.map(({ table }) => table))].join(', ')} are fresh`
  if (/ IS NULL/.test(node.filter) && /^(?:Left|Right|Full)$/.test(node.joinType))
    return `${fresh}; the planner expects next to no row without a partner behind an outer join: not exists (...) is what it can estimate`
  if (/::|\w\(/.test(node.joinCondition.replaceAll(/\)::text/g, ')')))
    return `${fresh}; of what the join condition computes the planner has no numbers: compare the columns themselves`
  return `${fresh}, and no statistics tell how the rows of ${new Set(scans.map(tableOf)).size > 1 ? 'several tables' : 'its groups'} go together`
}

function scansBelow(plan: QueryPlan, node: PlanNode): readonly PlanNode[] {
  return node.children.flatMap((id) => {
    const child = plan.nodes[id]
    if (child === undefined) return []
    return [...(child.relation !== '' && child.schema !== '' ? [child] : []), ...scansBelow(plan, child)]
  })
}
