import type { Definition } from '../definition/definition.js'
import type { WritePrice } from './write-price.js'
import type { Present } from '../twin/suppose.js'
import { enough, outcomesWith, totalOf, uses, type Look, type Option, type Outcomes, type Weighed } from './outcomes.js'

export interface Chosen {
  readonly option: Option
  /** What would be lost without it, in weighted cost. */
  readonly worth: number
  /** What the queries that write to its table pay for it, in weighted cost; less than it is worth. */
  readonly writePrice: number
  readonly serves: readonly { readonly present: Present; readonly before: number; readonly after: number }[]
  /** For the same queries, tried and not chosen, best first, with the weighted cost that each would save alone. */
  readonly rejected: readonly { readonly option: Option; readonly saves: number }[]
}

export interface Choice {
  readonly chosen: readonly Chosen[]
  readonly before: number
  readonly after: number
  /** Of each query, with the chosen. */
  readonly outcomes: Outcomes
}

export interface ChoiceOptions {
  readonly priceOf: WritePrice
  readonly mostIndexes: number
  readonly mostBytes: number
}

/** Of indexes that save about as much the smallest is taken. */
const aboutAsMuch = 0.95

/**
 * The indexes that save most, over all queries together: the best first, then the best beside it, until none saves enough; then those that the
 * later ones made useless are taken out again. Each is judged by the planner on the twin. Throws the server's errors.
 */
export async function chooseIndexes(
  look: Look,
  options: readonly Option[],
  queries: readonly Weighed[],
  { mostIndexes, mostBytes, priceOf }: ChoiceOptions,
): Promise<Choice> {
  const present: Outcomes = new Map(queries.map((one) => [one, { cost: one.present.here.cost, used: [] }]))
  const solo = new Map<Option, number>()
  const helps = new Map<Option, ReadonlySet<Weighed>>()
  for (const option of options) {
    const outcomes = await outcomesWith(look, [option], present, option.table)
    solo.set(option, enough(present, outcomes) ? totalOf(present) - totalOf(outcomes) - priceOf(option) : 0)
    helps.set(option, new Set([...outcomes].filter(([, outcome]) => uses(outcome, option)).map(([query]) => query)))
  }
  const from = {
    look,
    present,
    solo: new Map([...solo].filter(([, saved]) => saved > 0)),
    priceOf,
    mostIndexes,
    mostBytes,
  }
  const best = await greedy(from, (_, saved) => saved)
  // Where the size bounds it, several small ones may save more than the large one that would fill it.
  const dense = best.bounded ? await greedy(from, ({ tried }, saved) => saved / Math.max(1, tried.sizeBytes)) : best
  const { chosen } = totalOf(dense.outcomes) < totalOf(best.outcomes) ? dense : best
  const kept = await withoutUseless(look, chosen, present, priceOf)
  const after = await outcomesWith(look, kept, present, null)
  const used = kept.filter((option) => [...after.values()].some((outcome) => uses(outcome, option)))
  const found: Chosen[] = []
  for (const option of used) {
    const rest = used.filter((one) => one !== option)
    const without = await outcomesWith(look, rest, after, option.table)
    const served = [...after].filter(([, outcome]) => uses(outcome, option))
    found.push({
      option,
      worth: totalOf(without) - totalOf(after),
      writePrice: priceOf(option),
      serves: served.map(([{ present: query }, { cost }]) => ({
        present: query,
        before: query.here.cost,
        after: cost,
      })),
      rejected: options
        .filter((one) => !used.includes(one) && served.some(([query]) => helps.get(one)?.has(query) === true))
        .map((one) => ({ option: one, saves: solo.get(one) ?? 0 }))
        .toSorted((one, other) => other.saves - one.saves),
    })
  }
  const sorted = found.toSorted((one, other) => other.worth - one.worth)
  return { chosen: sorted, before: totalOf(present), after: totalOf(after), outcomes: after }
}

/** The keys of the one begin with all keys of the other, which is then redundant beside it, and refused as such by plan. */
function beginsWith({ definition: wide }: Option, { definition: narrow }: Option): boolean {
  const texts = ({ keys }: Definition) => keys.map((key) => JSON.stringify(key))
  const [own, other] = [texts(wide), texts(narrow)]
  return (
    shortTable(wide) === shortTable(narrow) &&
    wide.method === 'btree' &&
    narrow.method === 'btree' &&
    wide.predicate === narrow.predicate &&
    other.every((key, at) => own[at] === key) &&
    narrow.include.every((column) => wide.include.includes(column) || wide.keys.some((key) => key.column === column))
  )
}

function shortTable({ table }: Definition): string {
  return `${table.schema}.${table.name}`
}

/** What a choice begins with. */
interface Start extends ChoiceOptions {
  readonly look: Look
  readonly present: Outcomes
  /** What each saves alone. */
  readonly solo: ReadonlyMap<Option, number>
}

/** By what an index is taken before another one, of it and what it saves beside those that were taken before. */
type Rank = (option: Option, saved: number) => number

/** The best beside those that were taken already, until none saves enough. `bounded`: one was left out for its size. */
async function greedy(
  { look, present, solo, priceOf, mostIndexes, mostBytes }: Start,
  rank: Rank,
): Promise<{ readonly chosen: readonly Option[]; readonly outcomes: Outcomes; readonly bounded: boolean }> {
  const known = new Map(solo)
  let chosen: readonly Option[] = []
  let outcomes = present
  let bounded = false
  while (chosen.length < mostIndexes && known.size > 0) {
    const taken = chosen
    for (const option of known.keys()) if (taken.some((one) => beginsWith(one, option))) known.delete(option)
    const room = mostBytes - chosen.reduce((sum, { tried }) => sum + tried.sizeBytes, 0)
    const large = [...known.keys()].filter(({ tried }) => tried.sizeBytes > room)
    for (const option of large) known.delete(option)
    bounded ||= large.length > 0
    const next = await bestBeside(look, chosen, outcomes, known, { priceOf, rank })
    if (next === null) break
    known.delete(next.option)
    chosen = [...chosen, next.option]
    outcomes = next.outcomes
  }
  return { chosen, outcomes, bounded }
}

/**
 * What an index saves beside others is no more than what it saved beside fewer, nearly always: only the best by that is looked at again, until it
 * stays the best.
 */
async function bestBeside(
  look: Look,
  chosen: readonly Option[],
  current: Outcomes,
  known: Map<Option, number>,
  { priceOf, rank }: { readonly priceOf: WritePrice; readonly rank: Rank },
): Promise<{ readonly option: Option; readonly outcomes: Outcomes } | null> {
  const looked = new Map<Option, Outcomes>()
  for (;;) {
    const sorted = [...known]
      .map(([option, saved]) => [option, rank(option, saved)] as const)
      .toSorted(([, one], [, other]) => other - one)
    const [best] = sorted
    if (best === undefined) return null
    // Those that may save about as much are looked at too: a smaller one may be among them.
    const unsure = sorted.find(([option, saves]) => saves >= best[1] * aboutAsMuch && !looked.has(option))
    if (unsure === undefined) {
      const equal = sorted.filter(([, saves]) => saves >= best[1] * aboutAsMuch).map(([option]) => option)
      const [option] = equal.toSorted((one, other) => one.tried.sizeBytes - other.tried.sizeBytes)
      const outcomes = option === undefined ? undefined : looked.get(option)
      return option === undefined || outcomes === undefined ? null : { option, outcomes }
    }
    const [option] = unsure
    const outcomes = await outcomesWith(look, [...chosen, option], current, option.table)
    looked.set(option, outcomes)
    const saved = totalOf(current) - totalOf(outcomes) - priceOf(option)
    if (enough(current, outcomes) && saved > 0) known.set(option, saved)
    else known.delete(option)
  }
}

/** Without those whose absence costs no query what counts, or less than writes pay for them. */
async function withoutUseless(
  look: Look,
  chosen: readonly Option[],
  present: Outcomes,
  priceOf: WritePrice,
): Promise<readonly Option[]> {
  let kept = chosen
  let all = await outcomesWith(look, kept, present, null)
  for (const option of chosen) {
    if (kept.some((one) => one !== option && beginsWith(one, option))) {
      kept = kept.filter((one) => one !== option)
      all = await outcomesWith(look, kept, all, option.table)
      continue
    }
    const rest = kept.filter((one) => one !== option)
    const without = await outcomesWith(look, rest, all, option.table)
    if (enough(without, all) && totalOf(without) - totalOf(all) > priceOf(option)) continue
    kept = rest
    all = without
  }
  return kept
}
