import type { Definition, Key } from '../../definition/definition.js'
import { withConstant } from '../../definition/quote.js'
import type { Session } from '../../server/session/session.js'
import { faithfulSql } from '../../sql/import/import-faithful.js'
import { importedIndexesSql } from '../../sql/catalog/import-catalog.js'
import { readableSql, type Edit, type ReadableSql } from '../../sql/import/import-simplify.js'

/** Which indexes to read: regular expressions that a name must match; an empty list takes all. */
export interface IndexFilter {
  readonly schemas: readonly string[]
  /** Of a table's name, or of `schema.table`. */
  readonly tables: readonly string[]
  readonly indexes: readonly string[]
}

/** Why an index cannot be declared: its constraint (primary key, unique, exclusion), its partitioned parent, an extension's table, its flags. */
export type LeftOut = 'p' | 'u' | 'x' | 'attached' | 'extension' | 'invalid'

export interface LeftOutIndex {
  readonly schema: string
  readonly table: string
  readonly name: string
  readonly leftOut: LeftOut
  /** Of an attached one of a leaf; null of every other one. */
  readonly own: OwnPart | null
}

/** What an index that is attached has of its own, beside the one that it is attached to; null where it has the same. */
export interface OwnPart {
  /** oid of the index of the whole table. */
  readonly root: number
  readonly storage: readonly string[] | null
  readonly comment: string | null
  readonly statistics: Readonly<Record<string, number>> | null
}

/** One thing that may be left out of a key, or of the predicate (null), where the server says that nothing changes. */
export type Simplification =
  | { readonly part: 'opclass' | 'collation'; readonly key: number }
  | { readonly part: 'text'; readonly key: number | null; readonly edit: Edit }
  /** No simpler: the server's very own text, instead of its pretty one. */
  | { readonly part: 'verbatim'; readonly key: number | null; readonly text: string }

/** An existing index as a declaration that may be written in several ways, to be proved one by one. */
export interface UnresolvedIndex {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** COMMENT ON INDEX. */
  readonly comment: string | null
  /** Statistics targets of its expressions, by the number of the key, from 1. */
  readonly statistics: Readonly<Record<string, number>>
  /** Extensions that its opclasses, functions and types come from. */
  readonly extensions: readonly string[]
  /** The role may read its table, so that PostgreSQL answers for it. */
  readonly readable: boolean
  /** False where every part was read as it is and what is left out is the default for certain. */
  readonly doubtful: boolean
  readonly simplifications: readonly Simplification[]
  /** For where the pretty text is not right: the server's own, and the same so that it reads back as it was. */
  readonly verbatim: readonly Simplification[]
  /** In the server's pretty text, with these simplifications. */
  readonly write: (simplifications: readonly Simplification[]) => Definition
}

export interface DeclaredRead {
  readonly drafts: readonly UnresolvedIndex[]
  readonly leftOut: readonly LeftOutIndex[]
}

/** Existing indexes as drafts of declarations, by schema, table and name; one statement, however many there are. */
export async function readDeclared(session: Session, filter: IndexFilter): Promise<DeclaredRead> {
  const text = withConstant(importedIndexesSql(session.versionNum), filter)
  const rows = await session.query<{ document: ImportedRow }>(text)
  const drafts: UnresolvedIndex[] = []
  const leftOut: LeftOutIndex[] = []
  const texts = { readable: rememberPerText(readableSql), faithful: rememberPerText(faithfulSql) }
  for (const { document } of rows) {
    if (document.leftOut === null) drafts.push(await draftOf(document, texts))
    else leftOut.push({ ...document, leftOut: document.leftOut })
  }
  return { drafts, leftOut }
}

interface ImportedKey {
  readonly column: string | null
  readonly pretty: string | null
  readonly text: string | null
  readonly opclass: string
  readonly opclassSchema: string
  readonly opclassDefault: boolean
  readonly opclassOwn: boolean | null
  readonly opclassParameters: readonly string[]
  readonly collation: string | null
  readonly collationSchema: string | null
  readonly collationOwn: boolean | null
  readonly descending: boolean
  readonly nullsFirst: boolean
}

interface ImportedRow {
  readonly oid: number
  readonly schema: string
  readonly table: string
  readonly name: string
  readonly leftOut: LeftOut | null
  readonly method: string
  readonly keys: readonly ImportedKey[]
  readonly include: readonly string[]
  readonly predicate: string | null
  readonly prettyPredicate: string | null
  readonly unique: boolean
  readonly nullsDistinct: boolean
  readonly storage: readonly string[]
  readonly tablespace: string | null
  readonly readable: boolean
  readonly comment: string | null
  readonly statistics: Readonly<Record<string, number>>
  readonly own: OwnPart | null
  readonly extensions: readonly string[]
}

/** Applications say the same on many tables. */
interface Texts {
  readonly readable: (sql: string) => Promise<ReadableSql>
  readonly faithful: (sql: string) => Promise<string>
}

function rememberPerText<To>(make: (text: string) => To): (text: string) => To {
  const made = new Map<string, To>()
  return (text) => {
    const value = made.get(text) ?? make(text)
    made.set(text, value)
    return value
  }
}

async function draftOf(row: ImportedRow, { readable: read, faithful }: Texts): Promise<UnresolvedIndex> {
  const readable = await Promise.all(row.keys.map(async ({ pretty }) => (pretty === null ? null : read(pretty))))
  const predicate = row.prettyPredicate === null ? null : await read(row.prettyPredicate)
  const texts = [...row.keys.map(({ text }, key) => ({ key, text })), { key: null, text: row.predicate }]
  const simplifications = [
    ...row.keys.flatMap((key, position) => keySimplifications(key, position, readable[position] ?? null)),
    ...(predicate?.edits ?? []).map((edit) => ({ part: 'text', key: null, edit }) as const),
  ]
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    comment: row.comment,
    statistics: row.statistics,
    extensions: row.extensions,
    readable: row.readable,
    doubtful: simplifications.length > 0 || texts.some(({ text }) => text !== null) || row.keys.some(oddlyNamed),
    simplifications,
    verbatim: (await Promise.all(texts.map(async ({ key, text }) => verbatimOf(key, text, faithful)))).flat(),
    write: (chosen) => {
      const of = (target: number | null) => chosen.filter(({ key }) => key === target)
      const text = predicate === null ? undefined : textOf(predicate, of(null))
      return {
        name: row.name,
        table: { schema: row.schema, name: row.table },
        method: row.method,
        keys: row.keys.map((key, position) => keyOf(key, readable[position] ?? null, of(position))),
        include: row.include,
        ...(text === undefined ? {} : { predicate: text }),
        unique: row.unique,
        nullsDistinct: row.nullsDistinct,
        storage: settings(row.storage),
        ...(row.tablespace === null ? {} : { tablespace: row.tablespace }),
      }
    },
  }
}

async function verbatimOf(
  key: number | null,
  text: string | null,
  faithful: Texts['faithful'],
): Promise<readonly Simplification[]> {
  if (text === null) return []
  return [...new Set([text, await faithful(text)])].map((one) => ({ part: 'verbatim', key, text: one }))
}

function textOf(readable: ReadableSql, chosen: readonly Simplification[]): string {
  const verbatim = chosen.find((one) => one.part === 'verbatim')
  return verbatim?.text ?? readable.print(chosen.flatMap((one) => (one.part === 'text' ? [one.edit] : [])))
}

function keySimplifications(
  { opclassDefault, opclassOwn, opclassParameters, column, collation }: ImportedKey,
  key: number,
  readable: ReadableSql | null,
): readonly Simplification[] {
  return [
    ...(opclassDefault && opclassOwn !== true && opclassParameters.length === 0
      ? [{ part: 'opclass', key } as const]
      : []),
    // What collation an expression has by itself is in no catalog.
    ...(column === null && collation !== null ? [{ part: 'collation', key } as const] : []),
    ...(readable?.edits ?? []).map((edit) => ({ part: 'text', key, edit }) as const),
  ]
}

function keyOf(key: ImportedKey, readable: ReadableSql | null, left: readonly Simplification[]): Key {
  const { column, opclass, opclassSchema, opclassOwn, collation, collationSchema, collationOwn } = key
  const parameters = settings(key.opclassParameters)
  const parametrized = Object.keys(parameters).length > 0
  const noOpclass = (opclassOwn === true || left.some(({ part }) => part === 'opclass')) && !parametrized
  const noCollation = collation === null || collationOwn === true || left.some(({ part }) => part === 'collation')
  return {
    ...(column === null ? { expression: readable === null ? '' : textOf(readable, left) } : { column }),
    ...(noOpclass ? {} : { opclass: qualified(opclassSchema, opclass) }),
    ...(parametrized ? { opclassParameters: parameters } : {}),
    ...(noCollation ? {} : { collation: qualified(collationSchema, collation) }),
    ...(key.descending ? { order: 'desc' } : {}),
    ...(key.nullsFirst === key.descending ? {} : { nulls: key.nullsFirst ? 'first' : 'last' }),
  }
}

function qualified(schema: string | null, name: string): string {
  return schema === null || schema === 'pg_catalog' ? name : `${schema}.${name}`
}

/** A definition writes them as `schema.name`: with a dot within, only the server can say what was understood. */
function oddlyNamed({ opclass, opclassSchema, collation, collationSchema, collationOwn }: ImportedKey): boolean {
  const names = [opclass, opclassSchema, ...(collationOwn === true ? [] : [collation ?? '', collationSchema ?? ''])]
  return names.some((name) => name.includes('.'))
}

/** `{fillfactor=90}` of pg_class.reloptions and pg_attribute.attoptions; a value may hold an equals sign. */
function settings(options: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    options.map((option) => {
      const equals = option.indexOf('=')
      return [option.slice(0, equals), option.slice(equals + 1)]
    }),
  )
}
