import type { Place } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import { misestimate, nestedLoop } from './estimate-rules.js'
import { correlatedSubplan, joinFilter, memoize } from './join-rules.js'
import { largeOffset, largeResult, tempIo, topnSort } from './order-rules.js'
import { jit, planningDominates, spill, workersMissing } from './resource-rules.js'
import type { Evidence, Rule } from './rule.js'
import { disabledNode, ioBound, coldCache, serialization, settings, triggerTime, walHeavy } from './run-rules.js'
import { heapFetches, indexRecheck, lossyBitmap, rowsRemoved, seqScan, seqScanOk, skipScan } from './scan-rules.js'

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
  joinFilter,
  correlatedSubplan,
  triggerTime,
  ioBound,
  largeOffset,
  topnSort,
  indexRecheck,
  memoize,
  tempIo,
  serialization,
  walHeavy,
  skipScan,
  largeResult,
  coldCache,
  settings,
  disabledNode,
  seqScanOk,
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
