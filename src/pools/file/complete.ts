import type { Place, Problem } from '../../errors.js'
import { completePooler } from './complete-pooler.js'
import { completeService } from './complete-service.js'
import type { Reporter } from './reporter.js'
import { literalPasswords } from './literal-passwords.js'
import type { MemorySettings } from '../sums/memory.js'
import type { PoolFinding, PoolsFile, RoleLimit, Server, RoleSetting } from '../sums/model.js'
import { providerLimits, providerSizes } from '../sums/providers.js'
import type { WrittenPools, WrittenServer } from './schema.js'
import { serverOfUrl, withTenantServers } from './tenant-servers.js'
import type { Registry, TenantRow } from '../../tenants/tenant.js'
import { durationMs, sizeBytes } from '../../text/units.js'
import { optional } from './complete-work.js'

/**
 * A written pools file with every default filled in and every place kept; `listed` tenants come with their own. Problems are
 * BAD_VALUE; names are not resolved yet.
 */
export function completePools(
  file: string,
  written: WrittenPools,
  listed: readonly TenantRow[],
  at: Reporter['at'],
  registries: readonly Registry[] = [],
): { readonly value: PoolsFile; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const findings: PoolFinding[] = []
  const reporter: Reporter = {
    at,
    problem(path, message, hint) {
      problems.push({ code: 'BAD_VALUE', message, place: at(path), ...(hint !== undefined && { hint }) })
    },
    find({ path, ...finding }) {
      findings.push({ ...finding, ...(path[0] === 'services' && { service: String(path[1]) }), place: at(path) })
    },
  }
  const countTerminating = written.defaults?.count_terminating ?? true
  const declared = Object.entries(written.servers ?? {}).map(([name, server]) =>
    completeServer(name, server, written.defaults, reporter),
  )
  const make = (name: string, url: string, place: Place): Server => ({
    ...completeServer(name, { url }, written.defaults, reporter),
    place,
  })
  const { servers: homes, rows: tenants } = withTenantServers(declared, listed, make)
  const asked = registries.find((registry) => registry.lookup !== undefined)
  const master = asked && serverOfUrl(homes, asked.url, (name) => make(name, asked.url, asked.place))
  const lookup = master ? { server: master.name, connections: asked?.notify === undefined ? 1 : 2 } : null
  const servers = [...homes, ...(master?.made ?? [])].map((server) => withTenantLimits(server, tenants))
  const services = Object.entries(written.services ?? {}).map(([name, service]) =>
    completeService(name, service, countTerminating, reporter, lookup),
  )
  const poolers = Object.entries(written.poolers ?? {}).map(([name, pooler]) =>
    completePooler(name, pooler, servers, reporter),
  )
  // A registry is no file: what it answers is not written down anywhere.
  const fromFile = tenants.filter((row) => row.row === undefined)
  return {
    value: {
      file,
      servers,
      tenants: tenants.map((row) => row.tenant),
      services,
      poolers,
      rows: tenants,
      registries,
      findings: [...findings, ...literalPasswords(declared, poolers, fromFile)],
    },
    problems,
  }
}

function completeServer(
  name: string,
  written: WrittenServer,
  defaults: WrittenPools['defaults'],
  reporter: Reporter,
): Server {
  const path = ['servers', name]
  const { provider } = written
  const size = provider && String(provider.size)
  if (
    provider &&
    size &&
    written.max_connections === undefined &&
    written.url === undefined &&
    providerLimits(provider.name, size) === null
  ) {
    const known = providerSizes[provider.name.toLowerCase()]
    const hint =
      known === undefined
        ? `known: ${Object.keys(providerSizes).join(', ')}; for others give max_connections`
        : `known sizes: ${known.join(', ')}`
    reporter.problem([...path, 'provider'], `servers.${name}: no limits are known for ${provider.name} ${size}`, hint)
  }
  const kept = (written.superuser_reserved_connections ?? 3) + (written.reserved_connections ?? 0)
  if (written.max_connections !== undefined && kept >= written.max_connections) {
    const message = `servers.${name}: ${kept} reserved connections leave none of ${written.max_connections}; PostgreSQL would not start`
    reporter.problem([...path, 'max_connections'], message)
  }
  return {
    name,
    url: written.url ?? null,
    provider: provider && size ? { name: provider.name, size } : null,
    maxConnections: written.max_connections ?? null,
    superuserReserved: written.superuser_reserved_connections ?? null,
    reserved: written.reserved_connections ?? null,
    cores: written.cores ?? null,
    memoryBytes: written.memory === undefined ? null : sizeBytes(written.memory),
    memorySettings: written.settings === undefined ? null : memorySettings(written.settings),
    otherConnections: written.other_connections ?? 0,
    perfdbConnections: written.perfdb_connections ?? null,
    role: written.role ?? 'primary',
    of: written.of ?? null,
    failover: written.failover ?? true,
    connectTimeMs: optional(written.connect_time, durationMs),
    roles: Object.fromEntries(Object.entries(written.roles ?? {}).map(([role, limits]) => [role, roleLimit(limits)])),
    databases: Object.fromEntries(
      Object.entries(written.databases ?? {}).flatMap(([database, limits]) =>
        (limits.connection_limit ?? -1) < 0 ? [] : [[database, limits.connection_limit ?? 0]],
      ),
    ),
    roleSettings: roleSettings(written),
    warnAt: defaults?.warn_at ?? 0.8,
    failAt: defaults?.fail_at ?? 1,
    place: reporter.at(path),
  }
}

/** Defaults of PostgreSQL 15 to 18. https://www.postgresql.org/docs/current/runtime-config-resource.html */
function memorySettings(written: NonNullable<WrittenServer['settings']>): MemorySettings {
  return {
    sharedBuffers: sizeBytes(written.shared_buffers ?? '128MB'),
    workMem: sizeBytes(written.work_mem ?? '4MB'),
    maintenanceWorkMem: sizeBytes(written.maintenance_work_mem ?? '64MB'),
    autovacuumWorkers: written.autovacuum_max_workers ?? 3,
    hashMemMultiplier: written.hash_mem_multiplier ?? 2,
    workersPerGather: written.max_parallel_workers_per_gather ?? 2,
    parallelWorkers: written.max_parallel_workers ?? 8,
  }
}

/** Declared as ALTER ROLE and ALTER DATABASE ... SET would have it. */
function roleSettings({ roles = {}, databases = {} }: WrittenServer): readonly RoleSetting[] {
  const own = (role: string | null, database: string | null, value: string | number | undefined) =>
    value === undefined ? [] : [{ role, database, name: 'work_mem', value: String(value) }]
  return [
    ...Object.entries(roles).flatMap(([role, { work_mem: value }]) => own(role, null, value)),
    ...Object.entries(databases).flatMap(([database, { work_mem: value }]) => own(null, database, value)),
  ]
}

function roleLimit(written: NonNullable<WrittenServer['roles']>[string]): RoleLimit {
  const limit = written.connection_limit ?? -1
  return { kind: written.kind ?? 'ordinary', connectionLimit: limit < 0 ? null : limit }
}

/** A tenant's limit is its role's, or its database's where it has no role of its own. */
function withTenantLimits(server: Server, tenants: readonly TenantRow[]): Server {
  const own = tenants.filter(({ tenant, connectionLimit }) => tenant.server === server.name && connectionLimit !== null)
  const roles = own.flatMap(({ tenant, connectionLimit }) =>
    tenant.role === null ? [] : [[tenant.role, { kind: 'ordinary' as const, connectionLimit }]],
  )
  const databases = own.flatMap(({ tenant, connectionLimit }) =>
    tenant.role !== null || tenant.database === null ? [] : [[tenant.database, connectionLimit]],
  )
  return {
    ...server,
    roles: { ...Object.fromEntries(roles), ...server.roles },
    databases: { ...Object.fromEntries(databases), ...server.databases },
  }
}
