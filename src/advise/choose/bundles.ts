import { outcomesWith, uses, worthwhile, type Look, type Option, type Outcomes } from '../outcomes.js'

/** Indexes that are taken together, or one alone. */
export type Bundle = readonly Option[]

/** A query has to cost so much less with several than with the best of them alone. */
const together = 0.8

/**
 * Several indexes that a query needs at once, as the arms of an OR do, and both sides of a join: those that the planner takes where all of them are there, if none of
 * them alone gives as much. Throws the server's errors.
 */
export async function bundlesOf(
  look: Look,
  alone: ReadonlyMap<Option, Outcomes>,
  present: Outcomes,
): Promise<readonly Bundle[]> {
  const options = [...alone.keys()]
  const all = options.length < 2 ? new Map() : await outcomesWith(look, options, present)
  const bundles = new Map<string, Bundle>()
  for (const [query, outcome] of all) {
    const used = options.filter((option) => uses(outcome, option))
    const before = present.get(query)?.cost ?? 0
    const best = Math.min(before, ...used.map((option) => alone.get(option)?.get(query)?.cost ?? before))
    if (used.length > 1 && worthwhile(before, outcome.cost) && outcome.cost <= together * best)
      bundles.set(used.map((option) => options.indexOf(option)).join(), used)
  }
  return [...bundles.values()]
}
