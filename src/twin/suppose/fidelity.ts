import { count } from '../../measure/plan/plan-node.js'
import { nodeLabel } from '../../measure/plan/signature.js'
import { gathers, type QueryPlan } from '../../measure/plan/query-plan.js'

/** How a query plan of the twin compares with that of its source. */
export interface Likeness {
  /** same: node for node, costs within a hundredth and rows within a tenth; near: within a tenth, and within half as many rows again; differs: anything else. */
  readonly likeness: 'same' | 'near' | 'differs'
  /** What differs, in words; empty when it is the same. */
  readonly difference: string
}

const [sameCost, nearCost] = [0.01, 0.1]
const [sameRows, nearRows] = [1.1, 1.5]
/** A level of a btree costs 0.125, and one of them is guessed. */
const ofNoWeight = 0.26

/**
 * Compares the present query plans of one query there and on the twin; estimates of rows too, since they decide what another index would be worth where the
 * cost of reading a whole table says nothing of them.
 */
export function likenessOf(there: QueryPlan, here: QueryPlan): Likeness {
  if (there.signature !== here.signature)
    return { likeness: 'differs', difference: `there ${there.signature}; on the twin ${here.signature}` }
  const cost = Math.abs(here.cost - there.cost)
  const costBy = cost <= ofNoWeight ? 0 : cost / Math.max(there.cost, 0.01)
  const rows = there.nodes.map((node, at) => {
    const other = here.nodes[at]?.estimatedRows ?? 0
    // 18 counts the rows of a Gather Merge otherwise than those before; they are those of what is below it.
    if (gathers(node.type)) return { node, other, ratio: 1 }
    const ratio = (Math.max(node.estimatedRows, other) + 2) / (Math.min(node.estimatedRows, other) + 2)
    return { node, other, ratio }
  })
  const worst = rows.toSorted((one, other) => other.ratio - one.ratio)[0]
  const rowsBy = worst?.ratio ?? 1
  if (costBy <= sameCost && rowsBy <= sameRows) return { likeness: 'same', difference: '' }
  const difference =
    worst !== undefined && rowsBy > sameRows
      ? `${nodeLabel(worst.node)} is estimated at ${count(worst.node.estimatedRows)} rows there and ${count(worst.other)} on the twin`
      : `its cost is ${there.cost} there and ${here.cost} on the twin`
  return { likeness: costBy <= nearCost && rowsBy <= nearRows ? 'near' : 'differs', difference }
}
