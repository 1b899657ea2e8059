import type { Place } from '../errors.js'
import type { Finding } from '../plan/plan.js'
import { misestimate, nestedLoop } from './estimate-rules.js'
import { jit, planningDominates, spill, workersMissing } from './resource-rules.js'
import type { Evidence, Rule } from './rule.js'
import { heapFetches, lossyBitmap, rowsRemoved, seqScan } from './scan-rules.js'

const rules: readonly Rule[] = [
  seqScan,
  rowsRemoved,
  misestimate,
  spill,
  heapFetches,
  lossyBitmap,
  nestedLoop,
  jit,
  planningDominates,
  workersMissing,
]

/**
 * What is wrong with a query plan that ran: each finding with the numbers that triggered it. Thresholds come from
 * pev2, depesz's Hinter and postgres.ai's Joe; nodes that never ran trigger nothing.
 */
export function planFindings(
  evidence: Evidence,
  query: { readonly name: string; readonly place: Place },
): readonly Finding[] {
  return rules.flatMap((rule) => rule(evidence)).map((found) => ({ ...found, query: query.name, place: query.place }))
}
