import type { Place } from '../../errors.js'
import { completeAudit, completeCache, completeLoad, optional } from './complete-work.js'
import { drivers } from '../sums/drivers.js'
import type { Deploy, Pool, Runtime, Service, Share } from '../sums/model.js'
import type { WrittenPool, WrittenService } from './schema.js'
import { durationMs, percentOf } from '../../text/units.js'

/** Where a path of the file stands, and how a problem at it is reported; codes BAD_VALUE and UNBOUNDED_POOL. */
export interface Reporter {
  at(path: readonly (string | number)[]): Place
  report(code: 'BAD_VALUE' | 'UNBOUNDED_POOL', path: readonly (string | number)[], message: string, hint?: string): void
}

/** A service with every default filled in: those of its driver, of its runtime, of Kubernetes. */
export function completeService(
  name: string,
  written: WrittenService,
  countTerminating: boolean,
  reporter: Reporter,
): Service {
  const path = ['services', name]
  const runtime = completeRuntime(written, reporter, path)
  const pool = completePool(written, runtime, reporter, path)
  const perTenant = pool.perTenant
  if (written.server === undefined && !perTenant && written.via === undefined) {
    reporter.report(
      'BAD_VALUE',
      path,
      `services.${name}: the key "server" is missing`,
      'name one of servers, or via: http',
    )
  }
  const { instances = 1 } = written
  const desired = typeof instances === 'number' ? instances : instances.desired
  const max = typeof instances === 'number' ? instances : (instances.max ?? desired)
  if (max < desired)
    reporter.report(
      'BAD_VALUE',
      [...path, 'instances'],
      `services.${name}: instances.max ${max} is below desired ${desired}`,
    )
  return {
    name,
    server: written.server ?? null,
    database: written.database ?? null,
    role: written.role ?? null,
    applicationName: written.application_name ?? null,
    via: viaOf(written.via),
    runtime,
    instances: { desired, max },
    deploy: completeDeploy(written.deploy, countTerminating),
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

/** Forked workers and threads of an event loop are left open: only the file knows a worker's threads. */
function completeRuntime({ runtime }: WrittenService, reporter: Reporter, path: readonly string[]): Runtime {
  const kind = runtime?.kind ?? 'other'
  const serverless = kind === 'serverless'
  if (serverless && runtime?.max_concurrency === undefined) {
    reporter.report(
      'BAD_VALUE',
      [...path, 'runtime'],
      `${path.join('.')}.runtime: serverless needs max_concurrency`,
      'the limit of concurrent functions',
    )
  }
  return {
    kind,
    processes: runtime?.processes ?? 1,
    threads: runtime?.threads ?? null,
    scope: runtime?.scope ?? 'process',
    maxConcurrency: serverless ? (runtime?.max_concurrency ?? 1) : null,
    overlap: runtime?.overlap ?? 1,
  }
}

function completePool(written: WrittenService, runtime: Runtime, reporter: Reporter, path: readonly string[]): Pool {
  const { pool } = written
  const at = pool === undefined ? path : [...path, 'pool']
  const driver = pool?.driver === undefined ? undefined : drivers[pool.driver]
  const policyFactor = pool?.policy === undefined ? null : Number(pool.policy.replace(/^.*\*\s*/, ''))
  const policyMax = policyFactor === null ? undefined : policyFactor * runtime.processes
  const max =
    written.via === 'http' && pool === undefined
      ? 0
      : (maximum(pool, reporter, at) ?? policyMax ?? driverMaximum(written, runtime, reporter, at))
  const min = pool?.min ?? Math.min(driver?.min ?? 0, max)
  if (min > max) reporter.report('BAD_VALUE', [...at, 'min'], `${at.join('.')}: min ${min} is above max ${max}`)
  return {
    driver: pool?.driver ?? null,
    min,
    max,
    maxOverflow: overflow(pool, reporter, at) ?? driver?.maxOverflow ?? 0,
    eager: pool?.eager ?? driver?.eager ?? false,
    acquireTimeoutMs: optional(pool?.acquire_timeout, durationMs) ?? driver?.acquireTimeoutMs ?? null,
    maxLifetimeMs: optional(pool?.max_lifetime, durationMs),
    idleTimeoutMs: optional(pool?.idle_timeout, durationMs),
    perTenant: pool?.per_tenant ?? false,
    preparedStatements: pool?.prepared_statements ?? null,
    sessionState: pool?.session_state ?? [],
    policyFactor,
  }
}

/** 0 is "unlimited" to Go, SQLAlchemy and pgbouncer: never a pool of no connections. */
function maximum(pool: WrittenPool | undefined, reporter: Reporter, at: readonly string[]): number | undefined {
  if (typeof pool?.max === 'number' && pool.max > 0) return pool.max
  if (pool?.max === undefined) return undefined
  const message = `${at.join('.')}: max ${pool.max} is an unlimited pool`
  reporter.report(
    'UNBOUNDED_POOL',
    [...at, 'max'],
    message,
    pool.max === 0 ? 'give it a maximum; via: http for a service without connections' : undefined,
  )
  return 1
}

function overflow(pool: WrittenPool | undefined, reporter: Reporter, at: readonly string[]): number | undefined {
  const written = pool?.max_overflow
  if (typeof written !== 'string' && written !== -1) return written
  reporter.report('UNBOUNDED_POOL', [...at, 'max_overflow'], `${at.join('.')}: max_overflow ${written} is unlimited`)
  return 0
}

function driverMaximum({ pool }: WrittenService, runtime: Runtime, reporter: Reporter, at: readonly string[]): number {
  const driver = pool?.driver === undefined ? undefined : drivers[pool.driver]
  if (driver?.max != null) return driver.max
  if (driver?.unknownMax === 'by-thread') return runtime.threads ?? 1
  const what = pool?.driver === undefined ? 'has no maximum' : `of ${pool.driver} has no maximum by itself`
  switch (driver?.unknownMax) {
    case 'by-cpu':
      reporter.report(
        'BAD_VALUE',
        at,
        `${at.join('.')}: the default of prisma is physical CPUs x 2 + 1`,
        'write that number as max',
      )
      return 1
    case 'required':
      reporter.report('BAD_VALUE', at, `${at.join('.')}: the key "max" is missing`, 'the maxconn of its constructor')
      return 1
    case 'unlimited':
    case undefined:
      reporter.report(
        'UNBOUNDED_POOL',
        at,
        `${at.join('.')}: the pool ${what}`,
        pool?.driver === 'go' ? 'call SetMaxOpenConns, and write its number as max' : undefined,
      )
      return 1
  }
}

function completeDeploy(deploy: WrittenService['deploy'], countTerminating: boolean): Deploy {
  switch (deploy?.strategy) {
    case undefined:
      return { strategy: 'none' }
    case 'recreate':
    case 'blue_green':
      return { strategy: deploy.strategy }
    case 'canary':
      return { strategy: 'canary', share: shareOf(deploy.canary ?? '10%') }
    case 'rolling':
      return {
        strategy: 'rolling',
        maxSurge: shareOf(deploy.max_surge ?? '25%'),
        maxUnavailable: shareOf(deploy.max_unavailable ?? '25%'),
        countTerminating: deploy.count_terminating ?? countTerminating,
      }
  }
}

function shareOf(written: number | string): Share {
  return typeof written === 'number' ? { instances: written } : { percent: percentOf(written) }
}
