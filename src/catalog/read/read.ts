import type { TableName } from '../../definition/definition.js'
import { withConstant } from '../../definition/quote.js'
import type { Profile } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import {
  canonicalByOidSql,
  indexByNameSql,
  indexesByOidSql,
  runningBuildsSql,
  snapshotSql,
  type WantedObjects,
} from '../../sql/catalog/catalog.js'
import { withBounds, type Constraints } from './bounds.js'
import { readPartitionTrees } from './partitions.js'
import type {
  CanonicalDefinition,
  ExistingIndex,
  ExistingTable,
  RunningBuild,
  ServerFacts,
  Snapshot,
  PartitionTree,
} from '../snapshot.js'

/** Reads what the catalog says of everything that the profiles mention, with `columns` a digest of each table's: one statement, and one more where tables are partitioned. */
export async function readSnapshot(
  session: Session,
  profiles: readonly Profile[],
  extraNames: readonly Name[] = [],
  columns = false,
): Promise<Snapshot> {
  const wanted = { ...wantedObjects(profiles, extraNames), columns }
  const rows = await session.query<SnapshotRow>(snapshotSql(session.versionNum, wanted))
  const document = rows.find((row) => row.document !== null)?.document
  const read = rows.flatMap(({ index }) => index ?? [])
  const indexes = await withBounds(session, read, document?.constrained ?? [])
  const [running] =
    document?.building === true
      ? await session.query<{ builds: readonly RunningBuild[] | null }>(runningBuildsSql)
      : [{ builds: null }]
  const partitionTrees = await partitionTreesOf(session, document?.tables ?? [], profiles)
  return {
    server: serverFacts(session),
    tables: (document?.tables ?? []).map((table) => withPartitions(table, partitionTrees)),
    indexes,
    partitionTrees,
    relations: document?.relations ?? [],
    builds: running?.builds ?? [],
    extensions: document?.extensions ?? [],
    schemas: document?.schemas ?? [],
    overloads: /\bpg_catalog\b/.test(session.defaultSearchPath) ? null : (document?.overloads ?? null),
    tablespaces: document?.tablespaces ?? [],
    statistics: [],
    eventTriggers: document?.eventTriggers ?? [],
    oldestTransaction: document?.oldestTransaction ?? null,
  }
}

/** Every table and materialized view of the database but the system's, for the one that a wrong name may mean; 20,000 at most. */
export async function readTables(session: Session): Promise<readonly TableName[]> {
  return session.query<TableName>(
    `select n.nspname as schema, c.relname as name from pg_catalog.pg_class c
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'm') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
     order by n.nspname, c.relname limit 20000`,
  )
}

/** One index as the catalog says it now; undefined when there is none of that name. */
export async function readIndex(session: Session, schema: string, name: string): Promise<ExistingIndex | undefined> {
  const rows = await session.query<{ document: ExistingIndex }>(indexByNameSql(session.versionNum), [schema, name])
  return (await withBounds(session, documentsOf(rows)))[0]
}

/** One index by its oid, under whatever name; undefined when there is none. */
export async function readIndexByOid(session: Session, oid: number): Promise<ExistingIndex | undefined> {
  const rows = await session.query<{ document: ExistingIndex }>(indexesByOidSql(session.versionNum), [
    JSON.stringify([oid]),
  ])
  return (await withBounds(session, documentsOf(rows)))[0]
}

/** What existing indexes are, by oid, as the probe tells what a declaration is; those dropped meanwhile are missing. */
export async function readCanonical(
  session: Session,
  oids: readonly number[],
): Promise<ReadonlyMap<number, CanonicalDefinition>> {
  const text = withConstant(canonicalByOidSql(session.versionNum), oids)
  const rows = await session.query<{ oid: number; canonical: CanonicalDefinition }>(text)
  return new Map(rows.map(({ oid, canonical }) => [oid, canonical]))
}

function documentsOf<T>(rows: readonly { readonly document: T }[]): readonly T[] {
  return rows.map(({ document }) => document)
}

async function partitionTreesOf(
  session: Session,
  tables: readonly ExistingTable[],
  profiles: readonly Profile[],
): Promise<readonly PartitionTree[]> {
  const partitioned = tables.filter((table) => table.relkind === 'p')
  if (partitioned.length === 0) return []
  const names = profiles.flatMap((profile) => profile.indexes.map((index) => index.definition.name))
  return readPartitionTrees(session, partitioned, names)
}

/** A partitioned table holds nothing itself: its rows and bytes are those of its partitions. */
function withPartitions(table: ExistingTable, trees: readonly PartitionTree[]): ExistingTable {
  const tree = trees.find((one) => one.table.schema === table.schema && one.table.name === table.name)
  if (tree === undefined) return table
  const leaves = tree.partitions.filter((partition) => partition.relkind !== 'p')
  return {
    ...table,
    estimatedRows: leaves.some((leaf) => leaf.estimatedRows < 0 && leaf.sizeBytes > 0)
      ? -1
      : leaves.reduce((rows, leaf) => rows + Math.max(0, leaf.estimatedRows), 0),
    sizeBytes: leaves.reduce((bytes, leaf) => bytes + leaf.sizeBytes, 0),
  }
}

interface Name {
  readonly schema: string
  readonly name: string
}

interface SnapshotRow {
  readonly document: SnapshotDocument | null
  readonly index: ExistingIndex | null
}

interface SnapshotDocument {
  readonly tables: readonly ExistingTable[] | null
  readonly relations: Snapshot['relations'] | null
  /** What constrains the unique ones of the indexes. */
  readonly constrained: readonly Constraints[] | null
  /** Somebody, in this database. */
  readonly building: boolean
  readonly extensions: Snapshot['extensions'] | null
  readonly schemas: readonly string[] | null
  readonly overloads: readonly string[] | null
  readonly tablespaces: readonly string[] | null
  readonly eventTriggers: readonly string[] | null
  readonly oldestTransaction: Snapshot['oldestTransaction']
}

function wantedObjects(profiles: readonly Profile[], extraNames: readonly Name[]): Omit<WantedObjects, 'columns'> {
  const declared = profiles.flatMap((profile) => profile.indexes.map((index) => index.definition))
  const tables = [
    ...declared.map((definition) => definition.table),
    ...profiles.flatMap((profile) => profile.analyze.map((entry) => entry.table)),
  ]
  const names = [
    ...declared.map((definition) => ({ schema: definition.table.schema, name: definition.name })),
    ...profiles.flatMap((profile) => profile.absent.map(({ schema, name }) => ({ schema, name }))),
    ...extraNames.map(({ schema, name }) => ({ schema, name })),
  ]
  const extensions = profiles.flatMap((profile) => profile.extensions.map((extension) => extension.name))
  const texts = declared.some(
    ({ keys, predicate }) => predicate !== undefined || keys.some(({ expression }) => expression !== undefined),
  )
  return { tables: unique(tables), indexes: unique(names), extensions: [...new Set(extensions)], texts }
}

function unique(names: readonly Name[]): readonly Name[] {
  return [...new Map(names.map(({ schema, name }) => [JSON.stringify([schema, name]), { schema, name }])).values()]
}

/** What every result says of the server it speaks of. */
export function serverFacts(session: Session): ServerFacts {
  const { version, versionNum, database, user, host, port, inRecovery, readOnly } = session
  return { version, versionNum, database, user, host, port, inRecovery, readOnly }
}

/** A snapshot that looked at nothing: of a run that rests on the ledger instead of on profiles. */
export function emptySnapshot(session: Session): Snapshot {
  return {
    server: serverFacts(session),
    tables: [],
    indexes: [],
    relations: [],
    builds: [],
    extensions: [],
    schemas: [],
    overloads: null,
    tablespaces: [],
    statistics: [],
    partitionTrees: [],
    eventTriggers: [],
    oldestTransaction: null,
  }
}
