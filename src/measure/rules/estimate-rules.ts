import { conditionColumns } from '../plan/columns.js'
import { count, tableOf, type PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { ancestors, blocksOf, milliseconds, nodeAt, shareOf, subjectOf, type Rule } from './rule.js'
import { percent } from '../../text/amounts.js'
import { nodeLabel } from '../plan/signature.js'

/**
 * MISESTIMATE: the planner guessed 10 times too many or too few rows, of 100 or more; told of the deepest node, where
 * it starts. Nodes that were stopped early (below Limit, inner side of a semi-join) returned fewer rows by right, and of
 * what comes from CTEs and functions alone nobody can give the planner numbers.
 */
export const misestimate: Rule = ({ plan, versionNum }) => {
  const wrong = new Set(
    plan.nodes.filter(
      (node) => factorOf(node, versionNum) >= 10 && !stoppedEarly(plan, node) && readsTable(plan, node),
    ),
  )
  const above = new Set([...wrong].flatMap((node) => ancestors(plan, node)))
  return [...wrong]
    .filter((node) => !above.has(node))
    .map((counted) => {
      const node = gathered(plan, counted)
      const factor = factorOf(counted, versionNum)
      const way = counted.estimatedRows > counted.rowsPerLoop ? 'too many' : 'too few'
      return {
        code: 'MISESTIMATE',
        severity: factor >= 100 ? ('warning' as const) : ('info' as const),
        ...subjectOf(node),
        node: node.id,
        message: `the planner expected ${count(counted.estimatedRows)} rows of ${nodeLabel(node)} and got ${count(counted.rowsPerLoop)}: ${count(factor)} times ${way}`,
        hint: statisticsAdvice(node),
      }
    })
}

/** The node whose rows a Gather counts: those of one process are rounded, and no join is between. */
function gathered(plan: QueryPlan, node: PlanNode): PlanNode {
  const below = node.type.startsWith('Gather') || node.type === 'Sort' ? nodeAt(plan, node.children[0]) : undefined
  return below === undefined ? node : gathered(plan, below)
}

/**
 * NESTED_LOOP: the inner side runs 1,000 times or more and takes 30 % of the time or more. To look up a few blocks by an
 * index is what a nested loop is for, unless the planner expected a tenth of the outer rows or fewer.
 */
export const nestedLoop: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const outer = nodeAt(
      plan,
      node.children.find((id) => plan.nodes[id]?.relationship === 'Outer'),
    )
    const inner = nodeAt(
      plan,
      node.children.find((id) => plan.nodes[id]?.relationship === 'Inner'),
    )
    if (node.type !== 'Nested Loop' || outer === undefined || inner === undefined) return []
    const share = shareOf(plan, inner.wallMs)
    if (share === null || inner.loops < 1000 || share < 0.3) return []
    const scanned = firstScan(plan, inner)
    // Without BUFFERS nobody knows what a look-up reads: rows do instead.
    const cost = plan.options.buffers ? blocksOf(inner) : inner.rows + inner.removedByFilter
    const lookup = scanned.index !== '' && cost <= lookupBlocks * inner.loops
    const underestimated = outer.rowsPerLoop >= 10 * Math.max(1, outer.estimatedRows)
    if (lookup && !underestimated) return []
    return [
      {
        code: 'NESTED_LOOP',
        severity: 'warning',
        ...subjectOf(scanned),
        ...(underestimated || scanned.index !== '' || scanned.relation === '' ? {} : { node: scanned.id }),
        message: `Nested Loop runs ${nodeLabel(inner)} ${count(inner.loops)} times: ${milliseconds(inner.wallMs)}, ${percent(share)} of the time`,
        hint: underestimated
          ? `the planner expected ${count(outer.estimatedRows)} rows of ${nodeLabel(outer)} and got ${count(outer.rowsPerLoop)}: correct that first (analyze, create statistics)`
          : loopAdvice(node, scanned),
      },
    ]
  })

/** A descent of an index, its leaf and the row's block. */
const lookupBlocks = 8

function readsTable(plan: QueryPlan, node: PlanNode): boolean {
  if (node.relation !== '') return true
  return node.children.some((id) => {
    const child = plan.nodes[id]
    return child !== undefined && child.relationship !== 'InitPlan' && readsTable(plan, child)
  })
}

const noEstimate = ['Bitmap Index Scan', 'BitmapAnd', 'BitmapOr', 'ModifyTable']

/** 1 where the numbers say nothing. */
function factorOf(node: PlanNode, versionNum: number): number {
  if (node.loops === 0 || node.rows < 100 || noEstimate.includes(node.type)) return 1
  // Before 18 rows of one loop are rounded to a whole number.
  if (versionNum < 180_000 && node.loops > 1 && node.rowsPerLoop < 5) return 1
  const estimated = Math.max(1, node.estimatedRows)
  const actual = Math.max(1, node.rowsPerLoop)
  return Math.max(estimated, actual) / Math.min(estimated, actual)
}

/** An aggregate of rows in order gives each group when it is complete. */
function blocks({ type, strategy }: PlanNode): boolean {
  return type === 'Sort' || type === 'Hash' || (type === 'Aggregate' && strategy !== 'Sorted')
}

/** Below a Limit or the inner side of a semi-join, with nothing between that reads to the end. */
export function stoppedEarly(plan: QueryPlan, node: PlanNode): boolean {
  let below = node
  for (const ancestor of ancestors(plan, node)) {
    if (ancestor.type === 'Limit') return true
    // A merge join ends with the shorter of its sides.
    if (ancestor.type === 'Merge Join' && below.estimatedRows > below.rowsPerLoop) return true
    if (below.relationship === 'Inner' && ['Semi', 'Anti'].includes(ancestor.joinType)) return true
    if (blocks(ancestor) || below.relationship === 'InitPlan') return false
    below = ancestor
  }
  return false
}

function statisticsAdvice(node: PlanNode): string {
  const table = tableOf(node)
  if (table === '') return 'analyze the tables below it; then look at its conditions'
  const { equal, other, computed } = conditionColumns(`${node.indexCondition} ${node.filter}`, node.alias)
  const columns = [...new Set([...equal, ...other])]
  if (computed.length > 0) {
    return `analyze ${table}; a condition computes with ${computed.join(', ')}: an index on that expression, or create statistics on it, gives the planner numbers`
  }
  if (columns.length > 1)
    return `analyze ${table}; if it stays: create statistics on ${columns.join(', ')} from ${table}`
  const [column] = columns
  if (column === undefined) return `analyze ${table}`
  return `analyze ${table}; if it stays: alter table ${table} alter column ${column} set statistics 1000, and analyze again`
}

function firstScan(plan: QueryPlan, node: PlanNode): PlanNode {
  let at = node
  while (at.relation === '') {
    const child = nodeAt(plan, at.children[0])
    if (child === undefined) return node
    at = child
  }
  return at
}

function loopAdvice(loop: PlanNode, scanned: PlanNode): string {
  const table = tableOf(scanned)
  if (scanned.index !== '')
    return `${scanned.index} is read once a row: fewer outer rows, or a query that lets a hash join do it`
  const condition = `${loop.joinCondition} ${scanned.filter}`
  const { equal, other } = conditionColumns(condition, scanned.alias)
  const columns = [...equal, ...other]
  if (table === '' || columns.length === 0) return 'an index on the join column of the inner side'
  return `an index on ${table} (${columns.join(', ')}), the join column of the inner side`
}
