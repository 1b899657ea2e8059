import type { Definition } from '../../definition/definition.js'
import type { Hazard, Step } from '../plan.js'

/**
 * What a bounded look for duplicates of a unique key found: none, up to five keys as text, or why it did not come to an end.
 */
export type Duplicates =
  | { readonly found: 'none' }
  | { readonly found: 'some'; readonly keys: readonly string[] }
  | { readonly found: 'unknown'; readonly reason: string }

/** The unique index that a step builds, and that duplicates would keep from being built; null for every other step. */
export function uniqueBuild({ step, declared }: Step): Definition | null {
  const builds = step === 'create' || step === 'rebuild' || step === 'replace'
  return builds && declared?.unique === true ? declared : null
}

/**
 * The step with UNIQUE_BUILD where the build is known, or may be feared, to fail at its very end (fault 1). Known duplicates are
 * shown and not gated: apply fails that step before it builds anything of it, and does the others.
 */
export function withDuplicates(step: Step, duplicates: Duplicates): Step {
  const known = { ...step, duplicates: duplicates.found }
  const hazard = uniqueHazard(step.index, duplicates)
  return hazard === null ? known : { ...known, hazards: [...step.hazards, hazard] }
}

function uniqueHazard(name: string, duplicates: Duplicates): Hazard | null {
  switch (duplicates.found) {
    case 'none':
      return null
    case 'some':
      return {
        code: 'UNIQUE_BUILD',
        message: `${name} cannot be built, apply would do the rest: ${duplicatesText(duplicates.keys)}`,
        advisory: true,
      }
    case 'unknown':
      return {
        code: 'UNIQUE_BUILD',
        message: `duplicates of ${name} could not be ruled out: ${duplicates.reason}; the build would find one at its end only, and rejects rows of the application from then on`,
      }
  }
}

export function duplicatesText(keys: readonly string[]): string {
  return `duplicate keys, the most frequent first: ${keys.join('; ')}`
}
