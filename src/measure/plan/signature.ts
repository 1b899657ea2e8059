import { createHash } from 'node:crypto'
import type { PlanNode } from './plan-node.js'

const longest = 600

/** What stands for an index in a text: its name, or what it is. */
export type IndexNaming = (node: PlanNode) => string

const byName: IndexNaming = ({ index }) => index

/**
 * A short readable text of node types, relations and indexes: `Limit > Index Scan jobs using idx_jobs_status`.
 * No costs, rows or times: two runs of one query plan have the same signature. A very long one (many partitions) is cut
 * and ends with a digest of the whole. With `naming` the indexes are called otherwise than by their names.
 */
export function planSignature(nodes: readonly PlanNode[], naming: IndexNaming = byName): string {
  const root = nodes[0]
  const whole = root === undefined ? '' : nodeSignature(nodes, root, naming)
  if (whole.length <= longest) return whole
  return `${whole.slice(0, longest)}... ${createHash('sha256').update(whole).digest('hex').slice(0, 12)}`
}

/** The same as lines, a node each, with a dot for each level below the first: what people compare. */
export function planLines(nodes: readonly PlanNode[], naming: IndexNaming = byName): readonly string[] {
  const depths: number[] = []
  return nodes.map((node, id) => {
    const depth = node.parent === null ? 0 : (depths[node.parent] ?? 0) + 1
    depths[id] = depth
    return '. '.repeat(depth) + subplanLabel(node) + nodeLabel(node, naming)
  })
}

function nodeSignature(nodes: readonly PlanNode[], node: PlanNode, naming: IndexNaming): string {
  const below = node.children.flatMap((id) => {
    const child = nodes[id]
    return child === undefined ? [] : [subplanLabel(child) + nodeSignature(nodes, child, naming)]
  })
  const [only] = below
  const label = nodeLabel(node, naming)
  if (only === undefined) return label
  return below.length === 1 ? `${label} > ${only}` : `${label} (${below.join(', ')})`
}

/** The number of an InitPlan or SubPlan is left out: it changes with the version of the server. */
function subplanLabel(node: PlanNode): string {
  if (node.subplanName.startsWith('CTE ')) return `${node.subplanName}: `
  return node.relationship === 'InitPlan' || node.relationship === 'SubPlan' ? `${node.relationship}: ` : ''
}

/** As EXPLAIN's text form says it: `Parallel Seq Scan jobs`, `Hash Left Join`, `Index Scan Backward jobs using i`. */
export function nodeLabel(node: PlanNode, naming: IndexNaming = byName): string {
  const index = node.index === '' ? '' : naming(node)
  const words = [
    node.partialMode === 'Simple' ? '' : node.partialMode,
    node.parallel ? 'Parallel' : '',
    typeLabel(node),
    node.backward ? 'Backward' : '',
    node.relation || node.cteName || node.functionName,
    index === '' ? '' : node.relation === '' ? `on ${index}` : `using ${index}`,
  ]
  return words.filter((word) => word !== '').join(' ')
}

function typeLabel(node: PlanNode): string {
  const join = node.joinType === '' || node.joinType === 'Inner' ? '' : ` ${node.joinType}`
  switch (node.type) {
    case 'Nested Loop':
      return `Nested Loop${join === '' ? '' : `${join} Join`}`
    case 'Hash Join':
    case 'Merge Join':
      return `${node.type.slice(0, -' Join'.length)}${join} Join`
    case 'Aggregate':
      return (
        { Hashed: 'HashAggregate', Sorted: 'GroupAggregate', Mixed: 'MixedAggregate' }[node.strategy] ?? 'Aggregate'
      )
    case 'ModifyTable':
      return node.operation
    default:
      return node.type
  }
}
