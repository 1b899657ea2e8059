import type { ExistingIndex, ExistingTable, Snapshot } from '../catalog/snapshot.js'
import type { TableName } from '../definition/definition.js'
import { isPassingName } from './names.js'
import { candidateOf, nameKey, type Candidate } from './overlap.js'
import type { Resolved } from './resolved.js'

/*
 * Finds in what the plan looks at again and again: each list is gone through once, not once for each index (a plan of
 * 10,000 indexes took 20 s that way).
 */

export function indexNamed(snapshot: Snapshot, schema: string, name: string): ExistingIndex | undefined {
  return indexesByName(snapshot.indexes).get(nameKey({ schema, name }))
}

/** Existing indexes of one table. */
export function indexesOn(snapshot: Snapshot, table: TableName): readonly ExistingIndex[] {
  return indexesByTable(snapshot.indexes).get(nameKey(table)) ?? []
}

export function tableNamed(snapshot: Snapshot, table: TableName): ExistingTable | undefined {
  return tablesByName(snapshot.tables).get(nameKey(table))
}

/** A relation that is no index, with the name of a declared one. */
export function relationNamed(
  snapshot: Snapshot,
  schema: string,
  name: string,
): Snapshot['relations'][number] | undefined {
  return relationsByName(snapshot.relations).get(nameKey({ schema, name }))
}

/** True for the name of a declared index. */
export function isDeclared(all: readonly Resolved[], schema: string, name: string): boolean {
  return declaredNames(all).has(nameKey({ schema, name }))
}

/** Declared and existing indexes of a table as candidates for overlap; an index that is both counts once, as declared. */
export function candidatesOn(table: TableName, all: readonly Resolved[], snapshot: Snapshot): readonly Candidate[] {
  return candidatesByTable(all)(snapshot.indexes).get(nameKey(table)) ?? []
}

const indexesByName = once((indexes: readonly ExistingIndex[]) => firstBy(indexes, nameKey))
const tablesByName = once((tables: readonly ExistingTable[]) => firstBy(tables, nameKey))
const relationsByName = once((relations: Snapshot['relations']) => firstBy(relations, nameKey))
const indexesByTable = once((indexes: readonly ExistingIndex[]) => allBy(indexes, ({ table }) => nameKey(table)))
const declaredNames = once(
  (all: readonly Resolved[]) =>
    new Set(
      all.map(({ declared: { definition } }) => nameKey({ schema: definition.table.schema, name: definition.name })),
    ),
)
const candidatesByTable = once((all: readonly Resolved[]) =>
  once((indexes: readonly ExistingIndex[]) => {
    const others = indexes.filter(
      // What an interrupted replace left becomes the declared one, or goes.
      (index) => index.valid && !declaredNames(all).has(nameKey(index)) && !isPassingName(index.name),
    )
    const existing = others.map((index): Candidate => ({ ...index, table: nameKey(index.table) }))
    return allBy([...all.map(candidateOf), ...existing], ({ table }) => table)
  }),
)

function firstBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): ReadonlyMap<string, Value> {
  return new Map(values.toReversed().map((value) => [keyOf(value), value]))
}

function allBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): ReadonlyMap<string, Value[]> {
  const groups = new Map<string, Value[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return groups
}

/** The same function, that looks at the same object once only. */
function once<From extends object, To>(make: (from: From) => To): (from: From) => To {
  const made = new WeakMap<From, { readonly value: To }>()
  return (from) => {
    const before = made.get(from)
    if (before !== undefined) return before.value
    const value = make(from)
    made.set(from, { value })
    return value
  }
}
