import { resolve } from 'node:path'
import { PerfdbError } from '../../errors.js'
import type { WrittenPools } from '../../pools/file/schema.js'
import type { PoolsFile, Server, Service } from '../../pools/sums/model.js'
import { activeTenants } from '../../pools/sums/demand.js'
import { cap } from '../../pools/sums/pool.js'
import type { Registry, RegistryRow, TenantRow } from '../../tenants/tenant.js'
import { partsOf } from '../../text/postgres-url.js'
import type { Address, Environment } from './address.js'

/** What a service of a pools file may do, as numbers. */
export interface Settings {
  readonly service: Service
  /** Connections of this process at most; `requests` of them for pools, the others for look-ups, LISTEN and audit workers of their own. */
  readonly processMax: number
  readonly requests: number
  /** Of one pool. */
  readonly poolMax: number
  readonly acquireTimeoutMs: number
  readonly idleTimeoutMs: number | null
  readonly maxLifetimeMs: number
  /** Named statements work on its connections. */
  readonly prepare: boolean
  /** The service's own database; an error says why it has none. */
  readonly database: () => Address
  readonly tenants: ReadonlyMap<string, TenantAddress>
  readonly registry: Registry | undefined
  /** Tenants of a registry's rows, as of now. Throws BAD_VALUE. */
  readonly tenantsOf: (rows: readonly RegistryRow[]) => Promise<ReadonlyMap<string, TenantAddress>>
}

export interface TenantAddress extends Address {
  /** Where a tenant is a schema. */
  readonly schema: string | null
}

/** As the reports have them, where the file says nothing: a request waits 10 s, an idle pool of a tenant stays a minute. */
const usual = { acquireTimeoutMs: 10_000, tenantIdleMs: 60_000, maxLifetimeMs: 45 * 60_000 }

/**
 * Reads a pools file, or takes a parsed one, for one of its services. Throws what readPools throws, UNKNOWN_REFERENCE for a service that it does not
 * have, BAD_VALUE for one that cannot be opened.
 */
export async function readSettings(
  source: string | WrittenPools,
  name: string,
  environment: Environment,
  ask: (registry: Registry) => Promise<readonly RegistryRow[]>,
): Promise<Settings> {
  const file = await readFile(source, environment, ask)
  const service = file.services.find((one) => one.name === name)
  if (service === undefined)
    throw new PerfdbError('UNKNOWN_REFERENCE', `${file.file}: no service "${name}"`, {
      hint: `declared: ${file.services.map((one) => one.name).join(', ')}`,
    })
  if (service.via.kind === 'http')
    throw new PerfdbError('BAD_VALUE', `services.${name}: via http opens no connections`, { place: service.place })
  const registry = file.registries?.find((one) => one.lookup !== undefined)
  const address = addresses(file, service)
  const tenants = byId(file.rows ?? [], address)
  const poolMax = cap(service.pool)
  const { audit, lookup, pool } = service
  const besides = (lookup?.connections ?? 0) + (audit?.ownConnections === true && audit.writer ? audit.workers : 0)
  // As check-pool counts them: with `active`, so many tenants at once.
  const pools = Math.max(1, Math.min(tenants.size, activeTenants(pool) ?? tenants.size))
  const processMax = service.processMax ?? besides + poolMax * (pool.perTenant ? pools : 1)
  return {
    service,
    processMax,
    requests: processMax - besides,
    poolMax,
    acquireTimeoutMs: pool.acquireTimeoutMs ?? usual.acquireTimeoutMs,
    idleTimeoutMs: pool.idleTimeoutMs ?? (pool.perTenant ? usual.tenantIdleMs : null),
    maxLifetimeMs: pool.maxLifetimeMs ?? usual.maxLifetimeMs,
    prepare: pool.preparedStatements !== false && !poolsByTransaction(file, service),
    database: () => ownAddress(service, address),
    tenants,
    registry,
    async tenantsOf(rows) {
      if (registry === undefined) return tenants
      const { registryTenants } = await import('../../tenants/rows.js')
      const read = registryTenants(rows, registry)
      const [problem] = read.problems
      if (problem !== undefined) throw new PerfdbError(problem.code, problem.message, problem)
      return byId(read.rows, address)
    },
  }
}

async function readFile(
  source: string | WrittenPools,
  environment: Environment,
  askRegistry: (registry: Registry) => Promise<readonly RegistryRow[]>,
): Promise<PoolsFile> {
  const cwd = process.cwd()
  if (typeof source !== 'string') {
    const { readPoolsObject } = await import('../../pools/file/read-model.js')
    return readPoolsObject(source, { file: 'the pools object', path: resolve(cwd, 'pools'), named: true }, askRegistry)
  }
  const { readPools } = await import('../../pools/file/read.js')
  const [file] = await readPools([source], { cwd, environment, askRegistry })
  if (file === undefined) throw new PerfdbError('FILE_NOT_FOUND', `${source}: no pools file`)
  return file
}

type AddressOf = (server: string | null, row?: TenantRow) => Address | string

/** The address of a server or of a tenant; a text says what is missing. */
function addresses(file: PoolsFile, service: Service): AddressOf {
  const pooler = service.via.kind === 'pooler' ? service.via.pooler : null
  return (server, row) => {
    const found: Pick<Server, 'url' | 'place'> | undefined =
      pooler === null ? file.servers.find((one) => one.name === server) : viaOf(file, pooler)
    const url = row?.url ?? found?.url ?? null
    const owner = row === undefined ? ownerOf(pooler, server) : `tenant ${row.tenant.id}`
    if (url === null)
      return `${owner} has no url${row === undefined ? '' : `, nor has ${ownerOf(pooler, server)}`}: perfdb/runtime connects to it`
    const database = row?.tenant.database ?? (row?.url == null ? service.database : null)
    const role = row?.tenant.role ?? (row?.url == null || partsOf(url).role === null ? service.role : null)
    return { url, database, role, owner, place: row?.tenant.place ?? service.place }
  }
}

function ownerOf(pooler: string | null, server: string | null): string {
  return pooler === null ? `servers.${server}` : `poolers.${pooler}`
}

function viaOf(file: PoolsFile, name: string): Pick<Server, 'url' | 'place'> | undefined {
  const pooler = file.poolers.find((one) => one.name === name)
  return pooler && { url: pooler.url ?? null, place: pooler.place }
}

function poolsByTransaction(file: PoolsFile, { via }: Service): boolean {
  return via.kind === 'pooler' && file.poolers.find((one) => one.name === via.pooler)?.poolMode !== 'session'
}

function ownAddress(service: Service, address: AddressOf): Address {
  const { name, place, pool, server, processMax, via } = service
  if (pool.perTenant && (processMax === null || server === null))
    throw new PerfdbError('BAD_VALUE', `services.${name} has a pool for each tenant, and none of its own`, {
      hint: 'declare server and process_max, so that check-pool counts it',
      place,
    })
  const found = server === null && via.kind !== 'pooler' ? `services.${name} has no server` : address(server)
  if (typeof found !== 'string') return found
  throw new PerfdbError('BAD_VALUE', found, { hint: 'url: ${NAME} from the environment', place })
}

function byId(rows: readonly TenantRow[], address: AddressOf): ReadonlyMap<string, TenantAddress> {
  return new Map(
    rows.map((row) => {
      const found = address(row.tenant.server, row)
      if (typeof found !== 'string') return [row.tenant.id, { ...found, schema: row.schema }]
      throw new PerfdbError('BAD_VALUE', found, {
        hint: 'give the tenant a url, or its server',
        place: row.tenant.place,
      })
    }),
  )
}
