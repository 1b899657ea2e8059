import { quoteName } from '../definition/quote.js'
import type { TableName } from '../definition/definition.js'
import { PerfdbError } from '../errors.js'
import type { Session } from '../server/session/session.js'
import { updatedColumns, type Updated } from '../sql/parser/parser-updates.js'
import { statementsSchemaSql, tableStatisticsSql, updateStatementsSql } from '../sql/catalog/table-statistics.js'
import type { TableStatistics } from './snapshot.js'

/** Statistics of the tables that something is to be built on, read only then. */
export async function readTableStatistics(
  session: Session,
  tables: readonly TableName[],
): Promise<readonly TableStatistics[]> {
  if (tables.length === 0) return []
  const rows = await session.query<{ document: Omit<TableStatistics, 'updatedColumns'> }>(tableStatisticsSql, [
    JSON.stringify(tables.map(({ schema, name }) => ({ schema, name }))),
  ])
  const documents = rows.map((row) => row.document)
  const updated = documents.some(({ hotUpdates }) => hotUpdates > 0) ? await readUpdates(session, tables) : null
  return documents.map((document) => ({
    ...document,
    updatedColumns:
      updated === null
        ? null
        : [...new Set(updated.filter((one) => isOf(one, document)).flatMap((one) => one.columns))],
  }))
}

/** Columns that the application's own UPDATEs set, by pg_stat_statements; null where it is not installed or may not be read. */
async function readUpdates(session: Session, tables: readonly TableName[]): Promise<readonly Updated[] | null> {
  const [found] = await session.query<{ schema: string }>(statementsSchemaSql)
  if (found === undefined) return null
  try {
    const names = JSON.stringify(tables.map((table) => table.name))
    const rows = await session.query<{ query: string }>(updateStatementsSql(quoteName(found.schema)), [names])
    return (await Promise.all(rows.map((row) => updatedColumns(row.query)))).flat()
  } catch (error) {
    // Not in shared_preload_libraries (55000), or no privilege: then nothing is known of the application's statements.
    if (error instanceof PerfdbError && (error.sqlstate === '55000' || error.sqlstate === '42501')) return null
    throw error
  }
}

function isOf(updated: Updated, table: TableName): boolean {
  return updated.table === table.name && (updated.schema === null || updated.schema === table.schema)
}
