import type { Budget } from './budget.js'
import type { PoolFinding } from '../sums/model.js'

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
