import type { CanonicalDefinition, ExistingIndex, StatisticsTarget } from '../catalog/snapshot.js'
import type { TableName } from '../definition/definition.js'
import { clusterOnSql, commentSql, replicaIdentitySql, statisticsTargetSql } from '../sql/index-ddl.js'

/** What belongs to an index and pg_get_indexdef does not print: kept in the ledger, and carried over to what replaces it. */
export interface Kept {
  readonly comment: string | null
  readonly statistics: readonly StatisticsTarget[]
  /** null for the default one of the database. */
  readonly tablespace: string | null
  /** The table is clustered on it. */
  readonly clustered: boolean
  readonly replicaIdentity: boolean
}

/** null when the index has nothing of that. */
export function keptOf({ comment, statistics, canonical, clustered, replicaIdentity }: ExistingIndex): Kept | null {
  const { tablespace } = canonical
  const nothing = comment === null && statistics.length === 0 && tablespace === null && !clustered && !replicaIdentity
  return nothing ? null : { comment, statistics, tablespace, clustered, replicaIdentity }
}

/** As the ledger gives it back; null for what an older version of perfdb wrote. */
export function isKept(value: unknown): value is Kept {
  return typeof value === 'object' && value !== null && 'comment' in value && 'statistics' in value
}

/**
 * Short statements that give `name` all that, after it was built with the same keys. https://www.postgresql.org/docs/current/sql-alterindex.html
 */
export function restoreSql(kept: Kept | null, schema: string, name: string, table: TableName): readonly string[] {
  if (kept === null) return []
  return [
    ...(kept.comment === null ? [] : [commentSql(schema, name, kept.comment)]),
    ...kept.statistics.map(({ column, target }) => statisticsTargetSql(schema, name, column, target)),
    ...(kept.clustered ? [clusterOnSql(table, name)] : []),
    ...(kept.replicaIdentity ? [replicaIdentitySql(table, name)] : []),
  ]
}

/** The same for an index of another definition: a statistics target goes with its expression, wherever that stands now. */
export function carryOver(kept: Kept | null, { keys, predicate, method }: CanonicalDefinition): Kept | null {
  if (kept === null) return null
  const statistics = kept.statistics.flatMap((one) => {
    // A canonical key is the expression as it is printed, then collation, opclass and order.
    const position = keys.findIndex((key) => key.startsWith(`${one.expression} `))
    return position < 0 ? [] : [{ ...one, column: position + 1 }]
  })
  const clusterable = predicate === null && (method === 'btree' || method === 'gist')
  return { ...kept, statistics, clustered: kept.clustered && clusterable }
}

/** Why an index of this definition cannot take the place of an existing one (fault 33); null when it can. */
export function identityRefusal(existing: ExistingIndex, { unique, predicate }: CanonicalDefinition): string | null {
  if (!existing.replicaIdentity || (unique && predicate === null)) return null
  return 'it is the replica identity of its table, which the new definition cannot be: updates of a published table would fail'
}

/** What a replace takes from the application, to be told with its hazard. */
export function uniquenessLost(existing: ExistingIndex, { unique }: CanonicalDefinition): string {
  if (!existing.unique || unique) return ''
  return '; the old one is unique and the new one is not: duplicates would be accepted, and ON CONFLICT on its columns would fail'
}
