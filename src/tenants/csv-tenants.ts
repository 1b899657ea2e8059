import type { Place, Problem } from '../errors.js'
import { several } from '../text/amounts.js'
import { addressOf } from '../text/postgres-url.js'
import { csvRecords, type Cell } from './csv.js'
import { badUrl, urlForm, type Rows } from './rows.js'
import type { WrittenList } from '../options/tenants-schema.js'
import type { TenantRow } from './tenant.js'
import { columnsOf, filledUrl } from './url-template.js'

/**
 * Tenants of a CSV text (RFC 4180, first line names the columns): `id_column` is `id` unless given, and `server` or `server_column`, `url_column` or
 * `url_template` says where each lives. A missing column or cell, a cell too many or a broken quote is BAD_VALUE at its line and column of
 * the CSV file.
 */
export function csvTenants(text: string, file: string, written: WrittenList, listedIn: string): Rows {
  const { records, problem: broken } = csvRecords(text)
  const at = ({ line, column }: { readonly line: number; readonly column: number }): Place => ({ file, line, column })
  const problems: Problem[] = broken === null ? [] : [{ code: 'BAD_VALUE', message: broken.message, place: at(broken) }]
  const [header = [], ...lines] = records
  const names = header.map((cell) => cell.text)
  const { url_template: template, label_columns: labelColumns = [] } = written
  const wanted = [
    written.id_column ?? 'id',
    written.server_column,
    written.database_column,
    written.role_column,
    written.schema_column,
    written.url_column,
    ...(template === undefined ? [] : columnsOf(template)),
    ...labelColumns,
  ].filter((column) => column !== undefined)
  const missing = wanted.filter((column) => !names.includes(column))
  if (missing.length > 0 && broken === null) {
    // Not what stands there: the file may be any that a config names.
    const hint = `the first line names the columns${names.length === 0 ? '' : `, it has ${names.length}`}`
    const message = `no column ${missing.join(', ')} in ${file}`
    return { rows: [], problems: [{ code: 'BAD_VALUE', message, hint, place: at({ line: 1, column: 1 }) }] }
  }
  const rows = lines.flatMap((record): readonly TenantRow[] => {
    const [first = { text: '', line: 1, column: 1 }] = record
    const report = (message: string, place: Cell, hint?: string) => {
      problems.push({ code: 'BAD_VALUE', message, place: at(place), ...(hint !== undefined && { hint }) })
      return []
    }
    if (record.length !== header.length)
      return report(`${several(record.length, 'cell')}, but the header has ${header.length}`, first)
    const cell = (column: string | undefined) => (column === undefined ? undefined : record[names.indexOf(column)])
    const value = (column: string | undefined) => cell(column)?.text || null
    const id = value(written.id_column ?? 'id')
    if (id === null) return report('the tenant has no id', cell(written.id_column ?? 'id') ?? first)
    const server = value(written.server_column) ?? written.server
    const made = template === undefined ? { url: value(written.url_column) } : filledUrl(template, value)
    if (!('url' in made))
      return 'empty' in made
        ? report(`tenant ${id} has no ${made.empty}, which url_template names`, cell(made.empty) ?? first)
        : report(`tenant ${id}: its ${made.noHost} is no name of a host`, cell(made.noHost) ?? first)
    const { url } = made
    const home = cell(written.server_column) ?? cell(written.url_column) ?? first
    if (server === undefined && url === null)
      return report(`tenant ${id} has no server`, home, 'give server, server_column, url_column or url_template')
    if (server === undefined && url !== null && addressOf(url) === null)
      return report(badUrl(id), cell(written.url_column) ?? first, urlForm)
    const tenant = {
      id,
      file: listedIn,
      server: server ?? '',
      database: value(written.database_column),
      role: value(written.role_column),
      place: at(first),
    }
    const labels = Object.fromEntries(labelColumns.map((column) => [column, cell(column)?.text ?? '']))
    return [{ tenant, connectionLimit: null, url, schema: value(written.schema_column), labels }]
  })
  return { rows, problems }
}
