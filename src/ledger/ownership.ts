import type { CanonicalDefinition } from '../catalog/snapshot.js'
import type { TableName } from '../definition/definition.js'

/*
 * Whose an index is: the one place that is asked. An index is perfdb's, and of one profile, when a run built it and nobody dropped or
 * rolled it back since. It is told by profile name, schema, table, and the oids and the definition that the run left.
 */

/** A finished step, as far as ownership goes. */
export interface DoneStep extends Omit<OwnedIndex, 'name' | 'canonical'> {
  readonly command: string
  /** The run was undone as a whole. */
  readonly rolledBack: boolean
  /** How this step was undone; null when it was not. */
  readonly undone: string | null
  readonly outcome: string | null
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
  readonly table: TableName
  /** null in records of versions before 0.2. */
  readonly tableOid: number | null
  readonly oid: number | null
  /** Name of the profile that declared it; null in records of versions before 0.2, where `files` of the run say whose it is. */
  readonly profile: string | null
  readonly files: readonly string[]
  /** What perfdb left there: an index of that name and another definition is somebody else's. null when that is not known. */
  readonly canonical: CanonicalDefinition | null
}

/**
 * Indexes that perfdb built and nobody dropped or rolled back since. Steps come in the order in which they were done. A rollback that
 * builds an index again does not make it perfdb's: it stood there before, and is whose it was then.
 */
export function ownedIndexes(steps: readonly DoneStep[]): readonly OwnedIndex[] {
  const owned = new Map<string, OwnedIndex>()
  for (const step of steps) {
    if (step.rolledBack || step.undone !== null) continue
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

/** What of a profile says whose an index is. */
export interface Owner {
  /** As it calls itself. */
  readonly name: string
  readonly file: string
  /** Where its unqualified tables live: all tables there are named by it. */
  readonly schema: string
  /** Those that it names. */
  readonly tables: readonly TableName[]
}

/** Built by this profile. */
export function isOwner({ name, file }: Pick<Owner, 'name' | 'file'>, { profile, files }: OwnedIndex): boolean {
  return profile === null ? files.includes(file) : profile === name
}

/**
 * What --prune may take, as far as the ledger goes: what one of these profiles built, on a table that the same profile names now. The same
 * profile applied to another schema leaves the first one's indexes alone, and so it does those of another profile.
 */
export function prunable(owned: readonly OwnedIndex[], profiles: readonly Owner[]): readonly OwnedIndex[] {
  return owned.filter((index) =>
    profiles.some(
      (profile) =>
        isOwner(profile, index) &&
        (profile.schema === index.table.schema ||
          profile.tables.some(({ schema, name }) => schema === index.table.schema && name === index.table.name)),
    ),
  )
}

function ownedAfter({ schema, index, table, tableOid, oid, profile, files, canonical }: DoneStep): OwnedIndex {
  const definition = isCanonical(canonical) ? canonical : null
  return { schema, name: index, table, tableOid, oid, profile, files, canonical: definition }
}

/** As the ledger gives it back. */
export function isCanonical(value: unknown): value is CanonicalDefinition {
  if (typeof value !== 'object' || value === null) return false
  const texts = (key: string) => {
    const list: unknown = Reflect.get(value, key)
    return Array.isArray(list) && list.every((each) => typeof each === 'string')
  }
  const typed = (key: string, ...types: readonly string[]) => {
    const field: unknown = Reflect.get(value, key)
    return types.includes(field === null ? 'null' : typeof field)
  }
  return (
    ['keys', 'include', 'storage'].every(texts) &&
    typed('method', 'string') &&
    typed('unique', 'boolean') &&
    typed('nullsDistinct', 'boolean') &&
    typed('predicate', 'string', 'null') &&
    typed('tablespace', 'string', 'null')
  )
}

function keyOf(schema: string, index: string): string {
  return JSON.stringify([schema, index])
}
