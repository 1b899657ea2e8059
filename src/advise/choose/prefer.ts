import type { Definition } from '../../definition/definition.js'
import { riskOf, type Option, type Outcomes } from '../outcomes.js'
import type { Bundle } from './bundles.js'

/** Indexes that may be taken, and what queries cost then. */
export interface Possible {
  readonly bundle: Bundle
  readonly outcomes: Outcomes
}

/** Of indexes that save about as much the preferred one is taken; the twin's costs are not truer than that. */
export const aboutAsMuch = 0.9

/**
 * Of those that save about as much: the one that needs no extension, then the one whose gain rests least on where the rows lie that pass a filter, then the smallest.
 */
export function preferred<T extends Possible>(equal: readonly T[]): T | undefined {
  const risk = new Map(equal.map((one) => [one, riskOf(one.outcomes)]))
  return equal.toSorted(
    (one, other) =>
      neededBy(one.bundle) - neededBy(other.bundle) ||
      Math.round((risk.get(one) ?? 0) - (risk.get(other) ?? 0)) ||
      bytesOf(one.bundle) - bytesOf(other.bundle),
  )[0]
}

/** So many of them ask for an extension that is not there. */
function neededBy(bundle: Bundle): number {
  return bundle.filter(({ needs }) => needs !== undefined).length
}

export function bytesOf(bundle: Bundle): number {
  return bundle.reduce((sum, { tried }) => sum + tried.sizeBytes, 0)
}

/** The keys of the one begin with all keys of the other, which is then redundant beside it, and refused as such by plan. */
export function beginsWith({ definition: wide }: Option, { definition: narrow }: Option): boolean {
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
