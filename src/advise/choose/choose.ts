import type { WritePrice } from './write-price.js'
import type { Present } from '../../twin/suppose/suppose.js'
import type { Weighed } from '../asks.js'
import { bundlesOf, type Bundle } from './bundles.js'
import { aboutAsMuch, beginsWith, bytesOf, preferred } from './prefer.js'
import { isUsed, swapped } from './swap.js'
import {
  concerns,
  enough,
  outcomeOf,
  outcomesWith,
  totalOf,
  uses,
  type Look,
  type Option,
  type Outcomes,
} from '../outcomes.js'

export interface Chosen {
  readonly option: Option
  /** What would be lost without it, in weighted cost. */
  readonly worth: number
  /** What the queries that write to its table pay for it, in weighted cost; less than it is worth. */
  readonly writePrice: number
  readonly serves: readonly {
    readonly present: Present
    readonly before: number
    readonly after: number
    readonly worst: number
  }[]
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
  const present: Outcomes = new Map(queries.map((one) => [one, outcomeOf(look, one.present.here)]))
  const alone = new Map<Option, Outcomes>()
  for (const option of options)
    alone.set(option, await outcomesWith(look, [option], present, (query) => concerns(look, query, [option])))
  const saves = (bundle: Bundle, outcomes: Outcomes) =>
    enough(present, outcomes) ? totalOf(present) - totalOf(outcomes) - priceOfAll(priceOf, bundle) : 0
  const solo = new Map<Bundle, number>()
  for (const [option, outcomes] of alone) solo.set([option], saves([option], outcomes))
  for (const bundle of await bundlesOf(look, alone, present))
    solo.set(bundle, saves(bundle, await outcomesWith(look, bundle, present, (query) => concerns(look, query, bundle))))
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
  const dense = best.bounded ? await greedy(from, (bundle, saved) => saved / Math.max(1, bytesOf(bundle))) : best
  const { chosen } = totalOf(dense.outcomes) < totalOf(best.outcomes) ? dense : best
  const first = await withoutUseless(look, chosen, present, priceOf)
  const better = await swapped({ look, alone, priceOf, mostBytes }, first, present)
  const kept = better === first ? first : await withoutUseless(look, better, present, priceOf)
  const after = await outcomesWith(look, kept, present)
  const used = kept.filter((option) => [...after.values()].some((outcome) => uses(outcome, option)))
  const found: Chosen[] = []
  for (const option of used) {
    const rest = used.filter((one) => one !== option)
    const without = await outcomesWith(look, rest, after, (_, outcome) => uses(outcome, option))
    const served = [...after].filter(([, outcome]) => uses(outcome, option))
    found.push({
      option,
      worth: totalOf(without) - totalOf(after),
      writePrice: priceOf(option),
      serves: served.map(([{ present: query }, { cost, worst }]) => ({
        present: query,
        before: query.here.cost,
        after: cost,
        worst,
      })),
      rejected: options
        .filter((one) => !used.includes(one) && served.some(([query]) => isUsed(alone, one, query)))
        .map((one) => ({ option: one, saves: saves([one], alone.get(one) ?? present) }))
        .toSorted((one, other) => other.saves - one.saves),
    })
  }
  const sorted = found.toSorted((one, other) => other.worth - one.worth)
  return { chosen: sorted, before: totalOf(present), after: totalOf(after), outcomes: after }
}

function priceOfAll(priceOf: WritePrice, bundle: Bundle): number {
  return bundle.reduce((sum, option) => sum + priceOf(option), 0)
}

/** What a choice begins with. */
interface Start extends ChoiceOptions {
  readonly look: Look
  readonly present: Outcomes
  /** What each saves alone. */
  readonly solo: ReadonlyMap<Bundle, number>
}

/** By what an index is taken before another one, of it and what it saves beside those that were taken before. */
type Rank = (bundle: Bundle, saved: number) => number

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
    const added = (bundle: Bundle) => bundle.filter((option) => !taken.includes(option))
    const idle = (bundle: Bundle) => added(bundle).every((option) => taken.some((one) => beginsWith(one, option)))
    const large = (bundle: Bundle) => bytesOf(added(bundle)) > mostBytes - bytesOf(taken)
    const many = (bundle: Bundle) => taken.length + added(bundle).length > mostIndexes
    bounded ||= [...known.keys()].some(large)
    for (const bundle of known.keys()) if (idle(bundle) || large(bundle) || many(bundle)) known.delete(bundle)
    const next = await bestBeside(look, chosen, outcomes, known, { priceOf, rank })
    if (next === null) break
    known.delete(next.bundle)
    chosen = [...chosen, ...added(next.bundle)]
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
  known: Map<Bundle, number>,
  { priceOf, rank }: { readonly priceOf: WritePrice; readonly rank: Rank },
): Promise<{ readonly bundle: Bundle; readonly outcomes: Outcomes } | null> {
  const looked = new Map<Bundle, Outcomes>()
  for (;;) {
    const sorted = [...known]
      .map(([bundle, saved]) => [bundle, rank(bundle, saved)] as const)
      .toSorted(([, one], [, other]) => other - one)
    const [best] = sorted
    if (best === undefined) return null
    // Those that may save about as much are looked at too: a smaller one may be among them.
    const unsure = sorted.find(([bundle, saves]) => saves >= best[1] * aboutAsMuch && !looked.has(bundle))
    if (unsure === undefined) {
      const equal = sorted.filter(([, saves]) => saves >= best[1] * aboutAsMuch)
      return preferred(equal.map(([bundle]) => ({ bundle, outcomes: looked.get(bundle) ?? current }))) ?? null
    }
    const [bundle] = unsure
    const outcomes = await outcomesWith(look, [...new Set([...chosen, ...bundle])], current, (query) =>
      concerns(look, query, bundle),
    )
    looked.set(bundle, outcomes)
    const saved = totalOf(current) - totalOf(outcomes) - priceOfAll(priceOf, bundle)
    if (enough(current, outcomes) && saved > 0) known.set(bundle, saved)
    else known.delete(bundle)
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
  let all = await outcomesWith(look, kept, present)
  for (const option of chosen) {
    if (kept.some((one) => one !== option && beginsWith(one, option))) {
      kept = kept.filter((one) => one !== option)
      all = await outcomesWith(look, kept, all, (_, outcome) => uses(outcome, option))
      continue
    }
    const rest = kept.filter((one) => one !== option)
    const without = await outcomesWith(look, rest, all, (_, outcome) => uses(outcome, option))
    if (enough(without, all) && totalOf(without) - totalOf(all) > priceOf(option)) continue
    kept = rest
    all = without
  }
  return kept
}
