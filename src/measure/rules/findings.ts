import type { Place } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import { misestimate, nestedLoop } from './estimate-rules.js'
import { correlatedSubplan, joinCast, joinFilter, joinRowsRemoved, memoize } from './join-rules.js'
import { largeOffset, largeResult, tempIo, topnSort } from './order-rules.js'
import { jit, planningDominates, spill, workersMissing } from './resource-rules.js'
import type { Evidence, Rule, RuleFinding } from './rule.js'
import { missingOptions } from './missing-options.js'
import { perTable } from './partition-rules.js'
import {
  coldCache,
  costSettings,
  disabledNode,
  ioBound,
  serialization,
  settings,
  triggerTime,
  walHeavy,
} from './run-rules.js'
import {
  cteRowsRemoved,
  heapFetches,
  indexRecheck,
  lossyBitmap,
  rowsRemoved,
  seqScan,
  seqScanOk,
  skipScan,
} from './scan-rules.js'

const rules: readonly Rule[] = [
  seqScan,
  rowsRemoved,
  cteRowsRemoved,
  joinRowsRemoved,
  joinCast,
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
  costSettings,
  disabledNode,
  seqScanOk,
  missingOptions,
]

/**
 * What is wrong with a query plan that ran: each finding with the numbers that triggered it. Thresholds come from
 * pev2, depesz's Hinter and postgres.ai's Joe; nodes that never ran trigger nothing. What the partitions of one table have in common is one
 * finding.
 */
export function ruleFindings(evidence: Evidence): readonly RuleFinding[] {
  return perTable(
    evidence.plan,
    rules.flatMap((rule) => rule(evidence)),
  )
}

/** The same as findings of a query. */
export function planFindings(
  evidence: Evidence,
  query: { readonly name: string; readonly place: Place },
): readonly Finding[] {
  return ruleFindings(evidence).map((found) => ofQuery(found, query))
}

export function ofQuery(
  found: RuleFinding,
  { name, place }: { readonly name: string; readonly place: Place },
): Finding {
  const { node: _, ...rest } = found
  return { ...rest, query: name, place }
}
