import type {
  CanonicalDefinition,
  ExistingIndex,
  ExistingTable,
  PartitionTree,
  Snapshot,
  TableStatistics,
} from '../../catalog/snapshot.js'
import type { TableName } from '../../definition/definition.js'
import { copySuffix, isTemporaryName } from './names.js'
import { candidateOf, nameKey, type Candidate } from './overlap.js'
import { allBy, rememberPerObject } from './grouping.js'
import type { Resolved } from '../inputs.js'
import { definitionText, sameDefinition } from './same.js'

export function indexNamed(snapshot: Snapshot, schema: string, name: string): ExistingIndex | undefined {
  return indexesByName(snapshot.indexes).get(nameKey({ schema, name }))
}

/** Those of one table that are declared like this. */
export function indexesLike(
  snapshot: Snapshot,
  table: TableName,
  declared: CanonicalDefinition,
): readonly ExistingIndex[] {
  const same = indexesByDefinition(snapshot.indexes).get(definitionKey(table, declared)) ?? []
  return same.filter((index) => sameDefinition(declared, index.canonical))
}

/** Declarations of one table that are the same but for tablespace and name. */
export function declaredLike(
  all: readonly Resolved[],
  table: TableName,
  declared: CanonicalDefinition,
): readonly Resolved[] {
  return declaredByDefinition(all).get(definitionKey(table, declared)) ?? []
}

/** Those of one table that are not valid and have a name as REINDEX CONCURRENTLY gives it to a copy. */
export function copiesOn(snapshot: Snapshot, table: TableName): readonly ExistingIndex[] {
  return copiesByTable(snapshot.indexes).get(nameKey(table)) ?? []
}

/** The tree of a partitioned table; undefined for every other one. */
export function partitionTree(snapshot: Pick<Snapshot, 'partitionTrees'>, table: TableName): PartitionTree | undefined {
  return treesByTable(snapshot.partitionTrees).get(nameKey(table))
}

export function statisticsOf(snapshot: Snapshot, table: TableName): TableStatistics | undefined {
  return statisticsByTable(snapshot.statistics).get(nameKey(table))
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

const indexesByName = rememberPerObject((indexes: readonly ExistingIndex[]) => firstBy(indexes, nameKey))
const tablesByName = rememberPerObject((tables: readonly ExistingTable[]) => firstBy(tables, nameKey))
const relationsByName = rememberPerObject((relations: Snapshot['relations']) => firstBy(relations, nameKey))
const indexesByDefinition = rememberPerObject((indexes: readonly ExistingIndex[]) =>
  allBy(indexes, ({ table, canonical }) => definitionKey(table, canonical)),
)
const declaredByDefinition = rememberPerObject((all: readonly Resolved[]) =>
  allBy(all, ({ declared, canonical }) => definitionKey(declared.definition.table, canonical)),
)
const copiesByTable = rememberPerObject((indexes: readonly ExistingIndex[]) =>
  allBy(
    indexes.filter(({ valid, name }) => !valid && copySuffix(name) !== undefined),
    ({ table }) => nameKey(table),
  ),
)
const treesByTable = rememberPerObject((trees: Snapshot['partitionTrees']) =>
  firstBy(trees, ({ table }) => nameKey(table)),
)
const statisticsByTable = rememberPerObject((statistics: Snapshot['statistics']) => firstBy(statistics, nameKey))
const declaredNames = rememberPerObject(
  (all: readonly Resolved[]) =>
    new Set(
      all.map(({ declared: { definition } }) => nameKey({ schema: definition.table.schema, name: definition.name })),
    ),
)
const candidatesByTable = rememberPerObject((all: readonly Resolved[]) =>
  rememberPerObject((indexes: readonly ExistingIndex[]) => {
    const others = indexes.filter(
      // What an interrupted replace left becomes the declared one, or goes.
      (index) => index.valid && !declaredNames(all).has(nameKey(index)) && !isTemporaryName(index.name),
    )
    const existing = others.map((index): Candidate => ({ ...index, table: nameKey(index.table) }))
    return allBy([...all.map(candidateOf), ...existing], ({ table }) => table)
  }),
)

function definitionKey(table: TableName, definition: CanonicalDefinition): string {
  return `${nameKey(table)}\0${definitionText(definition)}`
}

function firstBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): ReadonlyMap<string, Value> {
  return new Map(values.toReversed().map((value) => [keyOf(value), value]))
}
