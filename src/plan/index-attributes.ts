import type { CanonicalDefinition, ExistingIndex, StatisticsTarget } from '../catalog/snapshot.js'
import type { Definition, TableName } from '../definition/definition.js'
import {
  clusterOnSql,
  commentSql,
  dependsOnSql,
  replicaIdentitySql,
  statisticsTargetSql,
} from '../sql/ddl/index-ddl.js'

/** What belongs to an index and pg_get_indexdef does not print: kept in the ledger, and carried over to what replaces it. */
export interface IndexAttributes {
  readonly comment: string | null
  readonly statistics: readonly StatisticsTarget[]
  /** null for the default one of the database. */
  readonly tablespace: string | null
  /** The table is clustered on it. */
  readonly clustered: boolean
  readonly replicaIdentity: boolean
  /** ALTER INDEX ... DEPENDS ON EXTENSION. */
  readonly extensions: readonly string[]
}

/** null when the index has nothing of that. */
export function attributesOf(index: ExistingIndex): IndexAttributes | null {
  const { comment, statistics, canonical, clustered, replicaIdentity, extensions } = index
  const { tablespace } = canonical
  const kept = { comment, statistics, tablespace, clustered, replicaIdentity, extensions }
  return hasNothing(kept) ? null : kept
}

function hasNothing({
  comment,
  statistics,
  tablespace,
  clustered,
  replicaIdentity,
  extensions,
}: IndexAttributes): boolean {
  const listed = statistics.length > 0 || extensions.length > 0
  return comment === null && !listed && tablespace === null && !clustered && !replicaIdentity
}

/** As the ledger gives it back; null where there was nothing. undefined for what perfdb has not written. */
export function attributesFrom(value: unknown): IndexAttributes | null | undefined {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object') return undefined
  const field = (name: string): unknown => Reflect.get(value, name)
  const [comment, tablespace] = [field('comment'), field('tablespace')]
  const [clustered, replicaIdentity] = [field('clustered'), field('replicaIdentity')]
  // Versions before 0.2 did not look at extensions.
  const [statistics, extensions = []] = [field('statistics'), field('extensions')]
  if (!isText(comment) || !isText(tablespace)) return undefined
  if (typeof clustered !== 'boolean' || typeof replicaIdentity !== 'boolean') return undefined
  if (!Array.isArray(statistics) || !statistics.every(isTarget)) return undefined
  if (!Array.isArray(extensions) || !extensions.every((name) => typeof name === 'string')) return undefined
  return { comment, statistics, tablespace, clustered, replicaIdentity, extensions }
}

function isText(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function isTarget(value: unknown): value is StatisticsTarget {
  if (typeof value !== 'object' || value === null) return false
  const field = (name: string): unknown => Reflect.get(value, name)
  const whole = ['column', 'target'].every((name) => Number.isInteger(field(name)))
  return whole && typeof field('expression') === 'string'
}

/** What the table makes of its other indexes: nobody's later choice is taken back. */
export interface TableMarks {
  /** pg_class.relreplident: d default, n nothing, f full, i an index. */
  readonly identity: string
  /** The oids of the indexes that it goes by; null when there is none. */
  readonly identityIndex: number | null
  readonly clusteredIndex: number | null
}

/** What of it this index has not, and can be given back; null when it has all. `instead`: oid of the index whose place it takes. */
export function missingOf(
  kept: IndexAttributes | null,
  now: ExistingIndex | null,
  marks: TableMarks,
  instead: number | null,
): IndexAttributes | null {
  if (kept === null) return null
  const ours = (oid: number | null) => oid === null || oid === now?.oid || oid === instead
  const missing = {
    comment: kept.comment === now?.comment ? null : kept.comment,
    statistics: kept.statistics.filter(
      ({ column, target }) => now?.statistics.some((one) => one.column === column && one.target === target) !== true,
    ),
    tablespace: null,
    clustered: kept.clustered && now?.clustered !== true && ours(marks.clusteredIndex),
    replicaIdentity:
      kept.replicaIdentity && now?.replicaIdentity !== true && marks.identity === 'i' && ours(marks.identityIndex),
    extensions: kept.extensions.filter((name) => now?.extensions.includes(name) !== true),
  }
  return hasNothing(missing) ? null : missing
}

/** In which of these points an index is not what it was before, as words. */
export function differences(kept: IndexAttributes | null, now: ExistingIndex): readonly string[] {
  const targets = (list: readonly StatisticsTarget[]) => list.map(({ column, target }) => `${column}: ${target}`).join()
  const was = kept ?? nothingKept
  const points: readonly (readonly [string, boolean])[] = [
    ['comment', was.comment === now.comment],
    ['statistics targets', targets(was.statistics) === targets(now.statistics)],
    ['tablespace', was.tablespace === now.canonical.tablespace],
    ['clustering', was.clustered === now.clustered],
    ['replica identity', was.replicaIdentity === now.replicaIdentity],
    ['dependence on extensions', was.extensions.join() === now.extensions.join()],
  ]
  return points.flatMap(([name, same]) => (same ? [] : [name]))
}

const nothingKept: IndexAttributes = {
  comment: null,
  statistics: [],
  tablespace: null,
  clustered: false,
  replicaIdentity: false,
  extensions: [],
}

/**
 * Short statements that give `name` all that, after it was built with the same keys. https://www.postgresql.org/docs/current/sql-alterindex.html
 */
export function restoreSql(
  kept: IndexAttributes | null,
  schema: string,
  name: string,
  table: TableName,
): readonly string[] {
  if (kept === null) return []
  return [
    ...(kept.comment === null ? [] : [commentSql(schema, name, kept.comment)]),
    ...kept.statistics.map(({ column, target }) => statisticsTargetSql(schema, name, column, target)),
    ...kept.extensions.map((extension) => dependsOnSql(schema, name, extension)),
    ...(kept.clustered ? [clusterOnSql(table, name)] : []),
    ...(kept.replicaIdentity ? [replicaIdentitySql(table, name)] : []),
  ]
}

/** The same for an index of another definition: a statistics target goes with its expression, wherever that stands now. */
export function carryOver(
  kept: IndexAttributes | null,
  { keys, predicate, method }: CanonicalDefinition,
): IndexAttributes | null {
  if (kept === null) return null
  const statistics = kept.statistics.flatMap((one) => {
    // A canonical key is the expression as it is printed, then collation, opclass and order.
    const position = keys.findIndex((key) => key.startsWith(`${one.expression} `))
    return position < 0 ? [] : [{ ...one, column: position + 1 }]
  })
  const clusterable = predicate === null && (method === 'btree' || method === 'gist')
  return { ...kept, statistics, clustered: kept.clustered && clusterable }
}

/** With what a profile declares, which beats what was there. */
export function declaredOver(
  { comment, statistics }: Definition,
  kept: IndexAttributes | null,
): IndexAttributes | null {
  if (comment === undefined && statistics === undefined) return kept
  const declared = Object.entries(statistics ?? {}).map(([key, target]) => ({
    column: Number(key),
    expression: '',
    target,
  }))
  const others = (kept?.statistics ?? []).filter(({ column }) => declared.every((one) => one.column !== column))
  return {
    ...(kept ?? nothingKept),
    comment: comment ?? kept?.comment ?? null,
    statistics: [...others, ...declared],
  }
}

/** Statements for what is declared of an index that exists, and is not so. */
export function describeSql(
  { name, table, comment, statistics }: Definition,
  existing: ExistingIndex,
): readonly string[] {
  const targets = Object.entries(statistics ?? {}).filter(
    ([key, target]) => existing.statistics.find(({ column }) => column === Number(key))?.target !== target,
  )
  return [
    ...(comment === undefined || comment === existing.comment ? [] : [commentSql(table.schema, name, comment)]),
    ...targets.map(([key, target]) => statisticsTargetSql(table.schema, name, Number(key), target)),
  ]
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
