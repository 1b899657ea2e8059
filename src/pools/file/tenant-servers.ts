import type { Place } from '../../errors.js'
import type { Server } from '../sums/model.js'
import type { TenantRow } from './tenants.js'

/**
 * Servers of tenants that name a url and no server: one for each host and port, a declared one where its url says the same. Database and role
 * are those of the url unless the tenant names its own. Two names of one host are told apart here, and found to be one by a look at it.
 */
export function withTenantServers(
  servers: readonly Server[],
  rows: readonly TenantRow[],
  make: (name: string, url: string, place: Place) => Server,
): { readonly servers: readonly Server[]; readonly rows: readonly TenantRow[] } {
  const known = new Map(servers.map(({ url, name }) => [url === null ? null : addressOf(url), name] as const))
  const made: Server[] = []
  const placed = rows.map((row): TenantRow => {
    const { tenant, url } = row
    const address = url === null ? null : addressOf(url)
    if (tenant.server !== '' || url === null || address === null) return row
    const name = known.get(address) ?? address
    if (!known.has(address)) {
      known.set(address, name)
      made.push(make(name, url, tenant.place))
    }
    const { role, database } = partsOf(url)
    return {
      ...row,
      tenant: { ...tenant, server: name, database: tenant.database ?? database, role: tenant.role ?? role },
    }
  })
  return { servers: [...servers, ...made], rows: placed }
}

/** Scheme, role, password, hosts, database. A password may hold an @ that nobody escaped; what has one in its path has a / in its password. */
const urlPattern =
  /^postgres(?:ql)?:\/\/(?:([^:@/?]*)(?::([^/?]*))?@)?((?:\[[\da-f:.]+\]|[^/?@:,]*)(?::(?:\d+|\$\{\w+\}))?(?:,[^/?@]*)?)(?:\/([^?@]*))?(?:\?(?:\w+=[^&]*&?)*)?$/i

/**
 * host:port of a url as it is written, or the whole of it where a variable stands for all; null for what is no url of PostgreSQL. Never a part of
 * a password.
 */
export function addressOf(url: string): string | null {
  if (/^\$\{\w+\}$/.test(url)) return url
  const host = urlPattern.exec(url)?.[3]
  if (host === undefined) return null
  if (host === '') return 'localhost:5432'
  return /:(\d+|\$\{\w+\})$/.test(host) || host.includes(',') ? host : `${host}:5432`
}

/** The password that a url writes out; undefined where it has none, or a variable for it. */
export function literalPassword(url: string): string | undefined {
  const password = urlPattern.exec(url)?.[2]
  return password === undefined || password === '' || /^\$\{\w+\}$/.test(password) ? undefined : password
}

function partsOf(url: string): { readonly role: string | null; readonly database: string | null } {
  const [, role, , , database] = urlPattern.exec(url) ?? []
  return { role: decoded(role), database: decoded(database) }
}

function decoded(text: string | undefined): string | null {
  if (text === undefined || text === '') return null
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
