import type { Definition, Key, TableName } from '../../definition/definition.js'
import { quoteLiteral, quoteName, quoteQualified } from '../../definition/quote.js'

export interface CreateOptions {
  readonly concurrently: boolean
  /** Another name than the definition's, for a build that is renamed later. */
  readonly name?: string
  /** Another table, already quoted: the probe's. */
  readonly table?: string
  /** Leave TABLESPACE out: a temporary index cannot be placed. */
  readonly placed?: boolean
}

/**
 * CREATE INDEX for a definition. Never IF NOT EXISTS: it succeeds silently over an invalid or different index.
 * https://www.postgresql.org/docs/current/sql-createindex.html
 */
export function createIndexSql(definition: Definition, options: CreateOptions): string {
  const { table, method, unique, include, nullsDistinct, storage, tablespace, predicate } = definition
  const target = options.table ?? quoteQualified(table.schema, table.name)
  const parts = [
    `create${unique ? ' unique' : ''} index${options.concurrently ? ' concurrently' : ''} ${quoteName(options.name ?? definition.name)}`,
    `on ${target} using ${quoteName(method)} (${definition.keys.map(keySql).join(', ')})`,
    include.length > 0 ? `include (${include.map(quoteName).join(', ')})` : '',
    nullsDistinct ? '' : 'nulls not distinct',
    parametersSql('with ', storage),
    tablespace !== undefined && options.placed !== false ? `tablespace ${quoteName(tablespace)}` : '',
    predicate === undefined ? '' : `where ${predicate}`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}

/** DROP INDEX CONCURRENTLY, schema-qualified: an unqualified one follows search_path to another schema's index. */
export function dropIndexSql(schema: string, name: string): string {
  return `drop index concurrently ${quoteQualified(schema, name)}`
}

/** https://www.postgresql.org/docs/current/sql-alterindex.html: SHARE UPDATE EXCLUSIVE on the index since 12. */
export function renameIndexSql(schema: string, from: string, to: string): string {
  return `alter index ${quoteQualified(schema, from)} rename to ${quoteName(to)}`
}

export function commentSql(schema: string, name: string, comment: string): string {
  return `comment on index ${quoteQualified(schema, name)} is ${quoteLiteral(comment)}`
}

/** Of an expression, by the number of its key: it has no name. */
export function statisticsTargetSql(schema: string, name: string, column: number, target: number): string {
  return `alter index ${quoteQualified(schema, name)} alter column ${column} set statistics ${target}`
}

/** All storage parameters of an index that has `before`; they count for what is written from now on, and for all of it after a REINDEX. */
export function storageSql(
  schema: string,
  name: string,
  storage: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): readonly string[] {
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(storage, key))
  const index = `alter index ${quoteQualified(schema, name)}`
  return [
    ...(Object.keys(storage).length === 0 ? [] : [`${index} ${parametersSql('set ', storage)}`]),
    ...(gone.length === 0 ? [] : [`${index} reset (${gone.map(quoteName).join(', ')})`]),
  ]
}

/** Dropped with the extension. ACCESS EXCLUSIVE on the index, for a moment. */
export function dependsOnSql(schema: string, name: string, extension: string): string {
  return `alter index ${quoteQualified(schema, name)} depends on extension ${quoteName(extension)}`
}

/** Only marks the index: nothing is sorted. */
export function clusterOnSql({ schema, name }: TableName, index: string): string {
  return `alter table ${quoteQualified(schema, name)} cluster on ${quoteName(index)}`
}

/** ACCESS EXCLUSIVE on the table, for a moment. */
export function replicaIdentitySql({ schema, name }: TableName, index: string): string {
  return `alter table ${quoteQualified(schema, name)} replica identity using index ${quoteName(index)}`
}

/** The keys as SQL, for the comparison by EXPLAIN where no probe can be made. */
export function keyExpressionSql(key: Key): string {
  return key.column === undefined ? `(${key.expression ?? ''})` : quoteName(key.column)
}

/** A key as CREATE INDEX takes it. */
export function keySql(key: Key): string {
  const parts = [
    keyExpressionSql(key),
    key.collation === undefined ? '' : `collate ${collationSql(key.collation)}`,
    key.opclass === undefined ? '' : qualifiedSql(key.opclass) + parametersSql('', key.opclassParameters ?? {}),
    key.order ?? '',
    key.nulls === undefined ? '' : `nulls ${key.nulls}`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}

function parametersSql(lead: string, parameters: Readonly<Record<string, string>>): string {
  const entries = Object.entries(parameters)
  if (entries.length === 0) return ''
  return `${lead}(${entries.map(([name, value]) => `${quoteName(name)} = ${quoteLiteral(value)}`).join(', ')})`
}

/** `name` or `schema.name`, split at the first dot. */
function qualifiedSql(name: string): string {
  const dot = name.indexOf('.')
  return dot < 0 ? quoteName(name) : quoteQualified(name.slice(0, dot), name.slice(dot + 1))
}

/** Names of operating-system locales hold a dot themselves: en_US.utf8, C.UTF-8. */
function collationSql(name: string): string {
  return /^(C|POSIX|[a-z]{2,3}(_[A-Z]{2})?)\./.test(name) ? quoteName(name) : qualifiedSql(name)
}
