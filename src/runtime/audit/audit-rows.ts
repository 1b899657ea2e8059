import { randomUUID } from 'node:crypto'
import { quoteName } from '../../definition/quote.js'
import type { AuditWriter } from '../../pools/sums/audit.js'

/** Columns by their names; what is left out has the default of the table. */
export type AuditRow = Readonly<Record<string, unknown>>

/** A row that the caller gave no id gets one here, before it is sent for the first time. */
export function withId(row: AuditRow, column: string): AuditRow {
  return row[column] === undefined ? { ...row, [column]: randomUUID() } : row
}

/** The first rows that have the same columns: one statement writes them, and each column that is left out keeps its default. */
export function alike(rows: readonly AuditRow[]): readonly AuditRow[] {
  const [first] = rows
  if (first === undefined) return []
  const columns = Object.keys(first).join('\0')
  const end = rows.findIndex((row) => Object.keys(row).join('\0') !== columns)
  return rows.slice(0, end < 0 ? rows.length : end)
}

/**
 * One statement for any number of rows, whose types are those of the table's columns. `json_populate_recordset` keeps their order.
 * https://www.postgresql.org/docs/current/functions-json.html
 */
export function insertText({ table, idColumn }: AuditWriter, [first = {}]: readonly AuditRow[]): string {
  const name = table.split('.').map(quoteName).join('.')
  const columns = Object.keys(first).map(quoteName).join(', ')
  const conflict = idColumn === null ? '' : ` on conflict (${quoteName(idColumn)}) do nothing`
  return `insert into ${name} (${columns}) select ${columns} from json_populate_recordset(null::${name}, $1::text::json)${conflict}`
}

/**
 * What lies in the row itself: a value, a constraint, a size. All else (a server that goes or comes, a password that changes, no such table or column, no right)
 * makes the rows wait until it passes or somebody mends it, and the queue fills.
 */
export function refusesRow(error: unknown): boolean {
  const { code, severity } = Object(error)
  return severity === 'ERROR' && /^(2[123]...|42804|44000|5400[01])$/.test(String(code))
}
