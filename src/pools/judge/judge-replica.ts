import type { Budget } from './budget.js'
import type { PoolFinding } from '../sums/model.js'
import { several } from '../../text/amounts.js'

/**
 * REPLICA_LIMIT: a standby whose max_connections is below its primary's does not start, or pauses recovery (14 and later).
 * https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN
 */
export function judgeReplica(budget: Budget, all: readonly Budget[]): readonly PoolFinding[] {
  const { server, limits } = budget
  const primary = all.find((other) => other.server.name === server.of)
  if (limits === null || primary?.limits == null || limits.maxConnections >= primary.limits.maxConnections) return []
  const needed = primary.limits.maxConnections
  return [
    {
      code: 'REPLICA_LIMIT',
      severity: 'error',
      server: server.name,
      message: `${server.name}: max_connections ${limits.maxConnections} is below the ${needed} of its primary ${primary.server.name}: recovery stops`,
      hint: `max_connections: ${needed}`,
      place: server.place,
    },
  ]
}

/**
 * FAILOVER_OVER: the smallest standby of a primary takes what both have at the peak. Told of the primary. Slots that nobody knows are judged
 * by LIMIT_UNKNOWN.
 */
export function judgeFailover(budget: Budget, all: readonly Budget[]): readonly PoolFinding[] {
  const { server, limits } = budget
  const standbys = all.filter(
    (other) => other.server.of === server.name && other.server.failover && other.limits !== null,
  )
  const [smallest] = standbys.toSorted((one, other) => room(one) - room(other))
  if (limits === null || smallest === undefined) return []
  const needed = budget.declared.peak + budget.unmanaged + smallest.total.peak
  const has = room(smallest)
  if (needed <= has) return []
  const own = smallest.total.peak === 0 ? '' : `, and ${several(smallest.total.peak, 'connection')} of its own`
  return [
    {
      code: 'FAILOVER_OVER',
      severity: 'warning',
      server: server.name,
      message: `${server.name}: ${smallest.server.name} would have to take its ${budget.declared.peak + budget.unmanaged} connections${own}: ${needed} of ${has}`,
      hint: `max_connections of ${smallest.server.name} larger by ${needed - has}, smaller pools, or failover: false where it never takes over`,
      place: smallest.server.place,
    },
  ]
}

function room({ server, capacity }: Budget): number {
  return server.failAt * capacity
}
