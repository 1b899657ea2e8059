import type { ExistingIndex } from '../../catalog/snapshot.js'
import { listed } from '../match/needs.js'
import type { Step } from '../plan.js'

/** Of what --prune would take, that which no step of the plan is about. */
export function prunableLeft(owned: readonly ExistingIndex[], steps: readonly Step[]): readonly ExistingIndex[] {
  const planned = new Set(steps.map(({ existing }) => existing?.oid))
  return owned.filter(({ oid }) => !planned.has(oid))
}

/** One line of the plan. */
export function pruneNotes(left: readonly ExistingIndex[]): readonly string[] {
  if (left.length === 0) return []
  const names = left.map(({ schema, name }) => `${schema}.${name}`).toSorted()
  const [was, them] = names.length === 1 ? ['was', 'it'] : ['were', 'them']
  return [`${listed(names)} ${was} built by perfdb for this profile and declared no more: --prune drops ${them}`]
}
