import type { Reporter } from './reporter.js'
import { completeDeploy, completeRuntime } from './complete-runtime.js'
import { completeAudit, completeCache, completeLoad, optional } from './complete-work.js'
import { driverDefaults, driverName } from '../sums/drivers.js'
import type { Pool, Runtime, Service } from '../sums/model.js'
import type { WrittenPool, WrittenService } from './schema.js'
import { durationMs } from '../../text/units.js'

/** A service with every default filled in: those of its driver, of its runtime, of Kubernetes. */
export function completeService(
  name: string,
  written: WrittenService,
  countTerminating: boolean,
  reporter: Reporter,
  lookup: Service['lookup'] = null,
): Service {
  const path = ['services', name]
  const runtime = completeRuntime(written, reporter, path)
  const pool = completePool(written, runtime, reporter, path)
  const perTenant = pool.perTenant
  if (written.server === undefined && !perTenant && written.via === undefined) {
    reporter.problem(path, `services.${name}: the key "server" is missing`, 'name one of servers, or via: http')
  }
  const { instances = 1 } = written
  const desired = typeof instances === 'number' ? instances : instances.desired
  const max = typeof instances === 'number' ? instances : (instances.max ?? desired)
  if (max < desired)
    reporter.problem([...path, 'instances'], `services.${name}: instances.max ${max} is below desired ${desired}`)
  return {
    name,
    server: written.server ?? null,
    database: written.database ?? null,
    role: written.role ?? null,
    applicationName: written.application_name ?? null,
    via: viaOf(written.via),
    processMax: processMax(written, perTenant ? lookup : null, reporter, path),
    lookup: perTenant ? lookup : null,
    runtime,
    instances: { desired, max },
    deploy: completeDeploy(written, runtime, countTerminating),
    pool,
    connectionsPerRequest: written.connections_per_request ?? 1,
    extraConnections: written.extra_connections ?? 0,
    requestTimeoutMs: optional(written.request_timeout, durationMs),
    load: optional(written.load, completeLoad),
    cache: optional(written.cache, completeCache),
    audit: optional(written.audit, completeAudit),
    place: reporter.at(path),
    poolPlace: reporter.at([...path, ...maximumPath(written.pool)]),
    instancesPlace: reporter.at(written.instances === undefined ? path : [...path, 'instances']),
  }
}

/** Enough for what a process holds besides its pools, and one connection more. */
function processMax(
  { process_max: most, audit }: WrittenService,
  lookup: Service['lookup'],
  reporter: Reporter,
  path: readonly string[],
): number | null {
  if (most === undefined) return null
  const besides = (lookup?.connections ?? 0) + (audit?.own_connections === true ? audit.workers : 0)
  if (most > besides) return most
  const message = `${path.join('.')}: process_max ${most} leaves no connection for requests: ${besides} are for look-ups of tenants and audit workers`
  reporter.problem([...path, 'process_max'], message, `process_max: ${besides + 1} or more`)
  return most
}

/** Where the maximum of the pool stands, or would. */
function maximumPath(pool: WrittenPool | undefined): readonly string[] {
  if (pool === undefined) return []
  if (pool.max !== undefined) return ['pool', 'max']
  return pool.policy === undefined ? ['pool'] : ['pool', 'policy']
}

function viaOf(via: string | undefined): Service['via'] {
  if (via === undefined) return { kind: 'direct' }
  return via === 'http' ? { kind: 'http' } : { kind: 'pooler', pooler: via }
}

function completePool(written: WrittenService, runtime: Runtime, reporter: Reporter, path: readonly string[]): Pool {
  const { pool } = written
  const at = pool === undefined ? path : [...path, 'pool']
  const driver = driverDefaults(pool?.driver)
  const policyFactor = pool?.policy === undefined ? null : Number(pool.policy.replace(/^.*\*\s*/, ''))
  const policyMax = policyFactor === null ? undefined : policyFactor * runtime.processes
  const said = maximum(pool)
  const declared =
    said === 'unlimited' ? unbounded(`max ${pool?.max} is an unlimited pool`, runtime, reporter, [...at, 'max']) : said
  const max =
    written.via === 'http' && pool === undefined
      ? 0
      : (declared ?? policyMax ?? driverMaximum(written, runtime, reporter, at))
  const min = pool?.min ?? Math.min(driver?.min ?? 0, max)
  if (min > max) reporter.problem([...at, 'min'], `${at.join('.')}: min ${min} is above max ${max}`)
  return {
    driver: pool?.driver === undefined ? null : driverName(pool.driver),
    min,
    max,
    maxOverflow: overflow(pool, runtime, reporter, at) ?? driver?.maxOverflow ?? 0,
    eager: pool?.eager ?? driver?.eager ?? false,
    acquireTimeoutMs: optional(pool?.acquire_timeout, durationMs) ?? driver?.acquireTimeoutMs ?? null,
    maxLifetimeMs: optional(pool?.max_lifetime, durationMs),
    idleTimeoutMs: optional(pool?.idle_timeout, durationMs),
    perTenant: pool?.per_tenant ?? false,
    active: optional(pool?.active, busiest),
    preparedStatements: pool?.prepared_statements ?? null,
    sessionState: pool?.session_state ?? [],
    policyFactor,
  }
}

/** Of several parts of the day the one with the most tenants: a budget has to hold then. */
function busiest(active: NonNullable<WrittenPool['active']>): Pool['active'] {
  if (typeof active === 'number') return { tenants: active, part: null }
  const [most] = Object.entries(active).toSorted(([, one], [, other]) => other - one)
  return most === undefined ? null : { tenants: most[1], part: most[0] }
}

/** 0 is "unlimited" to Go, SQLAlchemy and pgbouncer: never a pool of no connections. */
function maximum(pool: WrittenPool | undefined): number | 'unlimited' | undefined {
  if (pool?.max === undefined) return undefined
  return typeof pool.max === 'number' && pool.max > 0 ? pool.max : 'unlimited'
}

/** A pool without a limit is counted as its threads, or as one connection: the finding says that it may be more. */
function unbounded(what: string, runtime: Runtime, reporter: Reporter, path: readonly string[], hint?: string): number {
  const counted = runtime.threads ?? 1
  reporter.find({
    code: 'UNBOUNDED_POOL',
    severity: 'error',
    path,
    message: `${path[1]}: ${what}; counted as ${counted}`,
    hint: hint ?? 'give it a maximum; via: http for a service without connections',
  })
  return counted
}

function overflow(
  pool: WrittenPool | undefined,
  runtime: Runtime,
  reporter: Reporter,
  at: readonly string[],
): number | undefined {
  const written = pool?.max_overflow
  if (typeof written !== 'string' && written !== -1) return written
  unbounded(`max_overflow ${written} is unlimited`, runtime, reporter, [...at, 'max_overflow'], 'max_overflow: 0')
  return 0
}

function driverMaximum({ pool }: WrittenService, runtime: Runtime, reporter: Reporter, at: readonly string[]): number {
  const driver = driverDefaults(pool?.driver)
  if (driver?.max != null) return driver.max
  // A child of php-fpm has the connection that its request opens.
  if (driver?.unknownMax === 'by-thread' || (driver === undefined && runtime.kind === 'php-fpm'))
    return runtime.threads ?? 1
  const what =
    pool?.driver === undefined ? 'the pool has no maximum' : `the pool of ${pool.driver} has no maximum by itself`
  switch (driver?.unknownMax) {
    case 'by-cpu':
      reporter.problem(
        at,
        `${at.join('.')}: the default of ${pool?.driver} follows the processors: ${driver.source}`,
        'write that number as max',
      )
      return 1
    case 'required':
      reporter.problem(at, `${at.join('.')}: the key "max" is missing`, 'the maxconn of its constructor')
      return 1
    case 'unlimited':
    case undefined:
      return unbounded(
        what,
        runtime,
        reporter,
        at,
        pool?.driver === 'go' ? 'call SetMaxOpenConns, and write its number as max' : undefined,
      )
  }
}
