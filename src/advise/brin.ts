import { conjuncts } from '../sql/rewrite/condition.js'
import type { PlanNode } from '../measure/plan/plan-node.js'
import type { Candidate, Need } from '../measure/why/need.js'
import { quoted } from '../measure/why/serves-text.js'
import type { Engine } from '../twin/twin.js'

/** Below, a range of blocks holds values from everywhere. */
const leastCorrelation = 0.9
/** Ranges of 128 pages: of fewer than these there is nothing to leave out. */
const leastRanges = 10

const ranges = new Set(['<', '<=', '>', '>=', '='])

/** A brin index for each column that a scan compares and in whose order the rows lie: it takes next to no room and writes. */
export function brinCandidates(need: Need, node: PlanNode, twin: Engine): readonly Candidate[] {
  const table = twin.table(node.schema, node.relation)
  if (table === undefined || table.bytes < leastRanges * 128 * 8192) return []
  const columns = need.conjuncts.flatMap(({ condition }) =>
    conjuncts(condition).flatMap((one) =>
      one.alias === need.alias && one.computed === null && ranges.has(one.operator) ? [one.column] : [],
    ),
  )
  return [...new Set(columns)]
    .filter((column) => Math.abs(twin.correlation(node.schema, node.relation, column) ?? 0) >= leastCorrelation)
    .map((column) => ({
      method: 'brin',
      keys: [quoted(column)],
      where: null,
      serves: [],
      implied: [],
      bounds: [],
      ordered: false,
      equal: 1,
    }))
}
