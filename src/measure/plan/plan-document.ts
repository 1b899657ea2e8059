import type { ResultPlanNode } from '../../result/documents/result.js'
import type { PlanNode } from './plan-node.js'
import type { QueryPlan } from './query-plan.js'
import { nodeLabel } from './signature.js'

// A condition of a thousand constants explains nothing more than its beginning.
const longest = 300

/** The query plan as the document has it: its nodes in pre-order, each with its depth; null when there is none. */
export function planDocument(plan: QueryPlan | null): ResultPlanNode[] | null {
  if (plan === null || plan.nodes.length === 0) return null
  const depths: number[] = []
  return plan.nodes.map((node) => {
    const depth = node.parent === null ? 0 : (depths[node.parent] ?? 0) + 1
    depths[node.id] = depth
    const conditions = conditionsOf(node)
    return {
      depth,
      node: [...(node.subplanName === '' ? [] : [`${node.subplanName}:`]), nodeLabel(node)].join(' '),
      estimated_rows: node.estimatedRows,
      rows: node.rowsPerLoop,
      loops: node.loops,
      self_ms: Math.round(node.selfMs * 1000) / 1000,
      buffers: node.buffers.hit + node.buffers.read,
      ...(conditions.length === 0 ? {} : { conditions }),
    }
  })
}

/** As EXPLAIN's text form says them. */
function conditionsOf(node: PlanNode): string[] {
  const joins = node.joinCondition === node.joinFilter ? '' : node.joinCondition
  return [
    ...labelled('Index Cond', node.indexCondition),
    ...labelled('Join Cond', joins),
    ...labelled('Join Filter', node.joinFilter),
    ...labelled('Filter', node.filter),
    ...labelled('Sort Key', node.sortKeys.join(', ')),
    ...(node.removedByFilter > 0 ? [`Rows Removed by Filter: ${Math.round(node.removedByFilter)}`] : []),
  ]
}

function labelled(name: string, text: string): readonly string[] {
  if (text === '') return []
  return [`${name}: ${text.length <= longest ? text : `${text.slice(0, longest)}...`}`]
}
