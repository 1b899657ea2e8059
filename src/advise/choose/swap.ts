import { concerns, enough, outcomesWith, totalOf, uses, type Look, type Option, type Outcomes } from '../outcomes.js'
import type { Weighed } from '../asks.js'
import { aboutAsMuch, beginsWith, bytesOf, preferred, type Possible } from './prefer.js'
import type { WritePrice } from './write-price.js'

export interface Swapping {
  readonly look: Look
  readonly alone: ReadonlyMap<Option, Outcomes>
  readonly priceOf: WritePrice
  readonly mostBytes: number
}

/** So many others are tried in the place of one. */
const mostInPlace = 5

/**
 * The same indexes, but where another one in the place of one saves more by now, or about as much and is preferred: what was taken first for several queries may be left with
 * one that a later index does not serve. Throws the server's errors.
 */
export async function swapped(
  { look, alone, priceOf, mostBytes }: Swapping,
  chosen: readonly Option[],
  present: Outcomes,
): Promise<readonly Option[]> {
  let kept = chosen
  let all = await outcomesWith(look, kept, present)
  for (const option of chosen) {
    const rest = kept.filter((one) => one !== option)
    const served = [...all].filter(([, outcome]) => uses(outcome, option)).map(([query]) => query)
    const without = await outcomesWith(look, rest, all, (query) => served.includes(query))
    const savedBy = ({ bundle, outcomes }: Possible) =>
      totalOf(without) - totalOf(outcomes) - bundle.reduce((sum, one) => sum + priceOf(one), 0)
    const aloneFor = (other: Option) =>
      served.reduce(
        (sum, query) => sum - query.weight * (alone.get(other)?.get(query)?.cost ?? query.present.here.cost),
        0,
      )
    const others = [...alone.keys()]
      .filter((other) => !kept.includes(other) && served.some((query) => isUsed(alone, other, query)))
      .filter((other) => !rest.some((one) => beginsWith(one, other) || beginsWith(other, one)))
      .filter((other) => bytesOf(rest) + other.tried.sizeBytes <= mostBytes)
      .toSorted((one, other) => aloneFor(other) - aloneFor(one))
    const possible: Possible[] = [{ bundle: [option], outcomes: all }]
    for (const other of others.slice(0, mostInPlace)) {
      const outcomes = await outcomesWith(look, [...rest, other], without, (query) => served.includes(query))
      if (enough(without, outcomes)) possible.push({ bundle: [other], outcomes })
    }
    const most = Math.max(...possible.map(savedBy))
    const best = preferred(possible.filter((one) => savedBy(one) >= most * aboutAsMuch))
    if (best === undefined || best.bundle.includes(option)) continue
    kept = kept.flatMap((one) => (one === option ? best.bundle : [one]))
    all = await outcomesWith(look, kept, best.outcomes, (query) => concerns(look, query, best.bundle))
  }
  return kept
}

/** The query takes it where it is the only one. */
export function isUsed(alone: ReadonlyMap<Option, Outcomes>, option: Option, query: Weighed): boolean {
  const outcome = alone.get(option)?.get(query)
  return outcome !== undefined && uses(outcome, option)
}
