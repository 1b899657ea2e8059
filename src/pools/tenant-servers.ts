import type { Place } from '../errors.js'
import type { Server } from './model.js'
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
  const known = new Map(servers.flatMap(({ url, name }) => (url === null ? [] : [[addressOf(url), name] as const])))
  const made: Server[] = []
  const placed = rows.map((row): TenantRow => {
    const { tenant, url } = row
    if (tenant.server !== '' || url === null) return row
    const address = addressOf(url)
    if (!known.has(address)) {
      known.set(address, address)
      made.push(make(address, url, tenant.place))
    }
    return {
      ...row,
      tenant: {
        ...tenant,
        server: known.get(address) ?? address,
        database: tenant.database ?? /^[a-z]+:\/\/[^/]*\/([^/?]+)/.exec(url)?.[1] ?? null,
        role: tenant.role ?? /^[a-z]+:\/\/([^:@/]+)(?::[^@]*)?@/.exec(url)?.[1] ?? null,
      },
    }
  })
  return { servers: [...servers, ...made], rows: placed }
}

/** host:port, or the url as it is written where a variable stands for all of it; never user or password. */
function addressOf(url: string): string {
  const host = /^[a-z]+:\/\/(?:[^@/]*@)?([^/?]+)/.exec(url)?.[1]
  if (host === undefined) return /^\$\{\w+\}$/.test(url) ? url : 'a url of a tenant'
  return /:\d+$/.test(host) || host.includes(',') ? host : `${host}:5432`
}
