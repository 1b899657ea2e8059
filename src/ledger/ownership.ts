import type { CanonicalDefinition } from '../catalog/snapshot.js'

/** A finished step, as far as ownership goes. */
export interface DoneStep {
  readonly command: string
  /** The run was undone as a whole. */
  readonly rolledBack: boolean
  readonly outcome: string | null
  readonly schema: string
  readonly index: string
  /** Name before a rename. */
  readonly indexBefore: string | null
  /** What the catalog said of the index after the step. */
  readonly canonical?: unknown
}

export interface IndexName {
  readonly schema: string
  readonly name: string
}

export interface OwnedIndex extends IndexName {
  /** What perfdb left there: an index of that name and another definition is somebody else's. null when that is not known. */
  readonly canonical: CanonicalDefinition | null
}

/**
 * Indexes that perfdb built and nobody dropped or rolled back since: only those may --prune remove. Steps come in the
 * order in which they were done. A rollback that builds an index again does not make it perfdb's: it stood there before.
 */
export function ownedIndexes(steps: readonly DoneStep[]): readonly OwnedIndex[] {
  const owned = new Map<string, OwnedIndex>()
  for (const step of steps) {
    if (step.rolledBack) continue
    const key = keyOf(step.schema, step.index)
    switch (step.outcome ?? '') {
      case 'built':
      case 'rebuilt':
      case 'replaced':
        if (step.command === 'apply') owned.set(key, ownedAfter(step))
        break
      case 'dropped':
        owned.delete(key)
        break
      case 'renamed':
        if (step.indexBefore !== null && owned.delete(keyOf(step.schema, step.indexBefore))) {
          owned.set(key, ownedAfter(step))
        }
        break
      default:
    }
  }
  return [...owned.values()]
}

function ownedAfter({ schema, index, canonical }: DoneStep): OwnedIndex {
  return { schema, name: index, canonical: isCanonical(canonical) ? canonical : null }
}

/** As the ledger gives it back. */
export function isCanonical(value: unknown): value is CanonicalDefinition {
  return typeof value === 'object' && value !== null && 'keys' in value && 'method' in value
}

function keyOf(schema: string, index: string): string {
  return JSON.stringify([schema, index])
}
