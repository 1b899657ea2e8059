import { sizeBytes } from '../../text/units.js'

/** Memory settings in bytes, as in the manual's chapter "Resource Consumption". */
export interface MemorySettings {
  readonly sharedBuffers: number
  readonly workMem: number
  readonly maintenanceWorkMem: number
  readonly autovacuumWorkers: number
  readonly hashMemMultiplier: number
  /** Each takes memory of its own beside its leader: max_parallel_workers_per_gather and, for all together, max_parallel_workers. */
  readonly workersPerGather: number
  readonly parallelWorkers: number
}

const megabyte = 1024 ** 2

/** Private memory of a backend that works now and then: 1.1 to 2 MB were measured idle, 5 MB leaves room for its caches. */
const backendBytes = 5 * megabyte
/** Sorts and hashes of one query that each take work_mem: two are usual. */
const nodes = 2

/** Connections of one role and database, and what their sorts may take. */
export interface Workers {
  readonly connections: number
  readonly workMem: number
  readonly hashMemMultiplier: number
}

/**
 * Memory in bytes: `expected` with `active` of the connections in a query, `worst` with every connection in one whose hashes take
 * hash_mem_multiplier x work_mem, and with every parallel worker that they may have. Connections that are not among `workers` have the
 * server's work_mem. RSS is mostly shared memory and never multiplied.
 * https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-WORK-MEM
 */
export function memoryNeed(
  settings: MemorySettings,
  connections: number,
  active: number,
  workers: readonly Workers[] = [],
): { readonly expected: number; readonly worst: number } {
  const rest = connections - workers.reduce((sum, one) => sum + one.connections, 0)
  const all = [...workers, { connections: Math.max(0, rest), ...settings }]
  const mean = (of: (one: Workers) => number) =>
    all.reduce((sum, one) => sum + one.connections * of(one), 0) / Math.max(1, connections)
  const hashMem = mean((one) => one.workMem * one.hashMemMultiplier)
  const base =
    settings.sharedBuffers + connections * backendBytes + settings.autovacuumWorkers * settings.maintenanceWorkMem
  const parallel = Math.min(connections * settings.workersPerGather, settings.parallelWorkers)
  return {
    expected: base + active * nodes * mean((one) => one.workMem),
    worst: base + parallel * backendBytes + (connections + parallel) * nodes * hashMem,
  }
}

/** Bytes of work_mem as ALTER ROLE ... SET keeps it: `64MB`, or `65536` in kB; null for what is neither. */
export function workMemBytes(value: string): number | null {
  const text = value.replaceAll(' ', '')
  if (/^\d+$/.test(text)) return Number(text) * 1024
  const size = sizeBytes(text)
  return Number.isNaN(size) ? null : size
}
