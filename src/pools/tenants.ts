import type { Place, Problem } from '../errors.js'
import type { Registry, Tenant } from './model.js'
import type { WrittenTenants } from './schema.js'
import { durationMs } from './units.js'

/** A tenant with the CONNECTION LIMIT that the file gives it; null is none. */
export interface TenantRow {
  readonly tenant: Tenant
  readonly connectionLimit: number | null
  /** Where it lives, when it names no server. */
  readonly url: string | null
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
  const tenant = { id: String(id), file: place.file, server, database: database ?? null, role: role ?? null, place }
  return { rows: [{ tenant, connectionLimit: limit < 0 ? null : limit, url }], problems: [] }
}

/**
 * Tenants of a CSV text (RFC 4180, first line names the columns): `id_column` is `id` unless given, and `server` or `server_column` says
 * where each lives. A missing column or an empty server is BAD_VALUE at the line of the CSV file.
 */
export function csvTenants(
  text: string,
  file: string,
  written: TenantsFrom,
  listedIn: string,
): { readonly rows: readonly TenantRow[]; readonly problems: readonly Problem[] } {
  const [header = [], ...records] = csvRecords(text)
  const columns = [
    written.id_column ?? 'id',
    written.server_column,
    written.database_column,
    written.role_column,
    written.url_column,
  ].filter((column) => column !== undefined)
  const missing = columns.filter((column) => !header.includes(column))
  const at = (line: number): Place => ({ file, line, column: 1 })
  if (missing.length > 0) {
    const message = `no column ${missing.join(', ')} in ${file}`
    return {
      rows: [],
      problems: [{ code: 'BAD_VALUE', message, hint: `its columns: ${header.join(', ')}`, place: at(1) }],
    }
  }
  const problems: Problem[] = []
  const rows = records.map((record, index): TenantRow => {
    const cell = (column: string | undefined) =>
      (column === undefined ? undefined : record[header.indexOf(column)]) || null
    const place = at(index + 2)
    const server = cell(written.server_column) ?? written.server
    const url = cell(written.url_column)
    if (server === undefined && url === null)
      problems.push({
        code: 'BAD_VALUE',
        message: 'the tenant has no server',
        hint: 'give server, server_column or url_column',
        place,
      })
    const id = cell(written.id_column ?? 'id') ?? String(index + 1)
    return {
      tenant: {
        id,
        file: listedIn,
        server: server ?? '',
        database: cell(written.database_column),
        role: cell(written.role_column),
        place,
      },
      connectionLimit: null,
      url,
    }
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

/** Tenants of a registry's rows: id, server (or the registry's) or url, database, role, connection_limit. A row without id or server is BAD_VALUE. */
export function registryTenants(
  rows: readonly RegistryRow[],
  registry: Registry,
): { readonly rows: readonly TenantRow[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const { place } = registry
  const tenants = rows.map((row, index): TenantRow => {
    const cell = (column: string) => {
      const value = row[column]
      return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : null
    }
    const id = cell('id')
    const server = cell('server') ?? registry.server
    const url = cell('url')
    if (id === null || (server === null && url === null)) {
      const missing = id === null ? 'id' : 'server'
      const hint = `its columns: ${Object.keys(row).join(', ')}; wanted: id, server or url, database, role, connection_limit`
      if (problems.length === 0)
        problems.push({
          code: 'BAD_VALUE',
          message: `row ${index + 1} of the registry has no ${missing}`,
          hint,
          place,
        })
    }
    const limit = Number(cell('connection_limit') ?? -1)
    return {
      tenant: {
        id: id ?? '',
        file: place.file,
        server: server ?? '',
        database: cell('database'),
        role: cell('role'),
        place,
      },
      connectionLimit: Number.isInteger(limit) && limit >= 0 ? limit : null,
      url,
    }
  })
  return { rows: tenants, problems }
}

/** Records of cells; empty lines are none. */
function csvRecords(text: string): readonly (readonly string[])[] {
  const records: string[][] = []
  let record: string[] = []
  for (const [, quoted, plain = '', end] of text
    .replace(/^\uFEFF/, '')
    .matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n"]*))(,|\r?\n|$)/g)) {
    record.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    if (record.some((cell) => cell !== '')) records.push(record)
    record = []
  }
  return records
}
