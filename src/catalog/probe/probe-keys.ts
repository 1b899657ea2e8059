import type { Definition } from '../../definition/definition.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import { keySql } from '../../sql/ddl/index-ddl.js'
import { tableKey } from './probe-copies.js'
import type { CanonicalDefinition } from '../snapshot.js'

/** PostgreSQL's most keys of an index (INDEX_MAX_KEYS). */
const mostKeys = 32

/** Indexes that stand for many: each key of these is a key of one of them, once. */
export interface Together {
  /** To be asked about; their names are nobody's. */
  readonly asked: readonly DeclaredIndex[]
  /** What PostgreSQL made of each index, by what it made of those that were asked about, in their order (null: refused). */
  readonly answers: (
    canonical: readonly (CanonicalDefinition | null)[],
  ) => ReadonlyMap<DeclaredIndex, CanonicalDefinition>
}

/**
 * What PostgreSQL makes of a column as a key, or why it refuses it, does not depend on the other keys of an index: those of thousands of
 * indexes on one table are asked about with a few. Only of what `isKeysAlone`.
 */
export function together(declared: readonly DeclaredIndex[]): Together {
  const asked: DeclaredIndex[] = []
  const places = new Map<string, { readonly index: number; readonly key: number }>()
  const open = new Map<string, { readonly index: number; readonly keys: Definition['keys'][number][] }>()
  for (const one of declared) {
    const table = tableKey(one.definition.table)
    for (const key of one.definition.keys) {
      const text = `${table} ${keySql(key)}`
      if (places.has(text)) continue
      const last = open.get(table)
      const { index, keys } =
        last === undefined || last.keys.length === mostKeys ? { index: asked.length, keys: [] } : last
      if (keys.length === 0) {
        open.set(table, { index, keys })
        asked.push({ ...one, definition: { ...one.definition, name: `keys ${index}`, unique: false, keys } })
      }
      places.set(text, { index, key: keys.length })
      keys.push(key)
    }
  }
  const answers: Together['answers'] = (canonical) => {
    const found = new Map<DeclaredIndex, CanonicalDefinition>()
    const [any] = canonical.filter((each) => each !== null)
    for (const one of declared) {
      const { unique, tablespace = null, keys } = one.definition
      const table = tableKey(one.definition.table)
      const texts = keys.flatMap((key) => {
        const place = places.get(`${table} ${keySql(key)}`)
        const text = place === undefined ? undefined : canonical[place.index]?.keys[place.key]
        return text === undefined ? [] : [text]
      })
      if (any !== undefined && texts.length === keys.length) found.set(one, { ...any, unique, tablespace, keys: texts })
    }
    return found
  }
  return { asked, answers }
}

/** A btree index of columns and nothing else, so that it is what its keys are. */
export function isKeysAlone({ definition }: DeclaredIndex): boolean {
  const { method, keys, include, predicate, nullsDistinct, storage } = definition
  return (
    method === 'btree' &&
    keys.length <= mostKeys &&
    keys.every(({ column, opclassParameters }) => column !== undefined && opclassParameters === undefined) &&
    include.length === 0 &&
    predicate === undefined &&
    nullsDistinct &&
    Object.keys(storage).length === 0
  )
}
