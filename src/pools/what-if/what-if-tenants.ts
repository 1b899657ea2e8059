import { PerfdbError } from '../../errors.js'
import { groupBy } from '../sums/demand.js'
import type { Deployment } from '../sums/model.js'
import type { Tenant } from '../../tenants/tenant.js'

/**
 * The deployment with so many tenants in all (`tenants=20000`), spread over files and servers as the known ones are, each share rounded up; where none
 * are known, on the only server. Tenants beyond the known ones have no name, database and role. Throws BAD_OPTION.
 */
export function withTenants(deployment: Deployment, count: number, option: string): Deployment {
  if (!deployment.services.some((service) => service.pool.perTenant))
    throw new PerfdbError('BAD_OPTION', `${option}: no service has a pool for each tenant`, {
      hint: 'pool: { per_tenant: true }',
    })
  const known = deployment.tenants.length > 0 ? deployment.tenants : onlyServer(deployment, option)
  const groups = groupBy(known, (tenant) => JSON.stringify([tenant.file, tenant.server]))
  const tenants = [...groups.values()].flatMap((own) => resizedTo(own, Math.ceil((own.length * count) / known.length)))
  return { ...deployment, tenants }
}

function resizedTo(own: readonly Tenant[], count: number): readonly Tenant[] {
  const [first] = own
  if (first === undefined || count <= own.length) return own.slice(0, count)
  const added = Array.from({ length: count - own.length }, (_, index): Tenant => ({
    ...first,
    id: `tenant ${own.length + index + 1} of ${first.server}`,
    database: null,
    role: null,
  }))
  return [...own, ...added]
}

function onlyServer({ servers }: Deployment, option: string): readonly Tenant[] {
  const [only, ...others] = servers
  if (only === undefined || others.length > 0)
    throw new PerfdbError('BAD_OPTION', `${option}: no tenants are known, and there are ${servers.length} servers`, {
      hint: 'leave --offline out where a registry tells them, or list one tenant of each server',
    })
  return [
    { id: `tenant 1 of ${only.name}`, file: '', server: only.name, database: null, role: null, place: only.place },
  ]
}
