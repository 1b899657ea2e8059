import type { TableName } from '../definition/definition.js'

/**
 * A definition as PostgreSQL prints it back from its catalogs; two indexes are the same when these are equal.
 * Written by one query for existing indexes and for the probe of declared ones (the server decides).
 */
export interface CanonicalDefinition {
  readonly method: string
  readonly unique: boolean
  readonly nullsDistinct: boolean
  /** Key text with collation, opclass, opclass parameters, order and nulls, all spelled out. */
  readonly keys: readonly string[]
  readonly include: readonly string[]
  readonly predicate: string | null
  /** `name=value`, sorted. */
  readonly storage: readonly string[]
  readonly tablespace: string | null
  /** Why PostgreSQL could not be asked what this declaration is: it equals nothing, and what differs from it may still be the same. */
  readonly unknown?: string
}

export interface ExistingTable {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** r table, p partitioned table, m materialized view, v view, f foreign table ... (pg_class.relkind). */
  readonly relkind: string
  readonly temporary: boolean
  /** pg_class.reltuples; -1 when never vacuumed or analyzed, of a partition at least. */
  readonly estimatedRows: number
  /** Heap and TOAST, without indexes. */
  readonly sizeBytes: number
  /** The current role may do what the owner may. */
  readonly owned: boolean
  /** The current role may create in the table's schema. */
  readonly creatable: boolean
  /** The same for the same columns, where all are of the system's types and collations; null where one is not, absent where that was not asked. */
  readonly columns?: string | null
}

export interface ExistingIndex {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly table: TableName
  readonly tableOid: number
  /** relkind I: the index of a partitioned table. */
  readonly partitioned: boolean
  /** Attached to the index of a partitioned table. */
  readonly attached: boolean
  readonly valid: boolean
  readonly ready: boolean
  readonly live: boolean
  readonly unique: boolean
  readonly primary: boolean
  /** Constraint that it backs: primary key, unique or exclusion. */
  readonly constraint: string | null
  /** Foreign keys of other tables that depend on it. */
  readonly referencedBy: readonly string[]
  readonly replicaIdentity: boolean
  readonly clustered: boolean
  readonly sizeBytes: number
  /** pg_stat_all_indexes.idx_scan on this server only. */
  readonly scans: number
  /** pg_get_indexdef with search_path = pg_catalog: a statement that makes it again (not concurrently, its tablespace left out). */
  readonly indexdef: string
  /** ALTER INDEX ... DEPENDS ON EXTENSION: it is dropped with any of these. */
  readonly extensions: readonly string[]
  /** COMMENT ON INDEX. */
  readonly comment: string | null
  /** Statistics targets of its expressions, as ALTER INDEX ... SET STATISTICS gave them. */
  readonly statistics: readonly StatisticsTarget[]
  readonly canonical: CanonicalDefinition
}

export interface StatisticsTarget {
  /** Number of the key, from 1. */
  readonly column: number
  /** The key as pg_get_indexdef prints it. */
  readonly expression: string
  readonly target: number
}

/** A row of pg_stat_progress_create_index (any session of this database), or a build that waits for its table lock. */
export interface RunningBuild {
  readonly pid: number
  readonly indexOid: number
  readonly tableOid: number
  readonly table: string
  readonly index: string | null
  /** This role may not see which index it is: it may be any that is not valid on that table. */
  readonly hidden: boolean
  readonly command: string
  readonly phase: string
  /** 0 to 100 of the current phase; null when the phase counts nothing. */
  readonly percent: number | null
  readonly ageMs: number
  readonly applicationName: string
  readonly user: string | null
}

export interface ServerFacts {
  readonly version: string
  readonly versionNum: number
  readonly database: string
  readonly user: string
  readonly host: string
  readonly port: number
  readonly inRecovery: boolean
  readonly readOnly: boolean
}

/** Of a table that something is to be built on. */
export interface TableStatistics {
  readonly schema: string
  readonly name: string
  /** pg_class.reltuples; of a table that was never analyzed an estimate from its size. */
  readonly rows: number
  /** Since the statistics were reset. */
  readonly updates: number
  readonly hotUpdates: number
  /** In any index, as key, included column, or in an expression or predicate. */
  readonly indexedColumns: readonly string[]
  /** Average width in bytes; distinct values, null where unknown. */
  readonly columns: Readonly<Record<string, { readonly width: number; readonly distinct: number | null }>>
  /** Set by UPDATEs in pg_stat_statements; null where those are not to be read. */
  readonly updatedColumns: readonly string[] | null
  /** It, or a partition of it, has pages. */
  readonly filled: boolean
  /** Columns of which it may store a value of more than 2 kB where an index finds it. */
  readonly wideColumns: readonly string[]
}

/** What the catalog said at one moment, for the tables and names that the profiles mention. */
export interface Snapshot {
  readonly server: ServerFacts
  readonly tables: readonly ExistingTable[]
  readonly indexes: readonly ExistingIndex[]
  /** Of the tables that are partitioned. */
  readonly partitionTrees: readonly PartitionTree[]
  /** Relations that bear a declared index name and are no index. */
  readonly relations: readonly { readonly schema: string; readonly name: string; readonly relkind: string }[]
  readonly builds: readonly RunningBuild[]
  readonly extensions: readonly { readonly name: string; readonly installed: boolean; readonly available: boolean }[]
  /** Schemas that exist, of those that the profiles' tables name. */
  readonly schemas: readonly string[]
  /** Names of functions and operators that pg_catalog has and another schema has as well, in lower case; null where that was not asked, or where the role's search_path lists pg_catalog, so that others may come first. */
  readonly overloads: readonly string[] | null
  /** Of the whole server. */
  readonly tablespaces: readonly string[]
  /** Of tables that something is to be built on; empty before that is known. */
  readonly statistics: readonly TableStatistics[]
  /** Event triggers that run with statements on indexes, and may end them. */
  readonly eventTriggers: readonly string[]
  /** Age of the oldest transaction with a snapshot or a write lock here, with its pid. */
  readonly oldestTransaction: { readonly pid: number; readonly ageMs: number; readonly text: string } | null
}

/** A partitioned table with its partitions on every level, and their indexes. */
export interface PartitionTree {
  readonly table: TableName
  /** The table itself first, then level by level. */
  readonly partitions: readonly Partition[]
  /** Relations in the partitions' schemas whose names begin as the wanted indexes do. */
  readonly names: readonly TableName[]
  /** For short statements: below the server's deadlock_timeout, so that waiting ends no running build (fault 22). */
  readonly lockTimeoutMs: number
  /** ATTACH PARTITION of what is attached already looks whether the parent is valid by now. */
  readonly looksAgain: boolean
}

export interface Partition {
  readonly oid: number
  /** null for the table itself. */
  readonly parentOid: number | null
  readonly schema: string
  readonly name: string
  /** p partitioned itself, r a leaf, f a foreign table. */
  readonly relkind: string
  readonly owned: boolean
  readonly creatable: boolean
  readonly estimatedRows: number
  readonly sizeBytes: number
  /** A leaf of no pages: its index takes no time. */
  readonly empty: boolean
  readonly indexes: readonly PartitionIndex[]
}

export interface PartitionIndex {
  readonly oid: number
  readonly name: string
  /** The index that it is attached to. */
  readonly parentOid: number | null
  /** Valid, ready and live. */
  readonly usable: boolean
  /** Some session builds it right now. */
  readonly building: boolean
  readonly constraint: string | null
  /** null when it is attached: PostgreSQL compared it then. */
  readonly canonical: CanonicalDefinition | null
}
