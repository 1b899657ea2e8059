import type { PoolFinding, Service } from '../sums/model.js'
import { activeTenants, tenantsOf } from '../sums/demand.js'
import type { Tenant } from '../../tenants/tenant.js'
import { several } from '../../text/amounts.js'

/** TENANTS_ACTIVE: fewer tenants than there are count, told with how many; TENANTS_KEPT: that it does not help. */
export function judgeTenants(service: Service, all: readonly Tenant[]): readonly PoolFinding[] {
  const { pool } = service
  if (pool.active === null) return []
  if (!pool.perTenant) {
    const message = `${service.name}: pool.active counts tenants, and it has no pool for each tenant`
    return [
      {
        ...about(service),
        code: 'TENANTS_KEPT',
        severity: 'warning',
        message,
        hint: 'per_tenant: true, or no pool.active',
      },
    ]
  }
  const there = tenantsOf(service, all).length
  const active = activeTenants(pool)
  if (active === null) {
    const message = `${service.name}: ${pool.active.tenants} of ${several(there, 'tenant')} are active at once, but a pool that was opened once stays open: no idle_timeout is declared, so all count`
    return [
      {
        ...about(service),
        code: 'TENANTS_KEPT',
        severity: 'warning',
        message,
        hint: 'pool.idle_timeout: 1min, as its driver has it',
      },
    ]
  }
  const when = pool.active.part === null ? '' : ` (${pool.active.part})`
  const kept = pool.min === 0 ? '' : `; the others keep their minimum of ${pool.min}`
  const message = `${service.name}: pools of ${Math.min(active, there)} of ${several(there, 'tenant')} count${when}, all on one server where they may be${kept}`
  return [{ ...about(service), code: 'TENANTS_ACTIVE', severity: 'info', message }]
}

function about({ name, server, poolPlace }: Service): Pick<PoolFinding, 'server' | 'service' | 'place'> {
  return { ...(server !== null && { server }), service: name, place: poolPlace }
}
