import type { Audit } from '../sums/audit.js'
import type { Cache } from '../sums/cache.js'
import type { Load } from '../sums/model.js'
import type { WrittenService } from './schema.js'
import { durationMs, ratePerSecond, sizeBytes } from '../../text/units.js'

/** Offered work as it is written. */
export function completeLoad(load: NonNullable<WrittenService['load']>): Load {
  return {
    ratePerSecond: optional(load.rate, ratePerSecond),
    serviceTimeSeconds: optional(load.service_time, seconds),
    cv2: load.cv2 ?? 1,
    sloWaitMs: optional(load.slo_wait, durationMs),
    expectedConcurrent: load.expected_concurrent ?? null,
    maxConcurrent: load.max_concurrent ?? null,
  }
}

/** A cache as it is written. */
export function completeCache(cache: NonNullable<WrittenService['cache']>): Cache {
  return {
    kind: cache.kind,
    maxsize: cache.maxsize,
    ttlSeconds: seconds(cache.ttl),
    activeUsers: cache.active_users,
    ratePerUserPerSecond: ratePerSecond(cache.rate_per_user),
    queriesPerMiss: cache.queries_per_miss ?? 1,
    maxStalenessSeconds: optional(cache.max_staleness, seconds),
    ...(cache.stale_if_error !== undefined && { staleIfErrorSeconds: seconds(cache.stale_if_error) }),
    entryBytes: optional(cache.entry_size, sizeBytes),
    hitMs: optional(cache.hit_time, durationMs),
    missMs: optional(cache.miss_time, durationMs),
  }
}

/** An audit executor as it is written. */
export function completeAudit(audit: NonNullable<WrittenService['audit']>): Audit {
  return {
    workers: audit.workers,
    queue: audit.queue ?? null,
    ratePerSecond: optional(audit.rate, ratePerSecond),
    burstPerSecond: optional(audit.burst, ratePerSecond),
    serviceTimeSeconds: optional(audit.service_time, seconds),
    ownConnections: audit.own_connections ?? false,
    bounded: audit.bounded ?? true,
    ...(audit.table !== undefined && {
      writer: {
        table: audit.table,
        idColumn: audit.id_column ?? null,
        keyColumn: audit.key_column ?? null,
        whenFull: audit.when_full ?? 'block',
        blockTimeoutMs: durationMs(audit.block_timeout ?? '1s'),
      },
    }),
  }
}

function seconds(text: string | number): number {
  return durationMs(text) / 1000
}

/** null for what is not written. */
export function optional<In, Out>(value: In | undefined, change: (value: In) => Out): Out | null {
  return value === undefined ? null : change(value)
}
