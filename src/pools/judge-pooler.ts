import type { Budget } from './budget.js'
import { targetsOf } from './demand.js'
import { counted } from './describe.js'
import type { PoolFinding, Pooler } from './model.js'
import { aliasOf, clientsOf, type PoolerPool } from './pooler.js'
import { queueFinding } from './judge-queue.js'

/**
 * Findings of the poolers in front of one server: POOLER_UNBOUNDED, POOLER_SESSION (session mode pins a server connection
 * to each client), POOLER_CLIENTS (max_client_conn), POOLER_MISMATCH (alias and service name different servers), and the
 * queue in front of each shared pool.
 */
export function judgePoolers(budget: Budget): readonly PoolFinding[] {
  return budget.lines.flatMap(({ pooler, pools, peak }) => {
    if (pooler === null) return []
    return [
      ...(peak === Infinity ? [unbounded(budget, pooler)] : []),
      ...pools.flatMap((pool) => [...sessionMode(budget, pooler, pool), ...sharedQueue(budget, pooler, pool)]),
      ...clientLimit(budget, pooler),
      ...mismatches(budget, pooler),
    ]
  })
}

function unbounded(budget: Budget, pooler: Pooler): PoolFinding {
  return {
    ...about(budget, pooler),
    code: 'POOLER_UNBOUNDED',
    severity: 'error',
    message: `${pooler.name}: a pool size of 0 is unlimited, and no max_db_connections or max_user_connections bounds it`,
    hint: 'set default_pool_size',
  }
}

function sessionMode(budget: Budget, pooler: Pooler, pool: PoolerPool): readonly PoolFinding[] {
  const places = pooler.replicas * pool.poolSize
  if (pooler.poolMode !== 'session' || pool.clients <= places) return []
  return [
    {
      ...about(budget, pooler),
      code: 'POOLER_SESSION',
      severity: 'error',
      message: `${pooler.name}: ${pool.clients} clients of ${pool.user} on ${pool.alias.name} for ${places} server connections; in session mode the others get none`,
      hint: 'pool_mode: transaction, a larger pool_size, or smaller client pools',
    },
  ]
}

function clientLimit(budget: Budget, pooler: Pooler): readonly PoolFinding[] {
  const clients = clientsOf(pooler, budget.allRows).reduce((sum, row) => sum + row.peak, 0)
  const one = pooler.maxClientConn
  const all = pooler.replicas * one
  const rest = Math.max(1, pooler.replicas - 1) * one
  if (clients <= rest) return []
  const lost = clients <= all
  return [
    {
      ...about(budget, pooler),
      code: 'POOLER_CLIENTS',
      severity: lost ? 'warning' : 'error',
      message: lost
        ? `${pooler.name}: ${clients} clients do not fit when one of ${counted(pooler.replicas, 'replica')} is lost (${rest})`
        : `${pooler.name}: ${clients} clients, but max_client_conn leaves ${all}`,
      hint: `max_client_conn: ${Math.ceil(clients / Math.max(1, pooler.replicas - 1))}`,
    },
  ]
}

function mismatches(budget: Budget, pooler: Pooler): readonly PoolFinding[] {
  return clientsOf(pooler, budget.allRows).flatMap((row): readonly PoolFinding[] => {
    if (row.server === null || row.server === budget.server.name) return []
    const sent = targetsOf(row)
      .map((target) => aliasOf(pooler, { server: row.server, database: target.database }))
      .find((alias) => alias?.server === budget.server.name)
    if (sent == null) return []
    return [
      {
        code: 'POOLER_MISMATCH',
        severity: 'warning',
        server: budget.server.name,
        service: row.service.name,
        message: `${row.service.name} names server ${row.server}, but ${pooler.name} sends ${sent.name} to ${sent.server}; counted there`,
        hint: `server: ${sent.server}, or another alias`,
        place: row.service.place,
      },
    ]
  })
}

/** Only where every service of the pool declares its load, since half a load says nothing; else as the pooler itself measured it. */
function sharedQueue(budget: Budget, pooler: Pooler, pool: PoolerPool): readonly PoolFinding[] {
  if (pooler.poolMode === 'session' || pool.poolSize === Infinity) return []
  const declared = declaredLoad(pool)
  const load = declared ?? pool.alias.load
  if (load === undefined || load.ratePerSecond === 0) return []
  const waits = pool.services.map(({ service }) => service.load?.sloWaitMs ?? service.pool.acquireTimeoutMs ?? Infinity)
  const waitMs = Math.min(...waits)
  return queueFinding(
    {
      name: `${pooler.name}, pool of ${pool.user} on ${pool.alias.name}`,
      pools: declared === undefined ? 1 : pooler.replicas,
      rate: load.ratePerSecond,
      serviceTimeSeconds: load.serviceTimeSeconds,
      servers: pool.poolSize,
      waitMs: waitMs === Infinity ? null : waitMs,
      setting: 'pool_size',
      measuredSeconds: declared === undefined ? (pool.alias.load?.measuredSeconds ?? null) : null,
    },
    about(budget, pooler),
  )
}

function declaredLoad({
  services,
}: PoolerPool): { readonly ratePerSecond: number; readonly serviceTimeSeconds: number } | undefined {
  let rate = 0
  let work = 0
  for (const { service, share } of services) {
    const { ratePerSecond, serviceTimeSeconds } = service.load ?? {}
    if (ratePerSecond == null || serviceTimeSeconds == null) return undefined
    rate += ratePerSecond * share
    work += ratePerSecond * share * serviceTimeSeconds
  }
  return rate === 0 ? undefined : { ratePerSecond: rate, serviceTimeSeconds: work / rate }
}

function about(budget: Budget, pooler: Pooler): Pick<PoolFinding, 'server' | 'place'> & { server: string } {
  return { server: budget.server.name, place: pooler.place }
}
