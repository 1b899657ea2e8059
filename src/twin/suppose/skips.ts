import type { Definition } from '../../definition/definition.js'
import type { QueryPlan } from '../../measure/plan/query-plan.js'
import type { TriedIndex } from '../twin.js'

/** The first server that skips through a btree from one value of its first key to the next, as the twin does. */
export const skipsFrom = 180_000

/** Whether a query plan searches a tried btree without its first key: a source before 18 cannot. */
export function skipsIn({ nodes }: QueryPlan, { method, keys }: Definition, { names }: TriedIndex): boolean {
  const first = keys[0]?.column
  if (method !== 'btree' || first === undefined) return false
  return nodes.some(
    ({ index, indexCondition }) => names.includes(index) && indexCondition !== '' && !indexCondition.includes(first),
  )
}
