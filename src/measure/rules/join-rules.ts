import { milliseconds, nodeAt, subjectOf, type Rule } from './rule.js'
import { percent } from '../../text/amounts.js'
import { nodeLabel } from '../plan/signature.js'
import { count } from '../plan/plan-node.js'

/** JOIN_FILTER: 100,000 pairs of rows or more were put together and thrown away. */
export const joinFilter: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.removedByJoinFilter < 100_000) return []
    return [
      {
        code: 'JOIN_FILTER',
        severity: 'warning',
        message: `${nodeLabel(node)} puts ${count(node.rows + node.removedByJoinFilter)} pairs of rows together and keeps ${count(node.rows)}: Join Filter ${node.joinFilter}`,
        hint: 'an equality between the two sides lets a hash or merge join do it; an index on the inner side serves a range',
      },
    ]
  })

/** CORRELATED_SUBPLAN: a sub-query that runs 100 times or more, once a row, and takes 20 % of the time or more. */
export const correlatedSubplan: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const share = node.wallMs / Math.max(plan.executionMs ?? 0, 0.001)
    if (node.relationship !== 'SubPlan' || node.loops < 100 || share < 0.2) return []
    const scan = plan.nodes.find((one) => one.id >= node.id && one.relation !== '')
    return [
      {
        code: 'CORRELATED_SUBPLAN',
        severity: 'warning',
        ...(scan === undefined ? {} : subjectOf(scan)),
        message: `a sub-query (${nodeLabel(node)}) runs ${count(node.loops)} times, once a row: ${milliseconds(node.wallMs)}, ${percent(Math.min(1, share))} of the time`,
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
