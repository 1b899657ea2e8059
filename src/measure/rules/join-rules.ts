import { count, tableOf, type PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { milliseconds, nodeAt, rowsText, shareOf, shortened, subjectOf, type Rule, type RuleFinding } from './rule.js'
import { percent } from '../../text/amounts.js'
import { nodeLabel } from '../plan/signature.js'

/** JOIN_FILTER: 100,000 pairs of rows or more were put together and thrown away. */
export const joinFilter: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.removedByJoinFilter < 100_000) return []
    // Looked up from the smaller side.
    const [inner] = scannedWhole(plan, node).toSorted((a, b) => b.rowsPerLoop - a.rowsPerLoop)
    const few = node.rows * 4 < node.removedByJoinFilter
    return [
      {
        code: 'JOIN_FILTER',
        severity: 'warning',
        ...(few && inner !== undefined && !/ OR /.test(node.joinFilter) ? { ...subjectOf(inner), node: inner.id } : {}),
        message: `${nodeLabel(node)} puts ${count(node.rows + node.removedByJoinFilter)} pairs of rows together and keeps ${count(node.rows)}: Join Filter ${node.joinFilter}`,
        hint: / OR /.test(node.joinFilter)
          ? 'an OR over both sides: write its arms as queries of their own, joined by UNION, so that each can be joined by its own index (not proven equal)'
          : 'an equality between the two sides lets a hash or merge join do it; an index on the inner side serves a range',
      },
    ]
  })

/** The tables that a nested loop reads whole, one of them for each row of the other. */
export function scannedWhole(plan: QueryPlan, node: PlanNode): readonly PlanNode[] {
  if (node.type !== 'Nested Loop') return []
  return node.children.flatMap((id) => {
    let at = nodeAt(plan, id)
    while (at?.type === 'Materialize') at = nodeAt(plan, at.children[0])
    return at?.type === 'Seq Scan' ? [at] : []
  })
}

const joins = ['Nested Loop', 'Hash Join', 'Merge Join']

/** ROWS_REMOVED of a join: its Filter drops half of what it joined and 10,000 rows or more, as a LEFT JOIN with a condition in WHERE does. */
export const joinRowsRemoved: Rule = (evidence) =>
  evidence.plan.nodes.flatMap((node) => {
    const removed = node.removedByFilter
    const share = removed / Math.max(1, node.rows + removed)
    if (!joins.includes(node.type) || removed < 10_000 || share < 0.5) return []
    return [
      {
        code: 'ROWS_REMOVED',
        severity: 'warning',
        message: `${nodeLabel(node)} puts ${count(node.rows + removed)} rows together and throws away ${count(removed)} of them (${percent(share)}) to keep ${rowsText(evidence, node)}: Filter ${shortened(node.filter)}`,
        hint: / OR /.test(node.filter)
          ? 'an OR over both sides is looked at after the join: write its arms as queries of their own, joined by UNION, so that each finds its rows by an index (not proven equal)'
          : 'the condition is looked at after the join: ask the tables themselves for what it keeps; `left join .. where right_side is null` is `not exists`, and a condition that no NULL passes makes an outer join an inner one',
      },
    ]
  })

/**
 * JOIN_CAST: a join compares a column only after a cast to another type, and reads all of its table (10,000 rows or more) for it: no
 * index on the column, the primary key included, can be searched so.
 */
export const joinCast: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (!joins.includes(node.type) || node.joinCondition === '') return []
    return [...node.joinCondition.matchAll(castColumn)].flatMap(([, alias = '', column = '', type = '']) => {
      const scan = plan.nodes.find((one) => one.alias === alias && one.relation !== '' && one.id > node.id)
      // varchar prints so even where its index is used: only what the catalog says of the column tells, see why/.
      if (scan === undefined || !readsWholeTable(scan) || scan.rows < 10_000) return []
      return [
        {
          code: 'JOIN_CAST',
          severity: 'warning' as const,
          ...subjectOf(scan),
          node: scan.id,
          message: `the join compares ${alias}.${column} cast to ${type}, and reads all ${count(scan.rows)} rows of ${tableOf(scan)}: ${shortened(node.joinCondition)}`,
          hint: `no index on ${column} can be searched for another type: cast the other side to the type of ${column}, or give both columns one type`,
        },
      ]
    })
  })

/** A Seq Scan, or a walk along a whole index: what VACUUM has been at is often read from its primary key alone. */
function readsWholeTable({ type, indexCondition }: PlanNode): boolean {
  return type === 'Seq Scan' || (/^Index (?:Only )?Scan$/.test(type) && indexCondition === '')
}

/** False where the cast changes nothing: varchar prints as text even where its index is used. `columns` are those of the table. */
export function joinCastCounts(
  { message }: RuleFinding,
  columns: ReadonlyMap<string, { readonly type: string }>,
): boolean {
  const [, column = '', type = ''] = /\.([\w$]+) cast to ([a-z ]+),/.exec(message) ?? []
  const own = columns.get(column)?.type ?? ''
  return own !== '' && own !== type && !(type === 'text' && /^(?:text|character varying|name)$/.test(own))
}

/** `(a.id)::text` */
const castColumn = /\(([a-z_][\w$]*)\.([a-z_][\w$]*)\)::([a-z][a-z ]*[a-z])/g

/** CORRELATED_SUBPLAN: a sub-query that runs 100 times or more, once a row, and takes 20 % of the time or more. */
export const correlatedSubplan: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const share = shareOf(plan, node.wallMs)
    if (node.relationship !== 'SubPlan' || node.loops < 100 || share === null || share < 0.2) return []
    const scan = plan.nodes.find((one) => one.id >= node.id && one.relation !== '')
    return [
      {
        code: 'CORRELATED_SUBPLAN',
        severity: 'warning',
        ...(scan === undefined ? {} : subjectOf(scan)),
        message: `a sub-query (${nodeLabel(node)}) runs ${count(node.loops)} times, once a row: ${milliseconds(node.wallMs)}, ${percent(share)} of the time`,
        hint: 'join the table, or aggregate it once and join the result',
      },
    ]
  })

/** MEMOIZE: a cache that was asked over 100 times and had the answer in under 20 %, or was too small. */
export const memoize: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.memoize === null) return []
    const { hits, misses, evictions, overflows } = node.memoize
    const lookups = hits + misses
    const useless = hits / Math.max(1, lookups) < 0.2
    if (lookups <= 100 || !(useless || evictions > misses / 2 || overflows > 0)) return []
    const cached = nodeAt(plan, node.children[0])
    return [
      {
        code: 'MEMOIZE',
        severity: 'info',
        ...(cached === undefined ? {} : subjectOf(cached)),
        message: `Memoize had the answer in ${count(hits)} of ${count(lookups)} cases, with ${count(evictions)} evictions and ${count(overflows)} overflows`,
        hint: useless
          ? 'the planner expected fewer different values: analyze, then alter table ... set (n_distinct = ...) for the joined column'
          : 'more work_mem or hash_mem_multiplier for this role alone',
      },
    ]
  })
