import type { Deployment, Server, Service, Share } from '../sums/model.js'
import type { Pooler } from '../sums/pooler-model.js'

/** One key before and after, as the file would write its values; null where it has none. */
export interface Changed {
  readonly name: string
  /** The key of the file. */
  readonly key: string
  readonly from: string | null
  readonly to: string | null
}

type Value = string | number | boolean | null | undefined

/** Everything that --what-if can reach, by the key that the file writes. */
function serviceValues({ instances, runtime, pool, deploy }: Service): Readonly<Record<string, Value>> {
  const rolling = deploy.strategy === 'rolling' ? deploy : null
  return {
    'instances.desired': runtime.maxConcurrency === null ? instances.desired : null,
    'instances.max': runtime.maxConcurrency === null ? instances.max : null,
    'runtime.max_concurrency': runtime.maxConcurrency,
    'runtime.processes': runtime.processes,
    'runtime.threads': runtime.threads,
    'pool.max': pool.max,
    'pool.min': pool.min,
    'pool.max_overflow': pool.maxOverflow,
    'pool.active': pool.active?.tenants,
    'deploy.strategy': deploy.strategy,
    'deploy.max_surge': shareText(rolling?.maxSurge),
    'deploy.max_unavailable': shareText(rolling?.maxUnavailable),
    'deploy.count_terminating': rolling?.countTerminating,
  }
}

function poolerValues(pooler: Pooler): Readonly<Record<string, Value>> {
  return {
    replicas: pooler.replicas,
    ...(pooler.kind === 'pgpool'
      ? { num_init_children: pooler.defaultPoolSize }
      : { default_pool_size: pooler.defaultPoolSize, max_client_conn: pooler.maxClientConn }),
    reserve_pool_size: pooler.reservePoolSize,
    min_pool_size: pooler.minPoolSize,
    max_connections_percent: pooler.maxConnectionsPercent,
    pool_mode: pooler.poolMode,
    max_db_connections: pooler.maxDbConnections['*'],
    max_user_connections: pooler.maxUserConnections['*'],
  }
}

function serverValues(server: Server): Readonly<Record<string, Value>> {
  return {
    max_connections: server.assumed?.maxConnections ?? server.maxConnections,
    superuser_reserved_connections: server.assumed?.superuserReserved ?? server.superuserReserved,
    reserved_connections: server.assumed?.reserved ?? server.reserved,
    other_connections: server.otherConnections,
    perfdb_connections: server.perfdbConnections,
  }
}

/** Which keys differ between a deployment and the same one after changes: a key that follows another is among them. */
export function changedKeys(before: Deployment, after: Deployment): readonly Changed[] {
  const [from, to] = [{ tenants: before.tenants.length }, { tenants: after.tenants.length }]
  const tenants = difference('tenants', 'tenants', from, to)
  return [
    ...compared(before.services, after.services, serviceValues),
    ...compared(before.poolers, after.poolers, poolerValues),
    ...compared(before.servers, after.servers, serverValues),
    ...(tenants === null ? [] : [tenants]),
  ]
}

function compared<One extends { readonly name: string }>(
  before: readonly One[],
  after: readonly One[],
  valuesOf: (one: One) => Readonly<Record<string, Value>>,
): readonly Changed[] {
  const old = new Map(before.map((one) => [one.name, one]))
  return after.flatMap((one) => {
    const was = old.get(one.name)
    if (was === undefined || was === one) return []
    const [from, to] = [valuesOf(was), valuesOf(one)]
    return Object.keys({ ...from, ...to }).flatMap((key) => difference(one.name, key, from, to) ?? [])
  })
}

function difference(
  name: string,
  key: string,
  from: Readonly<Record<string, Value>>,
  to: Readonly<Record<string, Value>>,
): Changed | null {
  const [was, is] = [text(from[key]), text(to[key])]
  return was === is ? null : { name, key, from: was, to: is }
}

function text(value: Value): string | null {
  return value === null || value === undefined ? null : String(value)
}

function shareText(share: Share | undefined): string | null {
  if (share === undefined) return null
  return 'percent' in share ? `${share.percent}%` : String(share.instances)
}
