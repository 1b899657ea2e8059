import type { QueryPlan } from '../measure/plan/query-plan.js'

/** How a query plan of the twin compares with that of its source. */
export interface Likeness {
  /** same: node for node, and the cost within a hundredth; near: node for node, within a tenth; differs: anything else. */
  readonly likeness: 'same' | 'near' | 'differs'
  /** What differs, in words; empty when it is the same. */
  readonly difference: string
}

const [same, near] = [0.01, 0.1]
/** A level of a btree costs 0.125, and one of them is guessed. */
const ofNoWeight = 0.26

/** Compares the present query plans of one query there and on the twin. */
export function likenessOf(there: QueryPlan, here: QueryPlan): Likeness {
  if (there.signature !== here.signature)
    return { likeness: 'differs', difference: `there ${there.signature}; on the twin ${here.signature}` }
  const by = Math.abs(here.cost - there.cost) / Math.max(there.cost, 0.01)
  if (by <= same || Math.abs(here.cost - there.cost) <= ofNoWeight) return { likeness: 'same', difference: '' }
  const difference = `its cost is ${there.cost} there and ${here.cost} on the twin`
  return { likeness: by <= near ? 'near' : 'differs', difference }
}
