import type { PoolFindingCode } from '../../codes/codes.js'
import type { Budget } from './budget.js'
import { poolerKind } from '../sums/pooler-kinds.js'
import { keepingDrivers, preparingDrivers } from '../sums/drivers.js'
import { queueLine } from './judge-queue.js'
import type { Deployment, PoolFinding, Service, SessionState } from '../sums/model.js'
import type { Tenant } from '../../tenants/tenant.js'
import type { Pooler } from '../sums/pooler-model.js'
import { fewestServers } from '../sums/queue.js'
import { ownersOf } from '../server/sessions.js'
import { several } from '../../text/amounts.js'

/**
 * What a service's driver does to the pooler and the server it talks to: PREPARED_STATEMENTS (transaction pooling without
 * max_prepared_statements, https://www.pgbouncer.org/config.html#max_prepared_statements), SESSION_STATE, POOL_LIFETIME, POOL_IDLE; and
 * where slots are short, POOL_OVERSIZED.
 */
export function judgeDrivers(budget: Budget, { poolers, tenants }: Deployment): readonly PoolFinding[] {
  const near = budget.total.peak > budget.server.warnAt * budget.capacity
  return budget.lines.flatMap(({ service, pooler, pools }) => {
    if (service !== null) return near ? [...idleKept(service), ...oversized(service, tenants)] : []
    const known = poolers.find((one) => one.name === pooler?.name)
    if (known === undefined) return []
    const services = new Set(pools.flatMap((pool) => pool.services.map((one) => one.service)))
    return [
      ...keptLocks(budget, known),
      ...[...services].flatMap((one) => [...prepared(one, known), ...keptState(one, known), ...lifetime(one, known)]),
    ]
  })
}

/** Sure only where the console has told what the pooler supports. */
function prepared(service: Service, pooler: Pooler): readonly PoolFinding[] {
  const { driver, preparedStatements } = service.pool
  if (!(preparedStatements ?? preparingDrivers.has(driver ?? ''))) return []
  if (pooler.poolMode === 'session' || (pooler.maxPreparedStatements ?? 0) > 0 || pins(pooler)) return []
  const sure = pooler.maxPreparedStatements === 0 || poolerKind(pooler.kind).preparedStatements === false
  const message = `${service.name}: named prepared statements${driver === null ? '' : ` of ${driver}`} fail when ${pooler.name} pools by ${pooler.poolMode}${sure ? '' : ', unless it has max_prepared_statements'}`
  return [
    about(
      service,
      'PREPARED_STATEMENTS',
      sure ? 'warning' : 'info',
      message,
      'max_prepared_statements in pgbouncer 1.21 and later, or switch them off in the driver and declare pool.prepared_statements: false',
    ),
  ]
}

/** POOLER_PINNED says it: the state is kept, and so is the connection. */
function pins({ kind }: Pooler): boolean {
  return poolerKind(kind).sessionState === 'pinned'
}

const stateTexts: Readonly<Record<SessionState, readonly [what: string, instead: string]>> = {
  settings: ['SET', 'SET LOCAL, or ALTER ROLE ... SET'],
  advisory_locks: ['session advisory locks', 'pg_advisory_xact_lock'],
  listen: ['LISTEN', 'a direct connection for the listener'],
  temporary_tables: ['temporary tables', 'ON COMMIT DROP within one transaction'],
  cursors: ['WITH HOLD cursors', 'a cursor within one transaction'],
}

/** What a session keeps the next transaction finds on another server connection, or somebody else does. https://www.pgbouncer.org/features.html */
function keptState(service: Service, pooler: Pooler): readonly PoolFinding[] {
  if (pooler.poolMode === 'session' || service.pool.sessionState.length === 0 || pins(pooler)) return []
  const texts = service.pool.sessionState.map((state) => stateTexts[state])
  const message = `${service.name}: ${texts.map(([what]) => what).join(', ')} of one transaction ${texts.length === 1 && texts[0]?.[0] === 'SET' ? 'is' : 'are'} lost to the next, and left to others, as ${pooler.name} pools by ${pooler.poolMode}`
  return [about(service, 'SESSION_STATE', 'warning', message, texts.map(([, instead]) => instead).join('; '))]
}

/** Seen on the server: a lock that outlives its transaction on a connection that the pooler gives to somebody else next. */
function keptLocks({ server, live, patterns }: Budget, pooler: Pooler): readonly PoolFinding[] {
  if (live === null || pooler.poolMode === 'session') return []
  return live.keptLocks
    .filter((group) => ownersOf(group, patterns).join() === pooler.name)
    .map((group) => ({
      code: 'SESSION_STATE',
      severity: 'warning',
      server: server.name,
      message: `${pooler.name}: ${several(group.connections, 'idle server connection')} of ${group.role} on ${group.database} ${group.connections === 1 ? 'holds' : 'hold'} advisory locks of a session that the next client does not know, as it pools by ${pooler.poolMode}`,
      hint: 'pg_advisory_xact_lock, or a direct connection for whoever takes the lock',
      place: pooler.place,
    }))
}

function lifetime(service: Service, pooler: Pooler): readonly PoolFinding[] {
  const { maxLifetimeMs } = service.pool
  if (maxLifetimeMs === null || maxLifetimeMs < pooler.serverLifetimeMs || pooler.serverLifetimeMs === 0) return []
  const seconds = pooler.serverLifetimeMs / 1000
  const message = `${service.name}: connections live ${maxLifetimeMs / 1000} s, ${pooler.name} renews its own after ${seconds} s (server_lifetime)`
  return [about(service, 'POOL_LIFETIME', 'info', message, `pool.max_lifetime below ${seconds}s`)]
}

/** Worth a word only where slots are short. */
function idleKept(service: Service): readonly PoolFinding[] {
  const { driver, idleTimeoutMs, min, max } = service.pool
  if (driver === null || !keepingDrivers.has(driver) || idleTimeoutMs !== null || (driver === 'hikaricp' && min < max))
    return []
  const message = `${service.name}: ${driver} never closes an idle connection by itself`
  const hint = driver === 'hikaricp' ? 'minimumIdle below maximumPoolSize, with idleTimeout' : 'idle_timeout: 60'
  return [about(service, 'POOL_IDLE', 'info', message, `${hint}; then declare it as pool.idle_timeout`)]
}

/** As many times the connections that the declared load needs as audit workers may have. */
const generous = 4

/** By Erlang C, as QUEUE_WAIT says "too small". A load that was measured for seconds is no busy hour. */
function oversized(service: Service, tenants: readonly Tenant[]): readonly PoolFinding[] {
  const line = queueLine(service, tenants)
  if (line?.waitMs == null || line.measuredSeconds !== null) return []
  const needed = fewestServers(line.rate / line.pools, line.serviceTimeSeconds, line.waitMs / 1000, line)
  if (line.servers < generous * needed) return []
  const message = `${service.name}: ${needed} of the ${line.servers} connections of a pool are enough for the declared load, with 99 % of the waits under ${line.waitMs} ms`
  return [about(service, 'POOL_OVERSIZED', 'info', message, `pool.max: ${needed}`)]
}

function about(
  service: Service,
  code: PoolFindingCode,
  severity: PoolFinding['severity'],
  message: string,
  hint: string,
): PoolFinding {
  return {
    code,
    severity,
    ...(service.server !== null && { server: service.server }),
    service: service.name,
    message,
    hint,
    place: service.poolPlace,
  }
}
