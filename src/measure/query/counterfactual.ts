import type { Session } from '../../server/session/session.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { tableOf } from '../plan/plan-node.js'
import { planSignature } from '../plan/signature.js'
import { compareMeasurements, type QueryComparison } from '../sample/compare.js'
import { limitsOf, type Limits, type MeasureOptions } from '../sample/limits.js'
import type { Measurement, QueryMeasurement } from '../sample/measurement.js'
import { namesakeOf } from '../sample/namesake.js'
import { inTurns, noiseOfPairs, ownNoise, turnsNoise, type Noise, type NoisePair } from '../sample/noise.js'
import { namingOf, shapeOf } from '../sample/shape.js'
import { failureOf } from '../sample/series.js'
import { median } from '../sample/statistics.js'
import { newArm, takeTurns, type Arm } from './arms.js'
import { attempt } from './finish.js'
import { budgetOf, stoppable } from './budget.js'
import { hiddenRuns, planUses, readHideable, type Hideable } from './hidden.js'

/** What a query with one parameter set takes without one of the indexes that its query plan uses, against what it takes with all. */
export interface Without {
  readonly query: string
  readonly file: string
  readonly params: string | null
  readonly index: { readonly schema: string; readonly name: string }
  readonly comparison: QueryComparison
}

export interface Counterfactual {
  /** With the samples of the run in turns, where that is the same comparison; what was measured before the builds elsewhere. */
  readonly before: readonly QueryMeasurement[]
  readonly after: readonly QueryMeasurement[]
  /** Names and files of the queries whose sides were measured in turns. */
  readonly interleaved: ReadonlySet<QueryMeasurement>
  readonly without: readonly Without[]
  readonly noise: Noise
  /** Those that were left in. */
  readonly notHidden: readonly Hideable[]
  /** Why nothing, or which queries were not measured in turns; null where none failed. */
  readonly stopped: string | null
}

/**
 * Before and after side by side: each query whose query plan uses one of the indexes that were built is run in turns with all of them, with none,
 * and without each that it uses, by hiding them for a transaction (hiddenRuns). Arms that get the same query plan are one. Queries that write,
 * variants, and queries whose query plan without the new indexes is not the one of before (an index was replaced, statistics changed) keep the
 * samples of before. The session must be a superuser's. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function interleave(
  session: Session,
  built: readonly { readonly schema: string; readonly name: string }[],
  before: readonly QueryMeasurement[],
  after: readonly QueryMeasurement[],
  options: MeasureOptions,
): Promise<Counterfactual> {
  const limits = limitsOf({ ...options, blocks: 1 })
  return stoppable(session, limits.signal, async () => {
    const looked = await lookedUp(readHideable(session, built, limits), limits)
    const known = typeof looked === 'string' ? [] : looked
    const work = { session, limits, hideable: known.filter(({ reason }) => reason === null) }
    const budget = budgetOf(limits, visits)
    const wanted: Taken[] = []
    for (const one of after)
      for (const measured of one.query.variants.length > 0 ? [] : one.measurements) {
        const arms = await armsOf(work, measured)
        if (arms !== null) wanted.push({ one, measured, arms })
      }
    const failed = new Map<Taken, string>()
    for (const [at, each] of Array.from({ length: visits }, () => wanted)
      .flat()
      .entries()) {
      if (failed.has(each)) continue
      const reason = await turns(work, each.arms, budget(visits * wanted.length - at) * each.arms.distinct.length)
      if (reason !== null) failed.set(each, reason)
    }
    const taken = wanted.filter((each) => !failed.has(each))
    return concluded(taken, before, after, known, typeof looked === 'string' ? looked : failedText(failed))
  })
}

function failedText(failed: ReadonlyMap<Taken, string>): string | null {
  const [reason] = failed.values()
  const names = new Set([...failed.keys()].map(({ one }) => one.query.name))
  return reason === undefined ? null : `not measured in turns: ${[...names].join(', ')} (${reason})`
}

/** Or why nothing can be hidden. */
async function lookedUp(reading: Promise<readonly Hideable[]>, limits: Limits): Promise<readonly Hideable[] | string> {
  try {
    return await reading
  } catch (error) {
    return `the indexes to hide could not be looked up: ${failureOf(error, limits).reason}`
  }
}

/** Each statement has its turns twice, with the others between. */
const visits = 2

interface Work {
  readonly session: Session
  readonly limits: Limits
  readonly hideable: readonly Hideable[]
}

interface Arms {
  readonly subject: NonNullable<Measurement['subject']>
  readonly all: Side
  readonly none: Side
  readonly without: readonly (Side & { readonly index: Hideable })[]
  readonly distinct: readonly Arm[]
}

interface Side {
  readonly arm: Arm
  readonly plan: QueryPlan
}

interface Taken {
  readonly one: QueryMeasurement
  readonly measured: Measurement
  readonly arms: Arms
}

/** null where there is nothing to hide, or the query cannot be planned without. */
async function armsOf({ session, limits, hideable }: Work, measured: Measurement): Promise<Arms | null> {
  const { subject, plan, status } = measured
  const used = hideable.filter((index) => planUses(plan, index))
  if (status !== 'measured' || subject === undefined || subject.writes || used.length === 0) return null
  const tables = new Set(plan?.nodes.map(tableOf))
  const near = hideable.filter(({ leaves }) => leaves.some(({ table }) => tables.has(table)))
  const byShape = new Map<string, Arm>()
  const side = async (hidden: readonly Hideable[]): Promise<Side | null> => {
    const oids = hidden.flatMap(({ leaves }) => leaves.map(({ oid }) => oid))
    let planned: QueryPlan | null = null
    const look = hiddenRuns(session, subject, oids, 'plain', 1, limits, (each) => {
      planned = each
      return true
    })
    if ((await attempt(look, limits)) !== true || planned === null) return null
    const shape = planSignature((planned as QueryPlan).nodes, namingOf(measured.indexes))
    const arm = byShape.get(shape) ?? newArm(oids)
    byShape.set(shape, arm)
    return { arm, plan: planned }
  }
  const all = await side([])
  const none = await side(near)
  if (all === null || none === null) return null
  const without: (Side & { readonly index: Hideable })[] = []
  for (const index of used) {
    const one = near.length === 1 ? none : await side([index])
    if (one !== null) without.push({ ...one, index })
  }
  return { subject, all, none, without, distinct: [...byShape.values()] }
}

/** null when the arms have their samples, else why not. */
async function turns({ session, limits }: Work, arms: Arms, budgetMs: number): Promise<string | null> {
  try {
    const done = await takeTurns(session, arms.subject, arms.distinct, budgetMs, limits)
    return done ? null : 'an index is being built in this database, and no transaction may stay open beside it'
  } catch (error) {
    return failureOf(error, limits).reason
  }
}

function concluded(
  taken: readonly Taken[],
  before: readonly QueryMeasurement[],
  after: readonly QueryMeasurement[],
  known: readonly Hideable[],
  stopped: string | null,
): Counterfactual {
  const enough = taken.filter(({ arms }) => arms.distinct.every(({ latest }) => latest !== null))
  const noise = noiseOfPairs(armPairs(enough))
  const interleaved = new Set<QueryMeasurement>()
  const others = new Map<Measurement, Measurement>()
  for (const { one, measured, arms } of enough) {
    const earlier = namesakeOf(before, one.query)?.measurements.find(({ params }) => params === measured.params)
    if (earlier === undefined || planSignature(arms.none.plan.nodes, namingOf(measured.indexes)) !== shapeOf(earlier))
      continue
    others.set(earlier, sampledBy(arms.none.arm, earlier))
    others.set(measured, sampledBy(arms.all.arm, measured))
    interleaved.add(one)
  }
  const swapped = (side: readonly QueryMeasurement[]) => {
    return side.map((one) => ({ ...one, measurements: one.measurements.map((each) => others.get(each) ?? each) }))
  }
  const swappedAfter = swapped(after)
  return {
    before: swapped(before),
    after: swappedAfter,
    interleaved: new Set(swappedAfter.filter((_, at) => after[at] !== undefined && interleaved.has(after[at]))),
    without: enough.flatMap(({ one, measured, arms }) =>
      arms.without.map(({ arm, plan, index: { schema, name } }) => ({
        query: one.query.name,
        file: one.query.place.file,
        params: measured.params,
        index: { schema, name },
        comparison: compareMeasurements(
          { ...sampledBy(arm, measured), plan },
          sampledBy(arms.all.arm, measured),
          noise.floor,
        ),
      })),
    ),
    noise,
    notHidden: known.filter(({ reason }) => reason !== null),
    stopped,
  }
}

/**
 * Of each side and the first one what odd and even rounds say. Sides that ended early, far from each other, have too few rounds for that: where there
 * is no other pair, what odd and even rounds of one side differ by.
 */
function armPairs(taken: readonly Taken[]): readonly NoisePair[] {
  const inRounds = taken.flatMap(({ one, measured, arms: { distinct } }) => {
    const [first, ...others] = distinct.map((arm) => sampledBy(arm, measured))
    return others.flatMap((other): readonly NoisePair[] => {
      const turns = first === undefined ? null : inTurns(first, other)
      return turns === null ? [] : [{ query: one.query.name, of: 'turns', ratio: turnsNoise(turns) }]
    })
  })
  if (inRounds.length > 0) return inRounds
  return taken.flatMap(({ one, measured, arms: { distinct } }) =>
    distinct
      .map((arm) => sampledBy(arm, measured))
      .filter(({ blocks = [] }) => blocks.every(({ executionMs }) => executionMs.length >= 3))
      .map((side) => ({ query: one.query.name, of: 'blocks' as const, ratio: ownNoise(side) })),
  )
}

function sampledBy(arm: Arm, measured: Measurement): Measurement {
  const { latest, rounds } = arm
  const blocks = [0, 1].map((rest) => ({
    executionMs: rounds.filter((_, round) => round % 2 === rest).flat(),
    controlMs: [],
  }))
  return {
    ...measured,
    status: 'measured',
    executionMs: rounds.flat(),
    controlMs: [],
    blocks,
    rounds,
    planningMs: median(arm.planningMs),
    rows: latest?.rows ?? measured.rows,
    buffers: latest?.buffers ?? measured.buffers,
  }
}
