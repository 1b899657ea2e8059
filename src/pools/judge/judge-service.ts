import type { PoolFindingCode } from '../../codes/codes.js'
import { auditEffect, auditWorkersByRule } from '../sums/audit.js'
import type { Budget } from './budget.js'
import { cacheEffect, ttlForHitRatio } from '../sums/cache.js'
import { poolsPerInstance } from '../sums/demand.js'
import { judgeTenants } from './judge-tenants.js'
import { judgeQueue } from './judge-queue.js'
import type { PoolFinding, Service } from '../sums/model.js'
import type { Tenant } from '../../tenants/tenant.js'
import { cap, held, lockingMinimum } from '../sums/pool.js'
import { withRemedies } from './named-remedies.js'
import { several } from '../../text/amounts.js'

/**
 * Findings of one service by itself: POOL_LOCKING, POOL_SHORT, POOL_UNREACHED, RUNTIME_ASSUMED, POLICY_PER_PROCESS, ACQUIRE_TIMEOUT, QUEUE_*, CACHE_*, AUDIT_*. What it
 * does to a server is judged there.
 */
export function judgeService(service: Service, tenants: readonly Tenant[]): readonly PoolFinding[] {
  const pools =
    service.via.kind === 'http'
      ? []
      : [
          ...locking(service),
          ...short(service),
          ...unreached(service),
          ...assumedThreads(service),
          ...perProcess(service),
          ...acquireTimeout(service),
          ...judgeTenants(service, tenants),
        ]
  return [...pools, ...judgeQueue(service, tenants), ...cacheFindings(service), ...auditFindings(service)]
}

/** The field rule `max_pool x instances < max_connections`, told where it passes and the budget does not (RULE_OF_THUMB). */
export function judgeRule(budget: Budget): readonly PoolFinding[] {
  const { limits, server, total, capacity } = budget
  if (limits === null || total.peak <= server.warnAt * capacity) return []
  const misled = budget.lines.flatMap(({ service, peak }) => {
    if (service === null || service.runtime.maxConcurrency !== null) return []
    const product = service.pool.max * service.instances.max
    // Where nothing multiplies behind the rule's back, only the largest service is worth the word.
    if (product >= limits.maxConnections || (peak <= product && budget.lines.some((line) => line.peak > peak)))
      return []
    return [{ service, peak, product }]
  })
  const [worst, ...others] = misled.toSorted((a, b) => b.peak - a.peak)
  if (worst === undefined) return []
  const { service, peak, product } = worst
  const likewise = others.length === 0 ? '' : `; ${several(others.length, 'other service')} likewise`
  return [
    {
      code: 'RULE_OF_THUMB',
      severity: 'info',
      server: server.name,
      service: service.name,
      message: `${service.name}: "max_pool x instances < max_connections" holds (${product} < ${limits.maxConnections}), but the service opens ${peak} and ordinary roles have ${capacity}${likewise}`,
      place: service.poolPlace,
    },
  ]
}

function locking(service: Service): readonly PoolFinding[] {
  const { threads, processes, scope } = service.runtime
  if (threads === null || service.connectionsPerRequest < 2) return []
  const all = scope === 'instance' ? threads * processes : threads
  const needed = lockingMinimum(all, service.connectionsPerRequest)
  if (cap(service.pool) >= needed) return []
  const message = `${service.name}: ${all} threads that take ${service.connectionsPerRequest} connections each may all wait for one another in a pool of ${cap(service.pool)}`
  const max = Math.max(1, needed - service.pool.maxOverflow)
  return [withRemedies(finding(service, 'POOL_LOCKING', 'error', message), [['pool.max', max]])]
}

/** More threads than connections: all busy at once, some find none. An error where they give up before one comes free. */
function short(service: Service): readonly PoolFinding[] {
  const { pool, runtime, load } = service
  if (runtime.threads === null || locking(service).length > 0) return []
  const threads = runtime.threads * (runtime.scope === 'instance' ? runtime.processes : 1)
  if (threads <= cap(pool) || runtime.threads >= eventLoop) return []
  const workMs = load?.serviceTimeSeconds == null ? null : load.serviceTimeSeconds * 1000
  const givesUp = pool.acquireTimeoutMs !== null && workMs !== null && pool.acquireTimeoutMs < workMs
  const waits =
    pool.acquireTimeoutMs === null
      ? 'the others wait'
      : `the others wait up to ${pool.acquireTimeoutMs} ms${givesUp ? `, and their work takes ${workMs} ms: they fail` : ''}`
  const message = `${service.name}: ${several(threads, 'thread')} of a pool want a connection each, and it has ${cap(pool)}: ${waits}`
  return [
    withRemedies(finding(service, 'POOL_SHORT', givesUp ? 'error' : 'warning', message), [
      ['pool.max', threads - pool.maxOverflow],
      ['runtime.threads', Math.max(1, Math.floor(cap(pool) / (threads / runtime.threads)))],
    ]),
  ]
}

/** Greenlets are no threads: thousands of them share a pool as an event loop does. */
const eventLoop = 1000

/** The threads are the default of the kind, and they make the sum smaller than the pools promise. */
function assumedThreads(service: Service): readonly PoolFinding[] {
  const { runtime, pool, connectionsPerRequest } = service
  if (runtime.threadsAssumed !== true || held(pool, runtime, connectionsPerRequest) >= cap(pool)) return []
  const message = `${service.name}: ${runtime.kind} works on ${several(runtime.threads ?? 1, 'request')} at once in each process unless the file says otherwise, so a pool of ${cap(pool)} holds ${held(pool, runtime, connectionsPerRequest)}`
  return [
    {
      ...finding(service, 'RUNTIME_ASSUMED', 'info', message, 'runtime.threads or worker_class, where it is another'),
      place: service.place,
    },
  ]
}

function unreached(service: Service): readonly PoolFinding[] {
  const most = held(service.pool, service.runtime, service.connectionsPerRequest)
  if (most >= cap(service.pool)) return []
  const message = `${service.name}: max ${cap(service.pool)} can never be reached, the threads of a pool use ${most}`
  return [finding(service, 'POOL_UNREACHED', 'info', message, `pool.max: ${most}`)]
}

function perProcess(service: Service): readonly PoolFinding[] {
  const factor = service.pool.policyFactor
  if (factor === null || poolsPerInstance(service) < 2) return []
  const pools = poolsPerInstance(service)
  const message = `${service.name}: max ${service.pool.max} is meant for ${pools} workers together, but each has a pool of its own: ${pools * service.pool.max} an instance`
  return [withRemedies(finding(service, 'POLICY_PER_PROCESS', 'warning', message), [['pool.max', factor]])]
}

function acquireTimeout(service: Service): readonly PoolFinding[] {
  const { acquireTimeoutMs } = service.pool
  if (acquireTimeoutMs === null || service.requestTimeoutMs === null || acquireTimeoutMs <= service.requestTimeoutMs)
    return []
  const message = `${service.name}: waits up to ${acquireTimeoutMs} ms for a connection, but the request ends after ${service.requestTimeoutMs} ms`
  return [finding(service, 'ACQUIRE_TIMEOUT', 'warning', message, 'pool.acquire_timeout below request_timeout')]
}

/** Field thresholds: hit ratio over 90 % good, under 70 % critical; maxsize = 2 x active users. */
function cacheFindings(service: Service): readonly PoolFinding[] {
  const { cache, instances, runtime } = service
  if (cache === null) return []
  const { hit, replicas, missQueriesPerSecond, memoryBytes } = cacheEffect(
    cache,
    Math.max(1, instances.desired * runtime.processes),
  )
  const found: PoolFinding[] = []
  if (hit < 0.9) {
    const ttl = Math.round(ttlForHitRatio(0.9, cache.ratePerUserPerSecond, replicas))
    const message = `${service.name}: a hit ratio of ${(hit * 100).toFixed(1)} % is to be expected over ${replicas} caches${hit < 0.7 ? ' (critical)' : ''}; ${missQueriesPerSecond.toFixed(1)} queries/s miss`
    found.push(finding(service, 'CACHE_HIT', 'warning', message, `one shared cache, or ttl: ${ttl}s for 90 %`))
  }
  if (cache.maxsize < 2 * cache.activeUsers) {
    const small = cache.maxsize < cache.activeUsers
    const message = `${service.name}: ${cache.maxsize} entries for ${cache.activeUsers} active users`
    found.push(
      finding(service, 'CACHE_SIZE', small ? 'error' : 'warning', message, `maxsize: ${2 * cache.activeUsers}`),
    )
  }
  if (cache.maxStalenessSeconds !== null && cache.ttlSeconds > cache.maxStalenessSeconds) {
    const message = `${service.name}: entries live ${cache.ttlSeconds} s, max_staleness allows ${cache.maxStalenessSeconds} s`
    found.push(finding(service, 'CACHE_STALE', 'error', message, `ttl: ${cache.maxStalenessSeconds}s`))
  }
  if (memoryBytes !== null && replicas > 1) {
    const message = `${service.name}: its caches take ${Math.ceil(memoryBytes / megabyte)} MB, ${Math.ceil(memoryBytes / replicas / megabyte)} MB in each of ${replicas} processes, with the same entries`
    found.push(finding(service, 'CACHE_MEMORY', 'info', message, 'kind: shared'))
  }
  return found
}

const megabyte = 1024 ** 2

function auditFindings(service: Service): readonly PoolFinding[] {
  const { audit, instances, runtime } = service
  if (audit === null) return []
  const executors = Math.max(1, instances.desired * runtime.processes)
  const found: PoolFinding[] = []
  if (!audit.bounded && audit.queue !== null) {
    const message = `${service.name}: the executor has no bounded queue: the limit of ${audit.queue} is not enforced, and rows pile up in memory`
    found.push(
      finding(
        service,
        'AUDIT_UNBOUNDED',
        'error',
        message,
        'count submissions with a semaphore, or use a bounded queue',
      ),
    )
  } else if (audit.queue !== null) {
    const message = `${service.name}: up to ${audit.queue * executors} audit rows are lost when its processes die`
    found.push(finding(service, 'AUDIT_AT_RISK', 'info', message))
  }
  if (audit.ratePerSecond === null || audit.serviceTimeSeconds === null) return found
  const buffer = { queue: audit.queue, burst: audit.burstPerSecond === null ? null : audit.burstPerSecond / executors }
  const { stable, utilization, enough, fillSeconds } = auditEffect(
    audit.ratePerSecond / executors,
    audit.serviceTimeSeconds,
    audit.workers,
    buffer,
  )
  const used = `${(utilization * 100).toFixed(1)} %`
  if (!stable) {
    found.push(
      finding(
        service,
        'AUDIT_QUEUE',
        'error',
        `${service.name}: audit workers are ${used} busy: the queue only grows`,
        `audit.workers: ${enough}`,
      ),
    )
  } else if (fillSeconds !== null && fillSeconds < 60) {
    const message = `${service.name}: a burst fills the audit queue in ${fillSeconds.toFixed(1)} s`
    found.push(
      finding(
        service,
        'AUDIT_QUEUE',
        'warning',
        message,
        `audit.workers: ${Math.ceil((buffer.burst ?? 0) * audit.serviceTimeSeconds) + 1}`,
      ),
    )
  } else if (audit.workers >= 4 * enough) {
    const rule = audit.workers === auditWorkersByRule(audit.ratePerSecond) ? ' (writes/s x 0.5)' : ''
    const message = `${service.name}: ${audit.workers} audit workers${rule} are ${used} busy`
    found.push(
      finding(
        service,
        'AUDIT_OVERSIZED',
        audit.ownConnections ? 'warning' : 'info',
        message,
        `audit.workers: ${enough}`,
      ),
    )
  }
  return found
}

function finding(
  service: Service,
  code: PoolFindingCode,
  severity: PoolFinding['severity'],
  message: string,
  hint?: string,
): PoolFinding {
  const place = code.startsWith('POOL') || code.startsWith('POLICY') ? service.poolPlace : service.place
  return {
    code,
    severity,
    ...(service.server !== null && { server: service.server }),
    service: service.name,
    message,
    ...(hint !== undefined && { hint }),
    place,
  }
}
