import { readSync, writeSync } from 'node:fs'

export const pageBytes = 8192

/*
 * Pages of PostgreSQL's own format that the planner reads of an index (bufpage.h, nbtree.h, brin_page.h), The twin's server has no checksums,
 * so that what is written here is read.
 */
const headerBytes = 24
const opaqueBytes = 16
const rootOfMeta = headerBytes + 8
const levelOfMeta = headerBytes + 12
const fastRootOfMeta = headerBytes + 16
const fastLevelOfMeta = headerBytes + 20
const lastRevmapOfMeta = headerBytes + 12
const [leaf, root] = [1, 2]

/**
 * The levels above the leaves that a btree of so many pages has. A build fills pages above the leaves to 70 %; one that has `grown` row by row, as
 * those of primary keys mostly, has a root that may be full.
 */
export function btreeLevels(pages: number, keyBytes: number, grown: boolean): number {
  // 8 bytes of header, the key aligned to 8, 4 of line pointer.
  const most = (pageBytes - headerBytes - opaqueBytes) / (12 + Math.ceil(keyBytes / 8) * 8)
  const usual = Math.max(2, Math.floor(most * 0.7))
  let levels = 0
  let below = Math.max(1, pages - 1)
  while (below > 1) {
    levels += 1
    if (below <= (grown ? most : usual)) break
    below = Math.ceil(below / usual)
  }
  return levels
}

/**
 * Gives the btree in this file so many levels, with one page each above the leaf that it has: scanned from its root as before, and the planner
 * reads the height. The file must be as long as that afterwards.
 */
export function raiseBtree(file: number, levels: number): void {
  if (!littleEndian) return
  const meta = Buffer.alloc(pageBytes)
  readSync(file, meta, 0, pageBytes, 0)
  const first = words(meta).read(rootOfMeta)
  const child = first === 0 ? 1 : first
  if (words(meta).read(levelOfMeta) !== 0) return
  const below = Buffer.alloc(pageBytes)
  if (first === 0) emptyPage(below, 0, leaf)
  else readSync(file, below, 0, pageBytes, child * pageBytes)
  // The leaf is the root no more.
  halves(below).write(pageBytes - 4, leaf | (levels === 0 ? root : 0))
  writeSync(file, below, 0, pageBytes, child * pageBytes)
  for (let level = 1; level <= levels; level += 1) {
    const page = Buffer.alloc(pageBytes)
    emptyPage(page, level, level === levels ? root : 0)
    pointTo(page, level === 1 ? child : child + level - 1)
    writeSync(file, page, 0, pageBytes, (child + level) * pageBytes)
  }
  const top = child + levels
  for (const [at, value] of [
    [rootOfMeta, top],
    [levelOfMeta, levels],
    [fastRootOfMeta, top],
    [fastLevelOfMeta, levels],
  ] as const)
    words(meta).write(at, value)
  writeSync(file, meta, 0, pageBytes, 0)
}

/** The pages of the map of a brin index, which the planner counts in its metapage: 1360 ranges are on one. */
export function widenBrin(file: number, heapPages: number): void {
  if (!littleEndian) return
  const meta = Buffer.alloc(pageBytes)
  readSync(file, meta, 0, pageBytes, 0)
  const pagesPerRange = Math.max(1, words(meta).read(headerBytes + 8))
  words(meta).write(lastRevmapOfMeta, Math.max(1, Math.ceil(heapPages / pagesPerRange / 1360)))
  writeSync(file, meta, 0, pageBytes, 0)
}

function emptyPage(page: Buffer, level: number, flags: number): void {
  const { write } = halves(page)
  write(12, headerBytes)
  write(14, pageBytes - opaqueBytes)
  write(16, pageBytes - opaqueBytes)
  // Size, and version 4 of the layout.
  write(18, pageBytes | 4)
  words(page).write(pageBytes - 8, level)
  write(pageBytes - 4, flags)
}

/** Its only tuple: no key, which is less than every key, and the page below. */
function pointTo(page: Buffer, child: number): void {
  const at = pageBytes - opaqueBytes - 8
  const { write } = halves(page)
  write(at, child >>> 16)
  write(at + 2, child & 0xffff)
  // 8 bytes long, of INDEX_ALT_TID_MASK with no attribute.
  write(at + 6, 0x2008)
  words(page).write(headerBytes, at | (1 << 15) | (8 << 17))
  write(12, headerBytes + 4)
  write(14, at)
}

/** A machine of the other byte order has other bit fields too: there the twin's indexes stay flat, which costs a query plan 0.125 a level. */
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

function words(page: Buffer) {
  return {
    read: (at: number) => page.readUInt32LE(at),
    write: (at: number, value: number) => page.writeUInt32LE(value, at),
  }
}

function halves(page: Buffer) {
  return { write: (at: number, value: number) => page.writeUInt16LE(value, at) }
}
