import type { Budget } from './budget.js'
import { keepingDrivers, preparingDrivers } from './drivers.js'
import type { PoolFinding, Pooler, Service } from './model.js'

/**
 * What a service's driver does to the pooler and the server it talks to: PREPARED_STATEMENTS (transaction pooling without
 * max_prepared_statements, https://www.pgbouncer.org/config.html#max_prepared_statements), POOL_LIFETIME, POOL_IDLE.
 */
export function judgeDrivers(budget: Budget, poolers: readonly Pooler[]): readonly PoolFinding[] {
  const near = budget.total.peak > budget.server.warnAt * budget.capacity
  return budget.lines.flatMap(({ service, pooler, pools }) => {
    if (service !== null) return near ? idleKept(service) : []
    const known = poolers.find((one) => one.name === pooler?.name)
    if (known === undefined) return []
    const services = new Set(pools.flatMap((pool) => pool.services.map((one) => one.service)))
    return [...services].flatMap((one) => [...prepared(one, known), ...lifetime(one, known)])
  })
}

/** Sure only where the console has told what the pooler supports. */
function prepared(service: Service, pooler: Pooler): readonly PoolFinding[] {
  const { driver, preparedStatements } = service.pool
  if (!(preparedStatements ?? preparingDrivers.has(driver ?? ''))) return []
  if (pooler.poolMode === 'session' || (pooler.maxPreparedStatements ?? 0) > 0) return []
  const sure = pooler.maxPreparedStatements === 0
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

function about(
  service: Service,
  code: string,
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
