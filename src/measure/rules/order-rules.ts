import { type PlanNode, count, tableOf } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { nodeAt, subjectOf, type Rule } from './rule.js'
import { nodeLabel } from '../plan/signature.js'

/** LARGE_OFFSET: Limit reads 1,000 rows or more, and 10 times as many as it returns. */
export const largeOffset: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const input = nodeAt(plan, node.children[0])
    if (node.type !== 'Limit' || input === undefined || input.rows < 1000 || input.rows < 10 * node.rows) return []
    return [
      {
        code: 'LARGE_OFFSET',
        severity: 'warning',
        ...subjectOf(input),
        message: `OFFSET reads ${count(input.rows)} rows to return ${count(node.rows)}`,
        hint: 'ask for what comes after the last row that was shown: where (key) > (last key) order by key limit n',
      },
    ]
  })

/** TOPN_SORT: 10,000 rows or more are read and sorted for the few at the top. */
export const topnSort: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const input = nodeAt(plan, node.children[0])
    if (input === undefined || input.rows < 10_000) return []
    // 18 says `still in progress` of some sorts that Limit stopped asking.
    const limited = node.type === 'Sort' && nodeAt(plan, node.parent)?.type === 'Limit' && node.rows * 10 <= input.rows
    if (!limited && !node.sortMethod.startsWith('top-N')) return []
    const scan = scanBelow(plan, input)
    const keys = node.sortKeys.join(', ')
    return [
      {
        code: 'TOPN_SORT',
        severity: 'info',
        ...(scan === undefined ? {} : subjectOf(scan)),
        message: `${count(input.rows)} rows are sorted by ${keys} for the first ${count(node.rows)}`,
        hint:
          scan === undefined
            ? `an index that gives the order (${keys}) would read no more than that`
            : `an index on ${tableOf(scan)} that ends with ${keys} would read no more than that`,
      },
    ]
  })

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
