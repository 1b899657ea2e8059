import type { Place, Problem } from '../errors.js'
import { tenantSchemasSql } from '../sql/catalog/tenants.js'
import { addressOf } from '../text/postgres-url.js'
import { durationMs } from '../text/units.js'
import { filledUrl } from './url-template.js'
import type { WrittenLookup, WrittenTenant } from '../options/tenants-schema.js'
import type { Registry, RegistryRow, TenantRow } from './tenant.js'

export interface Rows {
  readonly rows: readonly TenantRow[]
  readonly problems: readonly Problem[]
}

/** One entry that names its tenant; without server and url it is BAD_VALUE. */
export function writtenTenant(written: WrittenTenant, place: Place): Rows {
  const { id, server = '', url = null, database, role, schema, connection_limit: limit = -1, labels = {} } = written
  if (server === '' && url === null) {
    const message = `tenant ${id}: the key "server" is missing`
    return { rows: [], problems: [{ code: 'BAD_VALUE', message, hint: 'give server or url', place }] }
  }
  if (server === '' && url !== null && addressOf(url) === null)
    return { rows: [], problems: [{ code: 'BAD_VALUE', message: badUrl(String(id)), hint: urlForm, place }] }
  const tenant = { id: String(id), file: place.file, server, database: database ?? null, role: role ?? null, place }
  const texts = Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]))
  const row = { tenant, connectionLimit: limit < 0 ? null : limit, url, schema: schema ?? null, labels: texts }
  return { rows: [row], problems: [] }
}

/** A registry, or the schemas of a database, as they are written; the answer counts for 15 minutes unless the file says otherwise. */
export function writtenRegistry(written: WrittenLookup, place: Place): Registry {
  const { ttl } = 'registry' in written ? written.registry : written.schemas
  const ttlMs = ttl === undefined ? 900_000 : durationMs(ttl)
  if ('schemas' in written) {
    const { url, like } = written.schemas
    return { url, sql: tenantSchemasSql(like), server: null, urlTemplate: url, labelColumns: [], ttlMs, place }
  }
  const { url, sql, server, url_template: template, label_columns: labelColumns = [] } = written.registry
  const { lookup, notify } = written
  return { url, sql, server: server ?? null, urlTemplate: template ?? null, labelColumns, ttlMs, lookup, notify, place }
}

/**
 * Tenants of a registry's rows: id, server (or the registry's) or url (or the registry's template), database, role, schema, connection_limit and
 * the columns of labels. A row without id or server, with a url that is none or names a variable, without a column that the file names or
 * with a limit that is no number, is BAD_VALUE; the first such row is told.
 */
export function registryTenants(rows: readonly RegistryRow[], registry: Registry): Rows {
  const problems: Problem[] = []
  const { place, urlTemplate, labelColumns } = registry
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
    const its = `its columns: ${Object.keys(row).join(', ')}`
    const id = cell('id')
    const server = cell('server') ?? registry.server
    const made = urlTemplate === null ? { url: cell('url') } : filledUrl(urlTemplate, cell)
    if (!('url' in made))
      return 'empty' in made
        ? report(`${which} has no ${made.empty}, which url_template names`, its)
        : report(`${which}: its ${made.noHost} is no name of a host`, 'a host, host:port or [address]:port')
    const { url } = made
    if (id === null || (server === null && url === null))
      return report(
        `${which} has no ${id === null ? 'id' : 'server'}`,
        `${its}; wanted: id, server or url, database, role, connection_limit`,
      )
    if (server === null && url !== null && addressOf(url) === null) return report(badUrl(id), `${which}; ${urlForm}`)
    // Whoever writes the registry's rows would read the environment of whoever runs perfdb.
    if (urlTemplate === null && url !== null && /\$\{\w+\}/.test(url))
      return report(
        `${which}: the url of tenant ${id} names a variable, which only a file may`,
        'url_template: "postgres://app:${PASSWORD}@{host}/{database}"',
      )
    const limit = Number(cell('connection_limit') ?? -1)
    if (!Number.isInteger(limit))
      return report(
        `${which}: connection_limit ${cell('connection_limit')} is not a whole number`,
        'null or -1 is no limit',
      )
    const missing = labelColumns.find((column) => !(column in row))
    if (missing !== undefined) return report(`${which} has no column ${missing}, which label_columns names`, its)
    const tenant = {
      id,
      file: place.file,
      server: server ?? '',
      database: cell('database'),
      role: cell('role'),
      place,
    }
    const labels = Object.fromEntries(labelColumns.flatMap((column) => labelled(column, row[column])))
    return [{ tenant, connectionLimit: limit >= 0 ? limit : null, url, schema: cell('schema'), labels, row: index + 1 }]
  })
  return { rows: tenants, problems }
}

function labelled(column: string, value: unknown): readonly (readonly [string, string])[] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? [[column, String(value)]]
    : []
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
export function badUrl(id: string): string {
  return `tenant ${id}: its url is none of PostgreSQL`
}

export const urlForm =
  'the form is postgres://role:${PASSWORD}@host:5432/database; @ and / of a password are written %40 and %2F'
