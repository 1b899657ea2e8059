import { groupBy, targetsOf, type Demand, type Target } from './demand.js'
import { maxFlow, type Edge } from './flow.js'
import type { Deployment, Service } from './model.js'
import { pgpoolMaxPool, poolerKind } from './pooler-kinds.js'
import type { Alias, Pooler } from './pooler-model.js'

/**
 * A pool of a pooler: pgbouncer keeps one for each (alias, effective server user), two aliases of one database have two.
 * Measured on pgbouncer 1.18; https://www.pgbouncer.org/config.html
 */
export interface PoolerPool {
  readonly alias: Alias
  readonly user: string
  /** Client connections towards it at the peak. */
  readonly clients: number
  /** Declared services that use it, each with the share of its requests that comes this way. */
  readonly services: readonly { readonly service: Service; readonly share: number }[]
  /** Server connections of one replica: pool_size, and with the reserve. Infinity is unlimited. */
  readonly poolSize: number
  readonly size: number
}

/** The pools that the clients of a pooler make, those of declared services and those of declared users. */
export function poolerPools(pooler: Pooler, clients: readonly Demand[]): readonly PoolerPool[] {
  const pools = new Map<string, Made>()
  const addPool = (alias: Alias, role: string | null, count: number, service: Service | null) => {
    const user = alias.user ?? role ?? '(any)'
    const key = JSON.stringify([alias.name, user])
    const made = pools.get(key) ?? { alias, user, clients: 0, services: [], ...poolSizes(pooler, alias, user) }
    made.clients += count
    if (service !== null) made.services.push({ service, share: 1 / (shares.get(service) ?? 1) })
    pools.set(key, made)
  }
  const shares = new Map<Service, number>()
  for (const row of clients) shares.set(row.service, (shares.get(row.service) ?? 0) + Math.max(1, row.tenants.length))
  for (const alias of pooler.aliases) for (const user of alias.users) addPool(alias, user, 0, null)
  for (const row of clients) {
    for (const target of targetsOf(row)) {
      const alias = aliasOf(pooler, { server: row.server, database: target.database })
      if (alias !== null) addPool(alias, target.role, target.share, row.service)
    }
  }
  return [...pools.values()]
}

/** A pool while its clients are counted. */
interface Made extends Omit<PoolerPool, 'clients' | 'services'> {
  clients: number
  services: PoolerPool['services'][number][]
}

/**
 * Server connections that these pools of all replicas open at most: the largest flow alias -> user, where an edge carries
 * pool_size + reserve_pool_size, an alias max_db_connections (it counts by alias, not by database) and a user
 * max_user_connections; 0 is unlimited there. Infinity when nothing bounds them.
 */
export function serverConnections(pooler: Pooler, pools: readonly PoolerPool[]): number {
  if (pooler.kind === 'pgpool')
    return pooler.replicas * pooler.defaultPoolSize * Math.min(pooler.maxPool ?? pgpoolMaxPool, pools.length)
  const free = pools.reduce((sum, pool) => sum + sizeOf(pooler, pool), 0)
  if (Object.keys(pooler.maxDbConnections).length + Object.keys(pooler.maxUserConnections).length === 0)
    return pooler.replicas * free
  const edges: Edge[] = pools.map((pool) => ({
    from: `alias ${pool.alias.name}`,
    to: `user ${pool.user}`,
    capacity: sizeOf(pooler, pool),
  }))
  for (const alias of new Set(pools.map((pool) => pool.alias.name))) {
    edges.push({ from: 'source', to: `alias ${alias}`, capacity: limit(pooler.maxDbConnections, alias) })
  }
  for (const user of new Set(pools.map((pool) => pool.user))) {
    edges.push({ from: `user ${user}`, to: 'sink', capacity: limit(pooler.maxUserConnections, user) })
  }
  return pooler.replicas * maxFlow(edges, 'source', 'sink')
}

/** What the pools open at most; where nothing bounds them, a connection for each client of theirs. */
export function openConnections(pooler: Pooler, pools: readonly PoolerPool[]): number {
  const bounded = serverConnections(pooler, pools)
  return Number.isFinite(bounded) ? bounded : pools.reduce((sum, { clients }) => sum + clients, 0)
}

/** Of one replica: the size of the pool, or where its kind has no such size or the file does not tell it, as many as clients come. */
function sizeOf(pooler: Pooler, { size, clients }: PoolerPool): number {
  return isSizedByClients(pooler) ? Math.ceil(clients / pooler.replicas) : size
}

/** The proxy of RDS has one limit for all its pools; of others the size may not be known. */
export function isSizedByClients({ kind, unknown = [] }: Pooler): boolean {
  return kind === 'rds-proxy' || unknown.includes(poolerKind(kind).sizeKey)
}

/** Rows of the services that connect through this pooler. */
export function clientsOf(pooler: Pooler, rows: readonly Demand[]): readonly Demand[] {
  return rows.filter(({ service: { via } }) => via.kind === 'pooler' && via.pooler === pooler.name)
}

/**
 * The alias that a client asks for: of that name, else the one of its server and database, else the `*` entry or, where the file lists
 * none, pgbouncer's fallback: the same database on the client's server. null when none fits.
 */
export function aliasOf(
  pooler: Pooler,
  { server, database }: Pick<Target, 'database'> & Pick<Demand, 'server'>,
): Alias | null {
  const known = aliasesOf(pooler)
  const named = known.get(database ?? '') ?? known.get(serverKey(server, database))
  if (named !== undefined) return named
  const fallback = known.get('*')
  if (fallback) return { ...fallback, name: database ?? '*', database: database ?? '*' }
  if (pooler.aliases.length > 0 || server === null) return null
  const name = database ?? '*'
  return { name, server, database: name, user: null, poolSize: null, reservePoolSize: null, users: [] }
}

const aliases = new WeakMap<Pooler, ReadonlyMap<string, Alias>>()

/** By name, and by server and database, the first of each; kept, since every tenant asks. */
function aliasesOf(pooler: Pooler): ReadonlyMap<string, Alias> {
  const before = aliases.get(pooler)
  if (before !== undefined) return before
  const made = new Map(
    [
      ...pooler.aliases.map((alias) => [serverKey(alias.server, alias.database), alias] as const),
      ...pooler.aliases.map((alias) => [alias.name, alias] as const),
    ].toReversed(),
  )
  aliases.set(pooler, made)
  return made
}

function serverKey(server: string | null, database: string | null): string {
  return JSON.stringify([server, database])
}

/** What a pooler opens on one server: pools, and their connections in all. */
export interface PoolerDemand {
  readonly server: string
  readonly pooler: Pooler
  readonly pools: readonly PoolerPool[]
  readonly connections: number
  /** Nothing bounds them but the number of clients. */
  readonly unbounded: boolean
}

/** Everything that the poolers of a deployment open, by pooler and server. */
export function poolerDemands(
  deployment: Pick<Deployment, 'poolers'>,
  rows: readonly Demand[],
): readonly PoolerDemand[] {
  return deployment.poolers.flatMap((pooler) =>
    [...groupBy(poolerPools(pooler, clientsOf(pooler, rows)), (pool) => pool.alias.server)].map(([server, pools]) => ({
      server,
      pooler,
      pools,
      connections: openConnections(pooler, pools),
      unbounded: !Number.isFinite(serverConnections(pooler, pools)),
    })),
  )
}

/** What is set for the user counts, else for the alias, else for the pooler. https://www.pgbouncer.org/config.html#section-users */
function poolSizes(pooler: Pooler, alias: Alias, user: string): { readonly poolSize: number; readonly size: number } {
  if (isSizedByClients(pooler)) return { poolSize: Infinity, size: Infinity }
  const own = pooler.users[user]
  const poolSize = own?.poolSize ?? alias.poolSize ?? pooler.defaultPoolSize
  if (poolSize === 0) return { poolSize: Infinity, size: Infinity }
  return { poolSize, size: poolSize + (own?.reservePoolSize ?? alias.reservePoolSize ?? pooler.reservePoolSize) }
}

function limit(limits: Readonly<Record<string, number>>, name: string): number {
  const value = limits[name] ?? limits['*'] ?? 0
  return value === 0 ? Infinity : value
}
