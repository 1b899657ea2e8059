/** A table by schema and name, each as PostgreSQL stores it (unquoted, case kept). */
export interface TableName {
  readonly schema: string
  readonly name: string
}

/** What an index orders by: a column or an expression, with how it is compared and ordered. */
export interface Key {
  readonly column?: string
  /** SQL text without outer parentheses. Exactly one of `column` and `expression` is set. */
  readonly expression?: string
  /** As the user wrote it: `text_pattern_ops` or `schema.opclass`; undefined is the default opclass of the type. */
  readonly opclass?: string
  readonly opclassParameters?: Readonly<Record<string, string>>
  /** As the user wrote it: `C`, `schema.collation`; undefined is the collation of the column. */
  readonly collation?: string
  readonly order?: 'asc' | 'desc'
  readonly nulls?: 'first' | 'last'
}

/**
 * Everything that says what an index is. Undefined members are PostgreSQL's defaults.
 * https://www.postgresql.org/docs/current/sql-createindex.html
 */
export interface Definition {
  readonly name: string
  readonly table: TableName
  /** btree, hash, gist, spgist, gin, brin, or one that an extension adds. */
  readonly method: string
  readonly keys: readonly Key[]
  readonly include: readonly string[]
  /** SQL text of WHERE, without the word. */
  readonly predicate?: string
  readonly unique: boolean
  /** false is NULLS NOT DISTINCT (15 and later). */
  readonly nullsDistinct: boolean
  /** Storage parameters, values as text: fillfactor, fastupdate, pages_per_range ... */
  readonly storage: Readonly<Record<string, string>>
  readonly tablespace?: string
  /** COMMENT ON INDEX; undefined leaves it alone. */
  readonly comment?: string
  /** Statistics targets of expressions (ALTER INDEX ... SET STATISTICS), by the number of the key, from 1. */
  readonly statistics?: Readonly<Record<string, number>>
  /** Of the index of a partitioned table: what those of single partitions have of their own. */
  readonly partitions?: readonly PartitionPart[]
}

/** What the index of one partition has beside that of the partitioned table; undefined is what that one has. */
export interface PartitionPart {
  /** The partition. */
  readonly table: TableName
  readonly name?: string
  /** All its storage parameters. */
  readonly storage?: Readonly<Record<string, string>>
  readonly comment?: string
  readonly statistics?: Readonly<Record<string, number>>
}
