/** A cache of a service, as its file declares it. */
export interface Cache {
  readonly kind: 'in_process' | 'shared'
  readonly maxsize: number
  readonly ttlSeconds: number
  readonly activeUsers: number
  readonly ratePerUserPerSecond: number
  readonly queriesPerMiss: number
  readonly maxStalenessSeconds: number | null
  /** How long after its end an answer counts while the database cannot be asked; never when left out. */
  readonly staleIfErrorSeconds?: number
  readonly entryBytes: number | null
  /** Of an answer from the cache, and of one without it; null when not declared. */
  readonly hitMs: number | null
  readonly missMs: number | null
}

/**
 * Expected hit ratio of a TTL cache whose entries live from insertion, under Poisson requests: x requests fall on an entry
 * within its life, the first of x + 1 is the miss. `replicas` copies share the traffic of a user: a cache in each process of
 * four instances with four workers sees a sixteenth of it.
 */
export function hitRatio(ratePerUserPerSecond: number, ttlSeconds: number, replicas: number): number {
  const during = (ratePerUserPerSecond / replicas) * ttlSeconds
  return during / (1 + during)
}

/** Seconds of life with which the hit ratio reaches `target` (0 to 1). */
export function ttlForHitRatio(target: number, ratePerUserPerSecond: number, replicas: number): number {
  return ((target / (1 - target)) * replicas) / ratePerUserPerSecond
}

/** What a cache does to the database and to memory; `processes` that hold one each, when it lives in the process. */
export interface CacheEffect {
  readonly replicas: number
  readonly hit: number
  readonly missQueriesPerSecond: number
  readonly memoryBytes: number | null
  /** On the average request, by times; null without both. */
  readonly speedup: number | null
}

/** Effect of a declared cache over all processes of its service. */
export function cacheEffect(cache: Cache, processes: number): CacheEffect {
  const replicas = cache.kind === 'in_process' ? processes : 1
  const hit = hitRatio(cache.ratePerUserPerSecond, cache.ttlSeconds, replicas)
  return {
    replicas,
    hit,
    missQueriesPerSecond: cache.activeUsers * cache.ratePerUserPerSecond * (1 - hit) * cache.queriesPerMiss,
    speedup: cache.hitMs === null || cache.missMs === null ? null : averageSpeedup(hit, cache.hitMs, cache.missMs),
    memoryBytes: cache.entryBytes === null ? null : cache.maxsize * cache.entryBytes * replicas,
  }
}

/**
 * Speedup of a cache on the average request: times are averaged, never ratios. 80 % hits of 0.08 ms beside misses of 22 ms is
 * 4.9x, not the 220x that the mean of the speedups says.
 */
export function averageSpeedup(hit: number, hitMs: number, missMs: number): number {
  return missMs / (hit * hitMs + (1 - hit) * missMs)
}
