import type { Definition } from '../definition/definition.js'
import type { CanonicalDefinition, ExistingTable } from './snapshot.js'

/**
 * What PostgreSQL made of declarations, for a run in many databases: by version, the table's columns and the declaration. A map that the run keeps.
 */
export type SharedAnswers = Map<string, CanonicalDefinition>

/** Methods whose default operator classes of the system's types no extension adds to. */
const methods = new Set(['btree', 'hash', 'brin'])

/**
 * Under what an answer is kept; undefined where another database may have another one: the answer depends on nothing but the version and the columns when these are of the
 * system's types and collations, and the declaration names nothing else that a database may have of its own. What is built is compared with it all the same.
 */
export function sharedKey(
  versionNum: number,
  { keys, method, predicate, include, unique, nullsDistinct, storage, tablespace }: Definition,
  table: ExistingTable | undefined,
): string | undefined {
  const plain = keys.every(
    ({ column, opclass, collation }) => column !== undefined && opclass === undefined && collation === undefined,
  )
  if (!plain || predicate !== undefined || !methods.has(method)) return undefined
  if (table?.relkind !== 'r' || typeof table.columns !== 'string') return undefined
  return JSON.stringify([versionNum, table.columns, method, keys, include, unique, nullsDistinct, storage, tablespace])
}
