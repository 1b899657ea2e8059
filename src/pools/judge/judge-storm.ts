import type { Budget } from './budget.js'
import type { PoolFinding } from '../sums/model.js'
import type { PoolerPool } from '../sums/pooler.js'
import type { Pooler } from '../sums/pooler-model.js'
import { several } from '../../text/amounts.js'

/**
 * What new connections cost, where the file declares connect_time: RECONNECT_STORM (after a restart or a failover all come at once, and the
 * server makes as many together as it has cores) and POOLER_WARMUP (pools that open their minimum at boot, in front of a PgBouncer, which
 * opens the server connections of a pool one after another: launch_new_connection, measured on 1.18).
 */
export function judgeStorms(budget: Budget): readonly PoolFinding[] {
  const { connectTimeMs } = budget.server
  if (connectTimeMs === null) return []
  return [...reconnects(budget, connectTimeMs), ...warmups(budget, connectTimeMs)]
}

function reconnects({ server, lines, total }: Budget, connectTimeMs: number): readonly PoolFinding[] {
  const cores = server.cores ?? 1
  const lastMs = (total.peak * connectTimeMs) / cores
  const [first] = lines
    .flatMap(({ service }) => {
      const waitMs = service?.pool.acquireTimeoutMs ?? null
      return service === null || waitMs === null || waitMs >= lastMs ? [] : [{ service, waitMs }]
    })
    .toSorted((one, other) => one.waitMs - other.waitMs)
  if (first === undefined) return []
  return [
    {
      code: 'RECONNECT_STORM',
      severity: 'warning',
      server: server.name,
      service: first.service.name,
      message: `${server.name}: after a restart or a failover ${several(total.peak, 'connection')} come at once; at ${connectTimeMs} ms each on ${several(cores, 'core')} the last is open after ${ms(lastMs)}, and ${first.service.name} gives up after ${ms(first.waitMs)}`,
      hint: `acquire_timeout: ${Math.ceil(lastMs / 1000)}s, reconnect after a random pause, or fewer connections through a pooler`,
      place: first.service.poolPlace,
    },
  ]
}

function warmups({ server, lines }: Budget, connectTimeMs: number): readonly PoolFinding[] {
  return lines.flatMap(({ pooler, pools }) =>
    pooler?.kind === 'pgbouncer' ? pools.flatMap((pool) => warmup(server.name, pooler, pool, connectTimeMs)) : [],
  )
}

function warmup(server: string, pooler: Pooler, pool: PoolerPool, connectTimeMs: number): readonly PoolFinding[] {
  const missing = Math.min(pool.poolSize, Math.ceil(pool.clients / pooler.replicas)) - (pooler.minPoolSize ?? 0)
  const lastMs = missing * connectTimeMs
  const [first] = pool.services
    .flatMap(({ service }) => {
      const waitMs = service.pool.acquireTimeoutMs
      return service.pool.eager && service.pool.min > 0 && waitMs !== null && waitMs < lastMs
        ? [{ service, waitMs }]
        : []
    })
    .toSorted((one, other) => one.waitMs - other.waitMs)
  if (first === undefined) return []
  return [
    {
      code: 'POOLER_WARMUP',
      severity: 'warning',
      server,
      service: first.service.name,
      message: `${first.service.name}: fills its pools at boot, and ${pooler.name} opens the ${several(missing, 'server connection')} of ${pool.user} on ${pool.alias.name} one after another: ${ms(lastMs)} at ${connectTimeMs} ms each, and ${first.service.name} gives up after ${ms(first.waitMs)}`,
      hint: `min_pool_size: ${pool.poolSize}, or a longer acquire_timeout`,
      place: pooler.place,
    },
  ]
}

/** Milliseconds for a person: "480 ms", "4.2 s". */
function ms(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : `${Number((value / 1000).toFixed(1))} s`
}
