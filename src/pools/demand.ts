import type { Service, Tenant } from './model.js'
import { cap, eagerMinimum, held } from './pool.js'
import { peakInstances } from './rollout.js'

/** Client connections that a service opens towards one server, database and role. Whole connections. */
export interface Demand {
  readonly service: Service
  readonly server: string | null
  readonly database: string | null
  readonly role: string | null
  /** All instances at their maximum. */
  readonly steady: number
  /** At the worst moment of a rollout. */
  readonly peak: number
  /** Opened at once when the desired instances boot. */
  readonly warm: number
  /** What the pools' maxima promise, ignoring threads: steady would be this if every pool filled. */
  readonly nominal: number
}

/**
 * The demand of a service, one row for each database that it has a pool for: its own, or one of each tenant. A service
 * that speaks HTTP demands nothing. Connections outside the pools (extra, audit executors with their own) go to the
 * service's own server, or where it has none to each server of its tenants.
 */
export function demands(service: Service, allTenants: readonly Tenant[]): readonly Demand[] {
  const tenants = tenantsOf(service, allTenants)
  if (service.via.kind === 'http') return []
  const { server, database, role } = service
  if (!service.pool.perTenant)
    return [row(service, { server, database, role }, poolPart(service), outsidePart(service))]
  const rows = tenants.map((tenant) =>
    row(
      service,
      { server: tenant.server, database: tenant.database ?? database, role: tenant.role ?? role },
      poolPart(service),
      nothing,
    ),
  )
  if (outsidePart(service).held === 0) return rows
  const homes = server === null ? [...new Set(tenants.map((tenant) => tenant.server))] : [server]
  return [
    ...rows,
    ...homes.map((home) => row(service, { server: home, database, role }, nothing, outsidePart(service))),
  ]
}

/** Tenants that a service with a pool for each meets: those of its own file, or of all files where its own lists none. */
export function tenantsOf(service: Service, tenants: readonly Tenant[]): readonly Tenant[] {
  const own = tenants.filter((tenant) => tenant.file === service.place.file)
  return own.length > 0 ? own : tenants
}

/** Units that hold a pool of their own in one instance: its processes, or the instance itself. */
export function poolsPerInstance(service: Service): number {
  return service.runtime.scope === 'instance' ? 1 : service.runtime.processes
}

/** Serverless instances come and go by themselves; everything else is rolled out. */
export function instancesAtPeak(service: Service): number {
  const { maxConcurrency, overlap } = service.runtime
  if (maxConcurrency !== null) return Math.ceil(maxConcurrency * overlap)
  return peakInstances(service.instances.max, service.deploy)
}

export function instancesSteady(service: Service): number {
  return service.runtime.maxConcurrency ?? service.instances.max
}

/** Connections of one instance: held at most, promised at most, opened at boot. */
interface Part {
  readonly held: number
  readonly nominal: number
  readonly warm: number
}

const nothing: Part = { held: 0, nominal: 0, warm: 0 }

function poolPart(service: Service): Part {
  const { pool, runtime, connectionsPerRequest } = service
  const pools = poolsPerInstance(service)
  return {
    held: pools * held(pool, runtime, connectionsPerRequest),
    nominal: pools * cap(pool),
    warm: pools * eagerMinimum(pool),
  }
}

function outsidePart({ runtime, extraConnections, audit }: Service): Part {
  const own = audit?.ownConnections === true ? audit.workers : 0
  const outside = runtime.processes * (extraConnections + own)
  return { held: outside, nominal: outside, warm: 0 }
}

function row(
  service: Service,
  target: Pick<Demand, 'server' | 'database' | 'role'>,
  pools: Part,
  outside: Part,
): Demand {
  const steady = instancesSteady(service)
  const perInstance = pools.held + outside.held
  return {
    service,
    ...target,
    steady: steady * perInstance,
    peak: instancesAtPeak(service) * perInstance,
    warm: service.runtime.maxConcurrency === null ? service.instances.desired * pools.warm : 0,
    nominal: steady * (pools.nominal + outside.nominal),
  }
}
