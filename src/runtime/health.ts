import type { Audit } from './audit/audit.js'
import type { Budget } from './pool/pool.js'
import type { Tenants } from './tenants/tenants.js'

export type Status = 'ok' | 'warning' | 'critical'

/** Times are averaged as times, over the last one to two minutes, as all rates are. null: nothing happened in them. */
export interface Health {
  readonly status: Status
  readonly pools: {
    readonly status: Status
    /** Connections of this process, with those that are being made or closed, and what it may have. */
    readonly connections: number
    readonly process_max: number
    readonly most: number
    readonly busy: number
    readonly waiting: number
    /** Pools that hold a connection. */
    readonly open: number
    /** Busy connections of those that requests may have; a warning from 0.8. */
    readonly saturation: number
    /** Of the requests; critical above 0.01. */
    readonly timeouts: number | null
    readonly wait_ms: number | null
  }
  readonly cache?: {
    readonly status: Status
    /** Good from 0.9, critical below 0.7. */
    readonly hit_rate: number | null
    readonly entries: number
    /** Of maxsize: a warning from 0.8, critical from 0.95. */
    readonly size: number
    readonly errors: number
    readonly stale: number
    readonly miss_ms: number | null
    /** false: nobody tells of changes, and nothing is kept; null where no channel is declared. */
    readonly listening: boolean | null
  }
  readonly audit?: {
    readonly status: Status
    readonly depth: number
    readonly capacity: number
    readonly written: number
    /** Since the start, as dropped and written are. */
    readonly failed: number
    readonly dropped: number
    /** Failed and dropped of all rows of the last minutes; critical above 0.001. */
    readonly lost_rate: number | null
    readonly write_ms: number | null
  }
}

export interface Parts {
  /** The pools of requests, and what the process holds besides. */
  readonly requests: Budget
  readonly besides: readonly Budget[]
  readonly listenerConnections: () => number
  readonly processMax: number
  readonly tenants: Tenants | undefined
  readonly listening: () => boolean | null
  readonly audit: Audit | undefined
}

/** Too few look-ups say nothing about the cache. */
const enoughLookUps = 100

/** The state of all parts, judged by the reports' thresholds. */
export function healthOf(parts: Parts): Health {
  const pools = poolsOf(parts)
  const cache = cacheOf(parts)
  const audit = auditOf(parts)
  const status = worst([pools, cache, audit].flatMap((part) => (part === undefined ? [] : [part.status])))
  return { status, pools, ...(cache && { cache }), ...(audit && { audit }) }
}

function poolsOf({ requests, besides, listenerConnections, processMax }: Parts): Health['pools'] {
  const { counts, limits, pools } = requests
  const saturation = counts.busy / limits.limit
  const asked = counts.leases.recent() + counts.timeouts.recent()
  const timeouts = asked === 0 ? null : counts.timeouts.recent() / asked
  const waiting = [...pools].reduce((sum, pool) => sum + pool.waiting.size, 0)
  return {
    status: (timeouts ?? 0) > 0.01 ? 'critical' : saturation >= 0.8 ? 'warning' : 'ok',
    connections: besides.reduce((sum, one) => sum + one.counts.used, counts.used + listenerConnections()),
    process_max: processMax,
    most: counts.most,
    busy: counts.busy,
    waiting,
    open: [...pools].filter((pool) => pool.open > 0).length,
    saturation,
    timeouts,
    wait_ms: asked === 0 ? null : counts.waitedMs.recent() / asked,
  }
}

function cacheOf({ tenants, listening }: Parts): Health['cache'] {
  if (tenants === undefined) return undefined
  const { hits, misses, errors, stale, missMs } = tenants.counts
  const asked = hits.recent() + misses.recent()
  const hitRate = asked === 0 ? null : hits.recent() / asked
  const size = tenants.size() / tenants.maxsize
  const judged = asked < enoughLookUps ? 1 : (hitRate ?? 1)
  const heard = listening()
  return {
    status:
      judged < 0.7 || size >= 0.95 ? 'critical' : judged < 0.9 || size >= 0.8 || heard === false ? 'warning' : 'ok',
    hit_rate: hitRate,
    entries: tenants.size(),
    size,
    errors: errors.recent(),
    stale: stale.recent(),
    miss_ms: misses.recent() === 0 ? null : missMs.recent() / misses.recent(),
    listening: heard,
  }
}

function auditOf({ audit }: Parts): Health['audit'] {
  if (audit === undefined) return undefined
  const { written, failed, dropped, writeMs, batches } = audit.counts
  const lost = failed.recent() + dropped.recent()
  const all = lost + written.recent()
  const rate = all === 0 ? null : lost / all
  return {
    status: (rate ?? 0) > 0.001 ? 'critical' : audit.depth() >= 0.8 * audit.capacity ? 'warning' : 'ok',
    depth: audit.depth(),
    capacity: audit.capacity,
    written: written.total,
    failed: failed.total,
    dropped: dropped.total,
    lost_rate: rate,
    write_ms: batches.recent() === 0 ? null : writeMs.recent() / batches.recent(),
  }
}

function worst(all: readonly Status[]): Status {
  return all.includes('critical') ? 'critical' : all.includes('warning') ? 'warning' : 'ok'
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function metricsOf(parts: Parts): string {
  const { pools, cache, audit } = healthOf(parts)
  const { counts } = parts.requests
  const line = (name: string, type: 'gauge' | 'counter', value: number | null | undefined) =>
    value === null || value === undefined ? '' : `# TYPE perfdb_${name} ${type}\nperfdb_${name} ${value}\n`
  return [
    line('connections', 'gauge', pools.connections),
    line('connections_max', 'gauge', pools.process_max),
    line('connections_busy', 'gauge', pools.busy),
    line('connections_opened_total', 'counter', counts.opened),
    line('requests_waiting', 'gauge', pools.waiting),
    line('requests_total', 'counter', counts.leases.total),
    line('request_wait_seconds_total', 'counter', counts.waitedMs.total / 1000),
    line('request_timeouts_total', 'counter', counts.timeouts.total),
    line('tenant_pools_open', 'gauge', pools.open),
    line('cache_entries', 'gauge', cache?.entries),
    line('cache_hits_total', 'counter', parts.tenants?.counts.hits.total),
    line('cache_misses_total', 'counter', parts.tenants?.counts.misses.total),
    line('cache_errors_total', 'counter', parts.tenants?.counts.errors.total),
    line('cache_stale_total', 'counter', parts.tenants?.counts.stale.total),
    line('cache_listening', 'gauge', cache?.listening == null ? null : Number(cache.listening)),
    line('audit_depth', 'gauge', audit?.depth),
    line('audit_written_total', 'counter', audit?.written),
    line('audit_failed_total', 'counter', audit?.failed),
    line('audit_dropped_total', 'counter', audit?.dropped),
    line('audit_retries_total', 'counter', parts.audit?.counts.retries.total),
  ].join('')
}
