import type { Budget } from '../../pools/judge/budget.js'
import type { PoolServer } from '../../result/documents/pool-result.js'

/** Ten thousand tenants in two hundred services would be two million names, and a document of 55 MB with 200 of each on 50 servers. */
const mostNames = { service: 200, server: 2000, least: 10 }

/** Services with a pool for each tenant: which tenants of this server, and what one of them takes at the peak. */
export function tenantDocuments({ rows }: Budget): Pick<PoolServer, 'tenants'> {
  const pooled = rows.filter(({ service, tenants }) => tenants.length > 0 && service.via.kind === 'direct')
  if (pooled.length === 0) return {}
  const { service: each, server, least } = mostNames
  const names = Math.min(each, Math.max(least, Math.floor(server / pooled.length)))
  return {
    tenants: pooled.map(({ service, tenants, peak }) => ({
      service: service.name,
      count: tenants.length,
      each: Math.round(peak / tenants.length),
      ids: tenants.slice(0, names).map(({ id }) => id),
    })),
  }
}
