import { count, type PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { orderAbove } from './order.js'
import { plainAdvice } from './plain-advice.js'
import { ancestors, nodeAt, shortened, subjectOf, type Rule } from './rule.js'
import { rowsRemoved, seqScan } from './scan-rules.js'
import { nodeLabel } from '../plan/signature.js'

/** LARGE_OFFSET: Limit reads 1,000 rows or more, and 10 times as many as it returns. */
export const largeOffset: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const input = nodeAt(plan, node.children[0])
    if (node.type !== 'Limit' || input === undefined || input.rows < 1000 || input.rows < 10 * node.rows) return []
    const scan = scanBelow(plan, input)
    return [
      {
        code: 'LARGE_OFFSET',
        severity: 'warning',
        ...subjectOf(scan ?? input),
        ...(scan === undefined ? {} : { node: scan.id }),
        message: `OFFSET reads ${count(input.rows)} rows to return ${count(node.rows)}`,
        hint: `${keysetAdvice(input.sortKeys)}; an index on those columns reads no more than that`,
      },
    ]
  })

/** By the keys of the order where they are columns of one direction: `placed_at desc`, `id desc`; an index that gives it is told of by itself. */
export function keysetAdvice(keys: readonly string[]): string {
  const read = keys.map((key) => /^(?:[\w"]+\.)?(\w+)( desc)?$/i.exec(key))
  const names = read.map((key) => key?.[1])
  const down = read.filter((key) => key?.[2] !== undefined).length
  const known = keys.length > 0 && !names.includes(undefined) && (down === 0 || down === keys.length)
  const [first = 'key', ...rest] = known ? names : ['key', 'id']
  const columns = [first, ...rest].join(', ')
  const last = [first, ...rest].map((name) => `last ${name}`).join(', ')
  const order = known && down > 0 ? columns.replaceAll(/(?=,|$)/g, ' desc') : columns
  return `ask for what comes after the last row that was shown: where (${columns}) ${known && down > 0 ? '<' : '>'} (${last}) order by ${order} limit n, the last of them unique (not proven equal: a page cannot be asked for by its number then)`
}

/**
 * TOPN_SORT: 10,000 rows or more are read and sorted for the few at the top. Left out where the scan below has a finding of its own: one
 * index serves both.
 */
export const topnSort: Rule = (evidence) =>
  evidence.plan.nodes.flatMap((node) => {
    const { plan } = evidence
    const input = nodeAt(plan, node.children[0])
    if (input === undefined || input.rows < 10_000) return []
    const limit = ancestors(plan, node).find(({ type }) => type === 'Limit')
    // 18 says `still in progress` of some sorts that Limit stopped asking.
    const limited = node.type === 'Sort' && limit !== undefined && node.rows * 10 <= input.rows
    if (!limited && !node.sortMethod.startsWith('top-N')) return []
    const scan = scanBelow(plan, input)
    if (scan !== undefined && [...seqScan(evidence), ...rowsRemoved(evidence)].some((found) => found.node === scan.id))
      return []
    const keys = node.sortKeys.join(', ')
    return [
      {
        code: 'TOPN_SORT',
        severity: 'info',
        ...(scan === undefined ? {} : { ...subjectOf(scan), node: scan.id }),
        message: `${count(input.rows)} rows are sorted by ${shortened(keys)} for the first ${count(limit?.rows ?? node.rows)}`,
        hint: topnAdvice(plan, node, scan),
      },
    ]
  })

function topnAdvice(plan: QueryPlan, sort: PlanNode, scan: PlanNode | undefined): string {
  if (scan !== undefined && orderAbove(plan, scan) !== null) return plainAdvice(plan, scan)
  const below = descendants(plan, sort)
  if (below.some(({ type }) => type === 'Aggregate' || type === 'WindowAgg'))
    return 'no index gives the order of what is computed over groups: all of them must be known before the first is; keep the totals in a table if it must be quick'
  return below.some(({ type }) => /Join|Nested Loop/.test(type))
    ? 'an index gives it only where one table has all columns of the order, and the join is by nested loops from there'
    : 'no index gives it: the order is of what the query computes'
}

function descendants(plan: QueryPlan, node: PlanNode): readonly PlanNode[] {
  return node.children.flatMap((id) => {
    const child = nodeAt(plan, id)
    return child === undefined ? [] : [child, ...descendants(plan, child)]
  })
}

/** LARGE_RESULT: over 10,000 rows for the client, without LIMIT. */
export const largeResult: Rule = ({ plan }) => {
  const [root] = plan.nodes
  if (root === undefined || root.rows <= 10_000 || plan.nodes.some(({ type }) => type === 'Limit')) return []
  return [
    {
      code: 'LARGE_RESULT',
      severity: 'info',
      message: `${count(root.rows)} rows go to the client`,
      hint: 'LIMIT, a cursor, or an aggregate on the server where the client only adds up',
    },
  ]
}

/** These write temporary files by their own means, which SPILL tells of. */
const sorters = ['Sort', 'Incremental Sort', 'Hash', 'Hash Join', 'Aggregate', 'Gather', 'Gather Merge']

/** TEMP_IO: 16 temporary blocks (128 kB) or more written by a node that neither sorts nor hashes. */
export const tempIo: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const below = node.children.reduce((sum, id) => sum + (plan.nodes[id]?.tempWritten ?? 0), 0)
    const own = node.tempWritten - below
    if (node.spill !== null || sorters.includes(node.type) || own < 16) return []
    return [
      {
        code: 'TEMP_IO',
        severity: 'info',
        message: `${nodeLabel(node)} writes ${count(own)} temporary blocks: what it keeps did not fit in work_mem`,
        hint: 'more work_mem for this role alone, or fewer rows and columns in the CTE or window',
      },
    ]
  })

/** The one table below that the rows come from; undefined when there are several. */
function scanBelow(plan: QueryPlan, node: PlanNode): PlanNode | undefined {
  if (node.relation !== '') return node
  const [only, second] = node.children
  const child = nodeAt(plan, second === undefined ? only : null)
  return child === undefined ? undefined : scanBelow(plan, child)
}
