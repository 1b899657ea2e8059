import type { Deployment, Pool, Service } from './model.js'
import type { Tenant } from '../../tenants/tenant.js'
import { cap, eagerMinimum, held } from './pool.js'
import { peakInstances } from './rollout.js'

/** Client connections that a service opens towards one server: one database and role, or a pool for each of several tenants. */
export interface Demand {
  readonly service: Service
  readonly server: string | null
  /** Of the service's own pools; null beside `tenants`. */
  readonly database: string | null
  readonly role: string | null
  /** Tenants of that server with equal shares of the counts; empty for pools of the service's own. */
  readonly tenants: readonly Tenant[]
  /** All instances at their maximum. */
  readonly steady: number
  /** At the worst moment of a rollout. */
  readonly peak: number
  /** Opened at once when the desired instances boot. */
  readonly warm: number
  /** What the pools' maxima promise, ignoring threads: steady would be this if every pool filled. */
  readonly nominal: number
}

/** A database and role that a row of demand reaches: what may come at its worst moment, and its share of the peak of the row. */
export interface Target {
  readonly database: string | null
  readonly role: string | null
  readonly peak: number
  readonly share: number
}

/**
 * The demand of a service, one row for each server: its own, or those of its tenants (10 000 tenants in 200 services would be two million
 * rows). A service that speaks HTTP demands nothing. Connections outside the pools (extra, audit executors with their own) go to the
 * service's own server, or where it has none to each server of its tenants. `only` leaves out pools of tenants on other servers.
 */
export function demands(service: Service, allTenants: readonly Tenant[], only?: string): readonly Demand[] {
  if (service.via.kind === 'http') return []
  const { server, database, role, lookup } = service
  const own = { database, role, tenants: [] }
  if (!service.pool.perTenant)
    return [row(service, { server, ...own }, within(service, poolPart(service), 0), outsidePart(service))]
  const everywhere = tenantsByServer(tenantsOf(service, allTenants))
  const homes = only === undefined ? everywhere : new Map([[only, everywhere.get(only) ?? []]])
  const parts = [...homes].map(([home, tenants]) => ({
    home,
    tenants,
    part: within(service, tenantsPart(service, tenants.length), 0),
  }))
  const rows = parts.map(({ home, tenants, part }) =>
    row(service, { server: home, database: null, role: null, tenants }, part, nothing),
  )
  // Besides the pools of tenants: its own pool, which it has where process_max bounds all of them together, and look-ups.
  const besides = (home: string) => parts.find((part) => part.home === home)?.part.held ?? 0
  const ownPool =
    server === null || service.processMax === null ? nothing : within(service, poolPart(service), besides(server))
  const outside = outsidePart(service)
  const alone = server === null ? [...homes.keys()] : [server]
  return [
    ...rows,
    ...(ownPool.held + outside.held === 0
      ? []
      : alone.map((home) => row(service, { server: home, ...own }, ownPool, outside))),
    ...(lookup === null
      ? []
      : [
          row(
            service,
            { server: lookup.server, database: null, role: null, tenants: [] },
            nothing,
            within(
              service,
              lookupPart(service),
              besides(lookup.server) + (lookup.server === server ? ownPool.held : 0),
            ),
          ),
        ]),
  ]
}

/**
 * The databases and roles of a row: one, or those of its tenants, whose gaps the service fills. `wanted` leaves out others before they are made:
 * all rows together may have two million.
 */
export function targetsOf(
  { service, database, role, tenants, peak }: Demand,
  wanted: (target: Named) => boolean = () => true,
): readonly Target[] {
  if (tenants.length === 0) return [{ database, role, peak, share: peak }]
  const named = (tenant: Tenant): Named =>
    service.database === null && service.role === null
      ? tenant
      : { database: tenant.database ?? service.database, role: tenant.role ?? service.role }
  const targets: Target[] = []
  const share = peak / tenants.length
  // One tenant that is active has its whole pool, however few others are.
  const whole = activeTenants(service.pool) === null ? share : instancesAtPeak(service) * poolPart(service).held
  for (const tenant of tenants) {
    const target = named(tenant)
    if (wanted(target)) targets.push({ database: target.database, role: target.role, peak: whole, share })
  }
  return targets
}

type Named = Pick<Tenant, 'database' | 'role'>

/** Tenants that a service with a pool for each meets: those of its own file, or of all files where its own lists none. */
export function tenantsOf(service: Service, tenants: readonly Tenant[]): readonly Tenant[] {
  return tenantsByFile(tenants).get(service.place.file) ?? tenants
}

const tenantsByFile = tenantsBy((tenant) => tenant.file)
const tenantsByServer = tenantsBy((tenant) => tenant.server)

/** Groups of a list of tenants, made once for each list: every service asks for the same ones. */
function tenantsBy(key: (tenant: Tenant) => string) {
  const known = new WeakMap<readonly Tenant[], ReadonlyMap<string, readonly Tenant[]>>()
  return (tenants: readonly Tenant[]): ReadonlyMap<string, readonly Tenant[]> => {
    const before = known.get(tenants)
    if (before !== undefined) return before
    const groups = groupBy(tenants, key)
    known.set(tenants, groups)
    return groups
  }
}

/** A list by a key of its members, in the order of the first of each. */
export function groupBy<Item, Key>(
  items: readonly Item[],
  key: (item: Item) => Key,
): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
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

/**
 * Pools of so many tenants of one server. Where fewer are active at once, any of them may be, so that all of them may live here; a pool
 * that is idle keeps its minimum.
 */
function tenantsPart(service: Service, count: number): Part {
  const part = poolPart(service)
  const active = Math.min(count, activeTenants(service.pool) ?? count)
  const { held, nominal, warm } = times(active, part)
  const kept = (count - active) * poolsPerInstance(service) * service.pool.min
  return { held: held + kept, nominal: nominal + kept, warm: warm + times(count - active, part).warm }
}

/** Tenants whose pools are counted whole; null is all: without an idle timeout a pool that was opened once stays open. */
export function activeTenants({ active, idleTimeoutMs }: Pool): number | null {
  return active === null || idleTimeoutMs === null || idleTimeoutMs === 0 ? null : active.tenants
}

function outsidePart({ runtime, extraConnections, audit }: Service): Part {
  const own = audit?.ownConnections === true ? audit.workers : 0
  const outside = runtime.processes * (extraConnections + own)
  return { held: outside, nominal: outside, warm: 0 }
}

/** One process asks and listens once, whatever the pools are per. */
function lookupPart({ runtime, lookup }: Service): Part {
  const held = runtime.processes * (lookup?.connections ?? 0)
  return { held, nominal: held, warm: 0 }
}

/** What process_max leaves of it beside `held` connections of the same instance to the same server. */
function within(service: Service, part: Part, beside: number): Part {
  if (service.processMax === null) return part
  const most = Math.max(0, poolsPerInstance(service) * service.processMax - beside)
  return { held: Math.min(part.held, most), nominal: Math.min(part.nominal, most), warm: Math.min(part.warm, most) }
}

function times(count: number, part: Part): Part {
  return { held: count * part.held, nominal: count * part.nominal, warm: count * part.warm }
}

function row(
  service: Service,
  target: Pick<Demand, 'server' | 'database' | 'role' | 'tenants'>,
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

/** All demand of a deployment; a service with a pool per tenant meets every tenant. */
export function allDemands(deployment: Deployment): readonly Demand[] {
  return deployment.services.flatMap((service) => demands(service, deployment.tenants))
}
