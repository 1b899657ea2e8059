import type { Place } from '../../errors.js'
import type { Server } from '../sums/model.js'
import type { TenantRow } from '../../tenants/tenant.js'
import { addressOf, partsOf } from '../../text/postgres-url.js'

/** The server of an address, a declared one where its url says the same; `made` where there is none, which then comes besides. */
export function serverOfUrl(
  servers: readonly Server[],
  url: string,
  make: (name: string) => Server,
): { readonly name: string; readonly made: readonly Server[] } | null {
  const address = addressOf(url)
  if (address === null) return null
  const known = servers.find((server) => server.url !== null && addressOf(server.url) === address)
  return known === undefined ? { name: address, made: [make(address)] } : { name: known.name, made: [] }
}

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
