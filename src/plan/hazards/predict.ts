import type { TableStatistics } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'

const pageBytes = 8192
/** Page header and special space leave this of a btree page, of which a build fills 90 % (manual, "B-Tree Implementation"; nbtree.h). */
const leafBytes = (8192 - 24 - 16) * 0.9

/**
 * Size of the index in bytes before it is built, from the planner's statistics: an upper bound for a partial index, whose share of the
 * rows is not known. btree counts equal keys once (deduplication, 13 and later). null for methods and keys whose size depends on
 * what is in the values (gin, gist, spgist, expressions).
 */
export function predictBytes(definition: Definition, statistics: TableStatistics | undefined): number | null {
  if (statistics === undefined || statistics.rows < 0) return null
  const { rows, columns } = statistics
  const keys = definition.keys.map((key) => (key.column === undefined ? undefined : columns[key.column]))
  const include = definition.include.map((column) => columns[column])
  if (definition.method === 'brin') return Math.ceil(rows / 100_000 + 3) * pageBytes
  if (definition.method === 'hash') return pages(rows * 20, 0.75 * 8152) * pageBytes
  if (definition.method !== 'btree') return null
  let width = 0
  let distinct = 1
  for (const column of [...keys, ...include]) {
    if (column === undefined) return null
    width += column.width
    distinct *= column.distinct ?? rows
  }
  // 4 bytes of line pointer, 8 of tuple header, the key aligned to 8.
  const tuple = 12 + Math.ceil(width / 8) * 8
  const groups = Math.max(1, Math.min(rows, distinct))
  const merges = include.length === 0 && rows / groups >= 2
  // A posting list holds at most a third of a page: a key with many rows is repeated.
  const repeated = Math.max(groups, (rows * 6) / 1350)
  const bytes = merges ? repeated * tuple + rows * 6 : rows * tuple
  const leaves = pages(bytes * fillShare(definition), leafBytes)
  return (leaves + Math.ceil(leaves / 200) + 1) * pageBytes
}

function pages(bytes: number, room: number): number {
  return Math.ceil(bytes / room)
}

function fillShare({ storage }: Definition): number {
  const fillfactor = Number(storage['fillfactor'] ?? 90)
  return Number.isFinite(fillfactor) && fillfactor > 0 ? 90 / fillfactor : 1
}
