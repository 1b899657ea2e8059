import type { Session } from '../../server/session/session.js'
import type { QueryPlan } from '../plan/query-plan.js'
import type { Limits } from '../sample/limits.js'
import { refuseAborted } from '../sample/sample.js'
import { medianInterval, narrow, tolerance, type MedianInterval } from '../sample/statistics.js'
import type { Block, Subject } from '../sample/subject.js'
import { hiddenRuns } from './hidden.js'

/** A statement with these indexes hidden. */
export interface Arm {
  readonly oids: readonly number[]
  /** Samples of the odd and of the even rounds: what these two differ by is noise. */
  readonly blocks: readonly [number[], number[]]
  readonly planningMs: number[]
  latest: QueryPlan | null
}

export function newArm(oids: readonly number[]): Arm {
  return { oids, blocks: [[], []], planningMs: [], latest: null }
}

export function blocksOfArm({ blocks }: Arm): readonly Block[] {
  return blocks.map((executionMs) => ({ executionMs, controlMs: [] }))
}

/** Of one arm in one round, at most. */
const turnSamples = 5
/** A turn of a slow statement ends after it: what the machine does meanwhile shall meet all arms alike. */
const turnMs = 250
/** A statement that takes longer needs no warm-up in each turn: hiding an index empties caches of the planner, not of the table. */
const warmMs = 5

/** So many samples suffice of an arm whose interval lies so many times away from that of the first arm: narrower ones would say nothing else. */
const leastApart = 10
const apart = 2

/**
 * Samples of all arms of one statement in rounds, in random order in each: no drift can tell one arm from another. The first arm is what the
 * others are compared with. Ends when each has enough (the most samples; Limits.leastSamples and an interval within 10 %; or far from the
 * first) or the budget of all arms together is spent. Returns false when an index is being built: no transaction may stay open beside it.
 * Throws the server's errors.
 */
export async function takeTurns(
  session: Session,
  subject: Subject,
  arms: readonly Arm[],
  budgetMs: number,
  limits: Limits,
): Promise<boolean> {
  const start = performance.now()
  for (let round = 0; ; round += 1) {
    if (allComplete(arms, limits)) return true
    for (const arm of shuffled(arms)) {
      refuseAborted(limits.signal)
      if (!(await takeTurn(session, subject, arm, round, limits))) return false
    }
    const spentMs = performance.now() - start
    if (spentMs + spentMs / (round + 1) > budgetMs) return true
  }
}

async function takeTurn(session: Session, subject: Subject, arm: Arm, round: number, limits: Limits): Promise<boolean> {
  const start = performance.now()
  const samples = arm.blocks[round % 2 === 0 ? 0 : 1]
  let warm = round > 0 && medianInterval(arm.blocks.flat()).median > warmMs
  return hiddenRuns(session, subject, arm.oids, 'sample', turnSamples + (warm ? 0 : 1), limits, (plan) => {
    if (warm) {
      samples.push(plan.executionMs ?? 0)
      arm.planningMs.push(plan.planningMs)
      arm.latest = plan
    }
    warm = true
    return performance.now() - start < turnMs || samples.length === 0
  })
}

function allComplete(arms: readonly Arm[], { samples, leastSamples }: Limits): boolean {
  const [first, ...others] = arms.map(({ blocks }) => medianInterval(blocks.flat()))
  if (first === undefined) return true
  const precise = (one: MedianInterval) =>
    one.samples >= samples || (one.samples >= leastSamples && narrow(one, tolerance))
  const far = (one: MedianInterval) => {
    const least = Math.min(one.samples, first.samples)
    return least >= leastApart && (one.low >= apart * first.high || first.low >= apart * one.high)
  }
  return others.length === 0 ? precise(first) : others.every((one) => far(one) || (precise(one) && precise(first)))
}

function shuffled<T>(values: readonly T[]): readonly T[] {
  return values
    .map((value) => ({ value, rank: Math.random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ value }) => value)
}
