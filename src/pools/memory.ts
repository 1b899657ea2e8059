import type { MemorySettings } from './model.js'

const megabyte = 1024 ** 2

/** Private memory of a backend that works now and then: 1.1 to 2 MB were measured idle, 5 MB leaves room for its caches. */
const backendBytes = 5 * megabyte
/** Sorts and hashes of one query that each take work_mem: two are usual. */
const nodes = 2

/**
 * Memory in bytes: `expected` with `active` of the connections in a query, `worst` with every connection in one whose hashes take
 * hash_mem_multiplier x work_mem. RSS is mostly shared memory and never multiplied.
 * https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-WORK-MEM
 */
export function memoryNeed(
  settings: MemorySettings,
  connections: number,
  active: number,
): { readonly expected: number; readonly worst: number } {
  const base =
    settings.sharedBuffers + connections * backendBytes + settings.autovacuumWorkers * settings.maintenanceWorkMem
  return {
    expected: base + active * nodes * settings.workMem,
    worst: base + connections * nodes * settings.workMem * settings.hashMemMultiplier,
  }
}
