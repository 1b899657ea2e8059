import { chownSync, closeSync, fstatSync, ftruncateSync, openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { PerfdbError } from '../../errors.js'
import { reasonOf } from '../../profile/files/text-file.js'
import { pageBytes, raiseBtree, widenBrin } from './pages.js'

/** PostgreSQL keeps a relation in files of 1 GB each (md.c). */
const segmentPages = 131_072

/** A file of the data folder, and how it is to look to the planner. */
export interface Wish {
  /** Of its first segment, below the data folder. */
  readonly path: string
  readonly pages: number
  /** Of a btree: levels above its leaves. */
  readonly levels?: number
  /** Of a brin index: pages of its table. */
  readonly heapPages?: number
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * Gives each file its size, sparse: pages of zeros are valid and empty, and take no room. While the server is stopped. New segments belong to
 * whom the server runs as: another's are ignored without a word. Throws EMBEDDED_FAILED where the file system has no sparse files or refuses.
 */
export function extendFiles(data: string, owner: Owner | undefined, wishes: readonly Wish[]): void {
  try {
    // Thousands of files of a few calls each: waiting for each call would take longer than the calls.
    for (const wish of wishes) extend(join(data, wish.path), owner, wish)
  } catch (cause) {
    if (cause instanceof PerfdbError) throw cause
    throw new PerfdbError('EMBEDDED_FAILED', `the files of the twin cannot be extended: ${reasonOf(cause)}`, {
      hint: noTwinHint,
      cause,
    })
  }
}

export const noTwinHint = 'TMPDIR on another file system, or --what-if-engine hypopg where the server has HypoPG'

function extend(path: string, owner: Owner | undefined, { pages, levels, heapPages }: Wish): void {
  const first = openSync(path, 'r+')
  try {
    if (levels !== undefined && pages > levels + 1) raiseBtree(first, levels)
    if (heapPages !== undefined) widenBrin(first, heapPages)
    lengthen(first, Math.min(pages, segmentPages))
  } finally {
    closeSync(first)
  }
  for (let segment = 1; segment * segmentPages < pages; segment += 1) {
    const more = openSync(`${path}.${segment}`, 'a+', 0o600)
    try {
      lengthen(more, Math.min(pages - segment * segmentPages, segmentPages))
    } finally {
      closeSync(more)
    }
    if (owner !== undefined) chownSync(`${path}.${segment}`, owner.uid, owner.gid)
  }
}

const tellingBytes = 16 * 1024 ** 2

function lengthen(file: number, pages: number): void {
  const before = fstatSync(file)
  const bytes = pages * pageBytes
  if (before.size >= bytes) return
  ftruncateSync(file, bytes)
  if (bytes < tellingBytes) return
  const { blocks } = fstatSync(file)
  if (blocks * 512 < bytes / 2) return
  ftruncateSync(file, before.size)
  throw new PerfdbError('EMBEDDED_FAILED', 'the file system of the twin has no sparse files', { hint: noTwinHint })
}

/** Cuts files that have `now` pages to so many, so that building an index reads no zeros; while the server is stopped. */
export function shortenFiles(
  data: string,
  files: readonly { readonly path: string; readonly pages: number; readonly now: number }[],
): void {
  for (const { path, pages, now } of files.filter((one) => one.pages < one.now)) {
    for (let segment = 1; segment * segmentPages < now; segment += 1) unlinkSync(join(data, `${path}.${segment}`))
    const file = openSync(join(data, path), 'r+')
    try {
      ftruncateSync(file, pages * pageBytes)
    } finally {
      closeSync(file)
    }
  }
}
