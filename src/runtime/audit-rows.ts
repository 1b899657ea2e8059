import { randomUUID } from 'node:crypto'
import { quoteName } from '../definition/quote.js'
import type { AuditWriter } from '../pools/sums/audit.js'

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
 * Deadlock, serialization, lock and slot failures, a server that goes or comes, a line that was cut; and what is wrong with the table and not with a row
 * (no such table, no right): its rows wait for somebody to mend it, and the queue fills.
 */
export function passesByItself(error: unknown): boolean {
  const { code, severity } = Object(error)
  if (typeof code !== 'string') return false
  if (typeof severity === 'string')
    return /^(40001|40P01|55P03|57P0[1-5]|25006|53...|08...|58...|42P01|42501|3F000)$/.test(code)
  return /^(CONNECTION_|CONNECT_|POOL_TIMEOUT|TOO_MANY|TLS_FAILED|E[A-Z]+)/.test(code)
}
