import type { Definition, TableName } from '../../definition/definition.js'
import { withConstant } from '../../definition/quote.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { copiedColumnsSql } from '../../sql/catalog/copied-columns.js'
import { createIndexSql } from '../../sql/ddl/index-ddl.js'
import { tableKey } from './probe-copies.js'
import { tablesOf, type Trust } from '../trust.js'

/** Of each table by its key, its columns as its copy has them; a table that cannot be copied as it is (partitioned, not to be read) is missing. */
export type CopiedColumns = ReadonlyMap<string, Readonly<Record<string, string>>>

/** One statement, however many tables there are. */
export async function readCopiedColumns(session: Session, declared: readonly DeclaredIndex[]): Promise<CopiedColumns> {
  const tables = tablesOf(declared.map(({ definition }) => definition))
  const rows = await session.query<TableName & { readonly columns: Readonly<Record<string, string>> }>(
    withConstant(copiedColumnsSql, [...tables.values()]),
  )
  return new Map(rows.map((row) => [tableKey(row), row.columns]))
}

/**
 * For each declaration the first one of which PostgreSQL makes the same, itself where there is none before it: what it makes of a text depends on
 * the text, search_path, who computes it and the columns that the text names. Applications have the same index on hundreds of tables.
 */
export function firstAlike(
  declared: readonly DeclaredIndex[],
  { trust, columns }: { readonly trust: ReadonlyMap<Definition, Trust>; readonly columns: CopiedColumns },
): ReadonlyMap<DeclaredIndex, DeclaredIndex> {
  const first = new Map<string, DeclaredIndex>()
  return new Map(
    declared.map((index) => {
      const { definition } = index
      const own = columns.get(tableKey(definition.table))
      const question = own === undefined ? undefined : questionOf(definition, own, trust.get(definition)?.owner ?? null)
      if (question === undefined) return [index, index]
      const known = first.get(question) ?? index
      first.set(question, known)
      return [index, known]
    }),
  )
}

function questionOf(
  definition: Definition,
  columns: Readonly<Record<string, string>>,
  owner: string | null,
): string | undefined {
  const text = createIndexSql(definition, { concurrently: false, name: 'i', table: 't', placed: false })
  // A name may be written by its code points, or be that of the copy itself, as a row of all its columns.
  if (/u&|perfdb_probe/i.test(text)) return undefined
  // A name that stands somewhere in the text may be meant there; one that needs quotes may stand there in other letters.
  const lower = text.toLowerCase()
  const named = Object.entries(columns).filter(([name]) => !/^[a-z0-9_]+$/.test(name) || lower.includes(name))
  return JSON.stringify([definition.table.schema, owner, text, named.toSorted(([a], [b]) => (a < b ? -1 : 1))])
}
