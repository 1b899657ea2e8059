import type { Pool, Runtime } from './model.js'

/** Connections that a pool may ever open: its maximum and its overflow. */
export function cap(pool: Pool): number {
  return pool.max + pool.maxOverflow
}

/**
 * Connections that one pool of a process holds when all its threads are busy: an eager pool never fewer than its
 * minimum, a process with T threads never more than T x connections per request, whatever the maximum promises.
 * With `scope: instance` all processes of the instance share the pool, and so do their threads.
 */
export function held(pool: Pool, runtime: Runtime, connectionsPerRequest: number): number {
  const threads =
    runtime.threads === null ? null : runtime.threads * (runtime.scope === 'instance' ? runtime.processes : 1)
  const used = threads === null ? cap(pool) : Math.min(cap(pool), threads * connectionsPerRequest)
  return Math.max(eagerMinimum(pool), used)
}

/** Connections that a pool opens when it is made: a storm when a rollout starts all of them at once. */
export function eagerMinimum(pool: Pool): number {
  return pool.eager ? pool.min : 0
}

/**
 * Smallest pool that cannot deadlock when each of T threads takes C connections one after another: T x (C - 1) + 1.
 * https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing#pool-locking
 */
export function lockingMinimum(threads: number, connectionsPerRequest: number): number {
  return threads * (connectionsPerRequest - 1) + 1
}
