import type { ExistingIndex, Snapshot } from '../../catalog/snapshot.js'
import { indexesLike, isDeclared } from '../match/lookup.js'
import type { PlanOptions, Resolved } from '../inputs.js'

/**
 * The index became a constraint's (ALTER TABLE ... ADD CONSTRAINT ... USING INDEX renames it), or was one from the start: it is there, and
 * a second one is built only by who allows REDUNDANT.
 */
export function constraintTwin(
  one: Resolved,
  all: readonly Resolved[],
  snapshot: Snapshot,
  { allow }: PlanOptions,
): ExistingIndex | undefined {
  if (allow.has('REDUNDANT')) return undefined
  return indexesLike(snapshot, one.declared.definition.table, one.canonical).find(
    (index) => index.constraint !== null && index.valid && !isDeclared(all, index.schema, index.name),
  )
}
