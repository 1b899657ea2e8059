import type { Session } from '../../server/session/session.js'
import type { QueryPlan } from '../plan/query-plan.js'
import type { Limits } from '../sample/limits.js'
import { refuseAborted } from '../sample/sample.js'
import { median, medianInterval, narrowRatio, speedupInTurns, type MedianInterval } from '../sample/statistics.js'
import type { Subject } from '../sample/subject.js'
import { hiddenRuns } from './hidden.js'

/** A statement with these indexes hidden. */
export interface Arm {
  readonly oids: readonly number[]
  /** The samples of each round. */
  readonly rounds: number[][]
  readonly planningMs: number[]
  latest: QueryPlan | null
}

export function newArm(oids: readonly number[]): Arm {
  return { oids, rounds: [], planningMs: [], latest: null }
}

/** Of one arm in one round, at most; of arms that lie far apart, which end after a few rounds, less. */
const turnSamples = 5
const farSamples = 2
/**
 * A turn of a slow statement ends after it: what the machine does meanwhile shall meet all arms of a round alike. Less where the budget would
 * give too few rounds for an interval, in both visits. Hiding and showing an index again takes 3 ms.
 */
const turnMs = 120
const hopedRounds = 4
/** Of a visit; of two they are enough for an interval. */
const leastRounds = 3
/** A statement that takes longer needs no warm-up in each turn: hiding an index empties caches of the planner, not of the table. */
const warmMs = 5

/** So many samples suffice of an arm whose interval lies so many times away from that of the first arm, in rounds enough for the interval of their ratio: narrower ones would say nothing else. */
const leastApart = 10
const apart = 2

/**
 * Samples of all arms of one statement in rounds, in random order in each: no drift can tell one arm from another. The first arm is what the
 * others are compared with. Ends when each has enough (the most samples; Limits.leastSamples and a ratio to the first known within 10 %; or far from
 * the first) or the budget of all arms together is spent. To be called in two visits, with other statements between them: what a machine does for seconds changes the ratio
 * itself (that of a scan and a look-up by half within a minute, bench/results.md), and the rounds of one visit would agree on what holds for that moment alone. Returns false when an index
 * is being built: no transaction may stay open beside it. Throws the server's errors.
 */
export async function takeTurns(
  session: Session,
  subject: Subject,
  arms: readonly Arm[],
  budgetMs: number,
  limits: Limits,
): Promise<boolean> {
  const start = performance.now()
  const again = arms.some(({ rounds }) => rounds.length > 0)
  const mostMs = Math.min(turnMs, budgetMs / hopedRounds / arms.length)
  for (let round = 0; ; round += 1) {
    const far = (again || round > 0) && seemFar(arms)
    if (round >= leastRounds && (allComplete(arms, limits) || (far && !again))) return true
    const most = far ? farSamples : turnSamples
    for (const arm of shuffled(arms)) {
      refuseAborted(limits.signal)
      if (!(await takeTurn(session, subject, arm, most, mostMs, limits))) return false
    }
    const spentMs = performance.now() - start
    if (spentMs + spentMs / (round + 1) > budgetMs) return true
  }
}

async function takeTurn(
  session: Session,
  subject: Subject,
  arm: Arm,
  most: number,
  mostMs: number,
  limits: Limits,
): Promise<boolean> {
  const start = performance.now()
  let warm = arm.rounds.length > 0 && median(arm.rounds.flat()) > warmMs
  const samples: number[] = []
  arm.rounds.push(samples)
  return hiddenRuns(session, subject, arm.oids, 'sample', most + (warm ? 0 : 1), limits, (plan) => {
    if (warm) {
      samples.push(plan.executionMs ?? 0)
      arm.planningMs.push(plan.planningMs)
      arm.latest = plan
    }
    warm = true
    return performance.now() - start < mostMs || samples.length === 0
  })
}

function allComplete([first, ...others]: readonly Arm[], { samples, leastSamples }: Limits): boolean {
  if (first === undefined) return true
  const interval = ({ rounds }: Arm) => medianInterval(rounds.flat())
  const mine = interval(first)
  const enough = (one: Arm, { samples: taken }: MedianInterval) => {
    const least = Math.min(taken, mine.samples)
    return least >= samples || (least >= leastSamples && narrowRatio(speedupInTurns(first.rounds, one.rounds)))
  }
  const far = (one: Arm, { low, high, samples: taken }: MedianInterval) =>
    Math.min(taken, mine.samples) >= leastApart &&
    (low >= apart * mine.high || mine.low >= apart * high) &&
    speedupInTurns(first.rounds, one.rounds).sound
  if (others.length === 0) return mine.samples >= leastSamples
  return others.every((one) => far(one, interval(one)) || enough(one, interval(one)))
}

/** Their intervals will. */
function seemFar([first, ...others]: readonly Arm[]): boolean {
  const middle = ({ rounds }: Arm) => median(rounds.flat())
  const ratios = first === undefined ? [] : others.map((one) => middle(one) / middle(first))
  return ratios.length > 0 && ratios.every((ratio) => Math.max(ratio, 1 / ratio) > apart * 1.5)
}

function shuffled<T>(values: readonly T[]): readonly T[] {
  return values
    .map((value) => ({ value, rank: Math.random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ value }) => value)
}
