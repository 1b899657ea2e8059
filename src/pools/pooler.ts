import type { Demand } from './demand.js'
import { maxFlow, type Edge } from './flow.js'
import type { Alias, Estate, Pooler, Service } from './model.js'

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
  const pools = new Map<string, PoolerPool>()
  const addPool = (alias: Alias, role: string | null, count: number, services: PoolerPool['services']) => {
    const user = alias.user ?? role ?? '(any)'
    const key = JSON.stringify([alias.name, user])
    const known = pools.get(key) ?? { clients: 0, services: [] }
    pools.set(key, {
      alias,
      user,
      clients: known.clients + count,
      services: [...known.services, ...services],
      ...sizes(pooler, alias),
    })
  }
  for (const alias of pooler.aliases) for (const user of alias.users) addPool(alias, user, 0, [])
  for (const demand of clients) {
    const alias = aliasOf(pooler, demand)
    const share = 1 / clients.filter((other) => other.service === demand.service).length
    if (alias !== null) addPool(alias, demand.role, demand.peak, [{ service: demand.service, share }])
  }
  return [...pools.values()]
}

/**
 * Server connections that these pools of all replicas open at most: the largest flow alias -> user, where an edge carries
 * pool_size + reserve_pool_size, an alias max_db_connections (it counts by alias, not by database) and a user
 * max_user_connections; 0 is unlimited there. Infinity when nothing bounds them.
 */
export function serverConnections(pooler: Pooler, pools: readonly PoolerPool[]): number {
  const edges: Edge[] = pools.map(({ alias, user, size }) => ({
    from: `alias ${alias.name}`,
    to: `user ${user}`,
    capacity: size,
  }))
  for (const alias of new Set(pools.map((pool) => pool.alias.name))) {
    edges.push({ from: 'source', to: `alias ${alias}`, capacity: limit(pooler.maxDbConnections, alias) })
  }
  for (const user of new Set(pools.map((pool) => pool.user))) {
    edges.push({ from: `user ${user}`, to: 'sink', capacity: limit(pooler.maxUserConnections, user) })
  }
  return pooler.replicas * maxFlow(edges, 'source', 'sink')
}

/** Rows of the services that connect through this pooler. */
export function clientsOf(pooler: Pooler, rows: readonly Demand[]): readonly Demand[] {
  return rows.filter(({ service: { via } }) => via.kind === 'pooler' && via.pooler === pooler.name)
}

/**
 * The alias that a client asks for: of that name, else the one of its server and database, else the `*` entry or, where the file lists
 * none, pgbouncer's fallback: the same database on the client's server. null when none fits.
 */
export function aliasOf(pooler: Pooler, demand: Pick<Demand, 'server' | 'database'>): Alias | null {
  const { server, database } = demand
  const named = pooler.aliases.find((alias) => alias.name === database)
  const same = pooler.aliases.find((alias) => alias.server === server && alias.database === database)
  const fallback = pooler.aliases.find((alias) => alias.name === '*')
  if (named ?? same) return named ?? same ?? null
  if (fallback) return { ...fallback, name: database ?? '*', database: database ?? '*' }
  if (pooler.aliases.length > 0 || server === null) return null
  const name = database ?? '*'
  return { name, server, database: name, user: null, poolSize: null, reservePoolSize: null, users: [] }
}

/** Everything that poolers open on a server: pools, and their connections in all. */
export function poolerDemandOn(
  server: string,
  estate: Pick<Estate, 'poolers'>,
  rows: readonly Demand[],
): readonly { readonly pooler: Pooler; readonly pools: readonly PoolerPool[]; readonly connections: number }[] {
  return estate.poolers.flatMap((pooler) => {
    const pools = poolerPools(pooler, clientsOf(pooler, rows)).filter((pool) => pool.alias.server === server)
    return pools.length === 0 ? [] : [{ pooler, pools, connections: serverConnections(pooler, pools) }]
  })
}

function sizes(pooler: Pooler, alias: Alias): { readonly poolSize: number; readonly size: number } {
  const poolSize = alias.poolSize ?? pooler.defaultPoolSize
  if (poolSize === 0) return { poolSize: Infinity, size: Infinity }
  return { poolSize, size: poolSize + (alias.reservePoolSize ?? pooler.reservePoolSize) }
}

function limit(limits: Readonly<Record<string, number>>, name: string): number {
  const value = limits[name] ?? limits['*'] ?? 0
  return value === 0 ? Infinity : value
}
