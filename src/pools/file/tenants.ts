import type { Place, Problem } from '../../errors.js'
import { csvRecords, type Cell } from './csv.js'
import type { Registry, Tenant } from '../sums/model.js'
import type { WrittenTenants } from './schema.js'
import { several } from '../../text/amounts.js'
import { durationMs } from '../../text/units.js'
import { addressOf } from '../sums/url.js'

/** A tenant with the CONNECTION LIMIT that the file gives it; null is none. */
export interface TenantRow {
  readonly tenant: Tenant
  readonly connectionLimit: number | null
  /** Where it lives, when it names no server. */
  readonly url: string | null
  /** Of a registry, from 1. */
  readonly row?: number
}

type TenantsFrom = Extract<WrittenTenants, { ids_from: string }>
type WrittenRegistry = Extract<WrittenTenants, { registry: unknown }>

/** One entry that names its tenant; without server and url it is BAD_VALUE. */
export function writtenTenant(
  written: Exclude<WrittenTenants, TenantsFrom | WrittenRegistry>,
  place: Place,
): { readonly rows: readonly TenantRow[]; readonly problems: readonly Problem[] } {
  const { id, server = '', url = null, database, role, connection_limit: limit = -1 } = written
  if (server === '' && url === null) {
    const message = `tenant ${id}: the key "server" is missing`
    return { rows: [], problems: [{ code: 'BAD_VALUE', message, hint: 'give server or url', place }] }
  }
  if (server === '' && url !== null && addressOf(url) === null)
    return { rows: [], problems: [{ code: 'BAD_VALUE', message: badUrl(String(id)), hint: urlForm, place }] }
  const tenant = { id: String(id), file: place.file, server, database: database ?? null, role: role ?? null, place }
  return { rows: [{ tenant, connectionLimit: limit < 0 ? null : limit, url }], problems: [] }
}

/**
 * Tenants of a CSV text (RFC 4180, first line names the columns): `id_column` is `id` unless given, and `server` or `server_column` says
 * where each lives. A missing column or cell, a cell too many or a broken quote is BAD_VALUE at its line and column of the CSV file.
 */
export function csvTenants(
  text: string,
  file: string,
  written: TenantsFrom,
  listedIn: string,
): { readonly rows: readonly TenantRow[]; readonly problems: readonly Problem[] } {
  const { records, problem: broken } = csvRecords(text)
  const at = ({ line, column }: { readonly line: number; readonly column: number }): Place => ({ file, line, column })
  const problems: Problem[] = broken === null ? [] : [{ code: 'BAD_VALUE', message: broken.message, place: at(broken) }]
  const [header = [], ...lines] = records
  const names = header.map((cell) => cell.text)
  const wanted = [
    written.id_column ?? 'id',
    written.server_column,
    written.database_column,
    written.role_column,
    written.url_column,
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
    const url = value(written.url_column)
    const home = cell(written.server_column) ?? cell(written.url_column) ?? first
    if (server === undefined && url === null)
      return report(`tenant ${id} has no server`, home, 'give server, server_column or url_column')
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
    return [{ tenant, connectionLimit: null, url }]
  })
  return { rows, problems }
}

/** A row of a registry: columns by these names, as the statement calls them; others are left alone. */
export type RegistryRow = Readonly<Record<string, unknown>>

/** A registry as it is written; its answer counts for 15 minutes unless the file says otherwise. */
export function writtenRegistry({ registry }: WrittenRegistry, place: Place): Registry {
  const { url, sql, server, ttl } = registry
  return { url, sql, server: server ?? null, ttlMs: ttl === undefined ? 900_000 : durationMs(ttl), place }
}

/**
 * Tenants of a registry's rows: id, server (or the registry's) or url, database, role, connection_limit. A row without id or server, with a url
 * that is none or a limit that is no number, is BAD_VALUE; the first such row is told.
 */
export function registryTenants(
  rows: readonly RegistryRow[],
  registry: Registry,
): { readonly rows: readonly TenantRow[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const { place } = registry
  const report = (message: string, hint: string) => {
    if (problems.length === 0) problems.push({ code: 'BAD_VALUE', message, hint, place })
    return []
  }
  const tenants = rows.flatMap((row, index): readonly TenantRow[] => {
    const cell = (column: string) => {
      const value = row[column]
      return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : null
    }
    const which = `row ${index + 1} of the registry`
    const id = cell('id')
    const server = cell('server') ?? registry.server
    const url = cell('url')
    if (id === null || (server === null && url === null))
      return report(
        `${which} has no ${id === null ? 'id' : 'server'}`,
        `its columns: ${Object.keys(row).join(', ')}; wanted: id, server or url, database, role, connection_limit`,
      )
    if (server === null && url !== null && addressOf(url) === null) return report(badUrl(id), `${which}; ${urlForm}`)
    const limit = Number(cell('connection_limit') ?? -1)
    if (!Number.isInteger(limit))
      return report(
        `${which}: connection_limit ${cell('connection_limit')} is not a whole number`,
        'null or -1 is no limit',
      )
    const tenant = {
      id,
      file: place.file,
      server: server ?? '',
      database: cell('database'),
      role: cell('role'),
      place,
    }
    return [{ tenant, connectionLimit: limit >= 0 ? limit : null, url, row: index + 1 }]
  })
  return { rows: tenants, problems }
}

/** The same id twice in the lists of one file: its pools would be counted twice. The first such tenant of each list is told. */
export function duplicateTenants(rows: readonly TenantRow[]): readonly Problem[] {
  const seen = new Map<string, TenantRow>()
  return rows.flatMap((row): readonly Problem[] => {
    const first = seen.get(row.tenant.id)
    if (first === undefined) {
      seen.set(row.tenant.id, row)
      return []
    }
    const { place } = row.tenant
    const message = `tenant ${row.tenant.id} is listed twice`
    return [{ code: 'BAD_VALUE', message, hint: `first ${whereOf(first)}`, place }]
  })
}

function whereOf({ row, tenant: { place } }: TenantRow): string {
  return row === undefined ? `at ${place.file}:${place.line}:${place.column}` : `in row ${row} of the registry`
}

/** Never the url itself: it may hold a password. */
function badUrl(id: string): string {
  return `tenant ${id}: its url is none of PostgreSQL`
}

const urlForm =
  'the form is postgres://role:${PASSWORD}@host:5432/database; @ and / of a password are written %40 and %2F'
