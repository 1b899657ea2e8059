import type { QueryPlan } from '../measure/plan/query-plan.js'
import { skipsIn } from '../twin/suppose/skips.js'
import type { Present } from '../twin/suppose/suppose.js'
import type { Engine, TriedIndex } from '../twin/twin.js'
import type { Weighed } from './asks.js'
import { costAtWorst } from './at-worst.js'
import type { Proposal } from './candidates.js'

/** A proposal that was built on the twin. */
export interface Option extends Proposal {
  readonly tried: TriedIndex
}

/** What a query costs with a set of indexes, and which of them its query plan uses. */
export interface Outcome {
  readonly cost: number
  /** The same where its LIMIT ends nothing early. */
  readonly worst: number
  readonly used: readonly string[]
}

/** A query has to gain so much of its cost, and so many units of it: below, the planner's estimates mean nothing. */
const [leastShare, leastUnits] = [0.2, 50]

/** Where query plans come from. */
export interface Look {
  readonly twin: Engine
  /** The source is of 18 or later and skips through a btree whose first key is not compared, as the twin does. */
  readonly skips: boolean
}

/** Of all queries. */
export type Outcomes = ReadonlyMap<Weighed, Outcome>

export function outcomeOf({ twin }: Look, plan: QueryPlan): Outcome {
  return { cost: plan.cost, worst: costAtWorst(plan), used: twin.indexesOf(plan) }
}

/** The weighted cost. */
export function totalOf(outcomes: Outcomes): number {
  return [...outcomes].reduce((sum, [{ weight }, { cost }]) => sum + weight * cost, 0)
}

export function uses({ used }: Outcome, { tried }: Option): boolean {
  return tried.names.some((name) => used.includes(name))
}

/** Some query gains what counts. */
export function enough(before: Outcomes, after: Outcomes): boolean {
  return [...before].some(([query, { cost }]) => worthwhile(cost, after.get(query)?.cost ?? cost))
}

/** What queries may cost more than now where their LIMIT ends nothing early, weighted. */
export function riskOf(outcomes: Outcomes): number {
  return [...outcomes].reduce(
    (sum, [{ weight, present }, { worst }]) => sum + weight * Math.max(0, worst - present.here.cost),
    0,
  )
}

/** The gain of one query counts. */
export function worthwhile(before: number, after: number): boolean {
  const saved = before - after
  return saved >= leastUnits && saved >= leastShare * before
}

/** Whether an index can change the query plan of a query at all: that reads its table, and compares, joins, sorts or groups by one of its keys. */
export function concerns({ twin }: Look, { present }: Weighed, options: readonly Option[]): boolean {
  return options.some(({ table, definition }) => {
    if (!twin.reads(present.here, table)) return false
    const text = askedBy(present)
    return definition.keys.some(({ column }) => column === undefined || text.includes(column))
  })
}

const asked = new WeakMap<Present, string>()

function askedBy(present: Present): string {
  const known = asked.get(present)
  if (known !== undefined) return known
  const texts = present.here.nodes.flatMap(({ type, conditions, sortKeys, groupKeys, output }) => [
    ...conditions,
    ...sortKeys,
    ...groupKeys,
    ...(type === 'Aggregate' ? output : []),
  ])
  const text = texts.join('\n')
  asked.set(present, text)
  return text
}

/** The queries of which `anew` is true with these indexes; of the others the outcome is as `before`. Throws the server's errors. */
export async function outcomesWith(
  look: Look,
  set: readonly Option[],
  before: Outcomes,
  anew: (query: Weighed, outcome: Outcome) => boolean = () => true,
): Promise<Outcomes> {
  const { twin, skips } = look
  await twin.show(set.map(({ tried }) => tried))
  const outcomes = new Map(before)
  for (const [query, outcome] of before) {
    if (!anew(query, outcome)) continue
    const plan = await twin.plan(query.present.subject)
    const skipping = !skips && set.some(({ definition, tried }) => skipsIn(plan, definition, tried))
    // What the source cannot do counts as no gain.
    outcomes.set(query, skipping ? { ...outcomeOf(look, query.present.here), used: [] } : outcomeOf(look, plan))
  }
  return outcomes
}
