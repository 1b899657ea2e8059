import type { PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { nodeAt } from './rule.js'

/** The order that is wanted of a scan's rows, of which only the first are. */
export interface WantedOrder {
  /** Columns and expressions of its table, without its alias: `updated_at DESC`. */
  readonly keys: readonly string[]
  /** The Sort, or null where an index gives the order. */
  readonly sort: PlanNode | null
}

export const passing = [
  'Gather',
  'Gather Merge',
  'Subquery Scan',
  'Append',
  'Merge Append',
  'Result',
  'ProjectSet',
  'LockRows',
]

/**
 * The order that a Limit asks of the rows of a scan, when a Sort, or the order of the index that is read, stands between with nothing that
 * joins or groups; null without a Limit, and where an expression or another table decides it.
 */
export function orderAbove(plan: QueryPlan, node: PlanNode): WantedOrder | null {
  let sort: PlanNode | null = null
  for (let at = nodeAt(plan, node.parent); at !== undefined; at = nodeAt(plan, at.parent)) {
    if (at.type === 'Limit') break
    if (at.type === 'Sort' || at.type === 'Incremental Sort') sort ??= at
    else if (!passing.includes(at.type)) return null
    if (at.parent === null) return null
  }
  if (sort === null) return null
  const keys = sort.sortKeys.map((key) => ownKey(key, node.alias))
  return keys.every((key) => key !== null) ? { keys, sort } : null
}

/** `j.updated_at DESC` of the alias j as `updated_at DESC`; null for anything but a column. */
export function ownKey(key: string, alias: string): string | null {
  const match =
    /^(?:("(?:[^"]|"")+"|[a-z_][\w$]*)\.)?("(?:[^"]|"")+"|[a-z_][\w$]*)((?: DESC)?(?: NULLS (?:FIRST|LAST))?)$/.exec(
      key,
    )
  if (match === null) return null
  const [, qualifier = alias, column = '', direction = ''] = match
  return qualifier.replaceAll('"', '').replace(/_\d+$/, '') === alias.replace(/_\d+$/, '')
    ? `${column}${direction.toLowerCase()}`
    : null
}
