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
}

export interface IndexName {
  readonly schema: string
  readonly name: string
}

/**
 * Indexes that perfdb built and nobody dropped or rolled back since: only those may --prune remove. Steps come in the
 * order in which they were done. A rollback that builds an index again does not make it perfdb's: it stood there before.
 */
export function ownedIndexes(steps: readonly DoneStep[]): readonly IndexName[] {
  const owned = new Map<string, IndexName>()
  for (const step of steps) {
    if (step.rolledBack) continue
    const key = keyOf(step.schema, step.index)
    switch (step.outcome ?? '') {
      case 'built':
      case 'rebuilt':
      case 'replaced':
        if (step.command === 'apply') owned.set(key, { schema: step.schema, name: step.index })
        break
      case 'dropped':
        owned.delete(key)
        break
      case 'renamed':
        if (step.indexBefore !== null && owned.delete(keyOf(step.schema, step.indexBefore))) {
          owned.set(key, { schema: step.schema, name: step.index })
        }
        break
      default:
    }
  }
  return [...owned.values()]
}

function keyOf(schema: string, index: string): string {
  return JSON.stringify([schema, index])
}
