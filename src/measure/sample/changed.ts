import type { Buffers } from '../plan/plan-node.js'

/** Medians that differ by less are within what one planner, scheduler or cache line does to a query. */
export const leastMs = 0.1

/** By more than 10 % and 8 blocks, hit or read: which of the two depends on what else the server did. */
export function changed(a: Buffers, b: Buffers): boolean {
  const difference = Math.abs(allBlocks(a) - allBlocks(b))
  return difference > 8 && difference > 0.1 * Math.min(allBlocks(a), allBlocks(b))
}

/** Shared and temporary blocks. */
export function allBlocks({ hit, read, temp }: Buffers): number {
  return hit + read + temp
}
