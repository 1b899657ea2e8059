import { conditionColumns } from '../plan/columns.js'
import { count, type PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { nodeAt, shortened, type RuleFinding } from './rule.js'

/**
 * One finding for what the partitions of a table have in common: those of one code below one Append become one, of the first partition's
 * advice. Where each of them is read although the condition names its columns inside a function or a cast, that is said: partitions are
 * left out (pruned) only by a comparison of the partition key itself.
 * https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITION-PRUNING
 */
export function perTable(plan: QueryPlan, findings: readonly RuleFinding[]): readonly RuleFinding[] {
  const groups = new Map<string, RuleFinding[]>()
  for (const found of findings) {
    const append = appendOf(plan, found)
    const key = append === undefined ? `${groups.size}` : `${found.code} ${append.id} ${shape(plan, found)}`
    groups.set(key, [...(groups.get(key) ?? []), found])
  }
  return [...groups.values()].flatMap((group) => (group.length === 1 ? group : mergedFinding(plan, group)))
}

function appendOf(plan: QueryPlan, { node }: RuleFinding): PlanNode | undefined {
  let at = nodeAt(plan, nodeAt(plan, node)?.parent)
  while (at !== undefined && !at.type.endsWith('Append'))
    at = at.relation === '' && at.children.length === 1 ? nodeAt(plan, at.parent) : undefined
  return at
}

/** The same condition, apart from the number of the alias: `events_1.at`, `events_2.at`. */
function shape(plan: QueryPlan, { node }: RuleFinding): string {
  const scan = nodeAt(plan, node)
  return scan === undefined ? '' : scan.filter.replaceAll(`${scan.alias}.`, '')
}

function mergedFinding(plan: QueryPlan, group: readonly RuleFinding[]): readonly RuleFinding[] {
  const scans = group.flatMap(({ node }) => nodeAt(plan, node) ?? [])
  const [first] = group
  const [scan] = scans
  if (first === undefined || scan === undefined) return group
  const removed = scans.reduce((sum, each) => sum + each.removedByFilter, 0)
  const kept = scans.reduce((sum, each) => sum + each.rows, 0)
  const { computed } = conditionColumns(scan.filter, scan.alias)
  const severity = group.some((one) => one.severity === 'warning') ? ('warning' as const) : ('info' as const)
  const [from, to] = [scan.relation, scans.at(-1)?.relation ?? '']
  const read = `${group.length} partitions (${from} to ${to}) are read, and ${count(removed)} rows thrown away to keep ${count(kept)}: Filter ${shortened(scan.filter)}`
  const { index: _, ...rest } = first
  if (first.code !== 'SEQ_SCAN' && first.code !== 'ROWS_REMOVED')
    return [{ ...rest, severity, message: `${group.length} partitions, of ${from}: ${first.message}` }]
  if (computed.length === 0) return [{ ...rest, severity, message: read }]
  return [
    {
      ...rest,
      code: 'NOT_PRUNED',
      severity,
      message: `no partition is left out, since the condition computes with ${computed.join(', ')}: ${read}`,
      hint: `compare ${computed.join(', ')} itself: a range (>= the first value and < the one after the last) instead of a function or a cast`,
    },
  ]
}
