import type { Budget } from './budget.js'
import { targetsOf } from '../sums/demand.js'
import { poolerKind } from '../sums/pooler-kinds.js'
import type { PoolFinding } from '../sums/model.js'
import type { Pooler } from '../sums/pooler-model.js'
import { aliasOf, clientsOf, isSizedByClients, type PoolerPool } from '../sums/pooler.js'
import { declaredLoad, judgePoolerKind } from './judge-pooler-kind.js'
import { queueFinding } from './judge-queue.js'
import { several } from '../../text/amounts.js'

/**
 * Findings of the poolers in front of one server: POOLER_UNBOUNDED, POOLER_SESSION (session mode pins a server connection
 * to each client), POOLER_ENDLESS_WAIT (query_wait_timeout), POOLER_CLIENTS (max_client_conn), POOLER_MISMATCH (alias and service name different servers), and the
 * queue in front of each shared pool.
 */
export function judgePoolers(budget: Budget): readonly PoolFinding[] {
  return budget.lines.flatMap(({ pooler, pools, unbounded: isUnbounded }) => {
    if (pooler === null) return []
    return [
      ...(isUnbounded === true ? [unbounded(budget, pooler, pools)] : []),
      ...judgePoolerKind(budget, pooler, pools),
      ...pools.flatMap((pool) => [...sessionMode(budget, pooler, pool), ...sharedQueue(budget, pooler, pool, pools)]),
      ...clientLimit(budget, pooler),
      ...mismatches(budget, pooler),
      ...endlessWait(budget, pooler),
    ]
  })
}

function unbounded(budget: Budget, pooler: Pooler, pools: readonly PoolerPool[]): PoolFinding {
  const clients = pools.reduce((sum, pool) => sum + pool.clients, 0)
  return {
    ...about(budget, pooler),
    code: 'POOLER_UNBOUNDED',
    severity: 'error',
    message: `${pooler.name}: a pool size of 0 is unlimited, and no max_db_connections or max_user_connections bounds it; counted as its ${clients} clients`,
    hint: `set ${poolerKind(pooler.kind).sizeKey}`,
  }
}

function sessionMode(budget: Budget, pooler: Pooler, pool: PoolerPool): readonly PoolFinding[] {
  const places = pooler.replicas * pool.poolSize
  if (pooler.poolMode !== 'session' || pool.clients <= places || isSizedByClients(pooler)) return []
  if (pooler.unknown?.includes('pool_mode') === true) return []
  return [
    {
      ...about(budget, pooler),
      code: 'POOLER_SESSION',
      severity: 'error',
      message: `${pooler.name}: ${pool.clients} clients of ${pool.user} on ${pool.alias.name} for ${places} server connections; in session mode the others get none`,
      hint:
        pooler.kind === 'pgpool'
          ? 'a larger num_init_children, or smaller client pools'
          : 'pool_mode: transaction, a larger pool_size, or smaller client pools',
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
        ? `${pooler.name}: ${clients} clients do not fit when one of ${several(pooler.replicas, 'replica')} is lost (${rest})`
        : `${pooler.name} takes ${all} clients, ${clients} come`,
      hint: `${poolerKind(pooler.kind).clientKey}: ${Math.ceil(clients / Math.max(1, pooler.replicas - 1))}`,
    },
  ]
}

/** query_wait_timeout = 0: nobody is dropped, and a pool that hangs hangs every client. */
function endlessWait(budget: Budget, pooler: Pooler): readonly PoolFinding[] {
  const told = pooler.kind === 'pgbouncer' || pooler.written.includes('query_wait_timeout')
  if (pooler.queryWaitTimeoutMs !== null || !told) return []
  return [
    {
      ...about(budget, pooler),
      code: 'POOLER_ENDLESS_WAIT',
      severity: 'warning',
      message: `${pooler.name}: query_wait_timeout is 0: clients wait for a server connection for ever`,
      hint: 'query_wait_timeout: 30s, below the timeout of the requests',
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

/**
 * Only where every service of the pool declares its load, since half a load says nothing; else as the pooler itself measured it, which it
 * does by alias: for one that several users share it says nothing about the pool of each.
 */
function sharedQueue(
  budget: Budget,
  pooler: Pooler,
  pool: PoolerPool,
  all: readonly PoolerPool[],
): readonly PoolFinding[] {
  if (pooler.poolMode === 'session' || pool.poolSize === Infinity) return []
  const declared = declaredLoad(pool)
  const alone = all.every((other) => other === pool || other.alias.name !== pool.alias.name)
  const load = declared ?? (alone ? pool.alias.load : undefined)
  if (load === undefined || load.ratePerSecond === 0) return []
  const waits = pool.services.map(({ service }) => service.load?.sloWaitMs ?? service.pool.acquireTimeoutMs ?? Infinity)
  // A client that waits longer is dropped, whatever it would have allowed.
  const waitMs = Math.min(...waits, pooler.queryWaitTimeoutMs ?? Infinity)
  return queueFinding(
    {
      name: `${pooler.name}, pool of ${pool.user} on ${pool.alias.name}`,
      pools: declared === undefined ? 1 : pooler.replicas,
      rate: load.ratePerSecond,
      serviceTimeSeconds: load.serviceTimeSeconds,
      cv2: declared?.cv2 ?? 1,
      servers: pool.poolSize,
      waitMs: waitMs === Infinity ? null : waitMs,
      setting: pooler.kind === 'pgpool' ? 'num_init_children' : 'default_pool_size',
      owner: pooler.name,
      beyond: 0,
      measuredSeconds: declared === undefined ? (pool.alias.load?.measuredSeconds ?? null) : null,
    },
    about(budget, pooler),
  )
}

function about(budget: Budget, pooler: Pooler): Pick<PoolFinding, 'server' | 'place'> & { server: string } {
  return { server: budget.server.name, place: pooler.place }
}
