import { chown, open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { PerfdbError } from '../errors.js'
import { reasonOf } from '../profile/text-file.js'
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
export async function extendFiles(data: string, owner: Owner | undefined, wishes: readonly Wish[]): Promise<void> {
  try {
    for (const wish of wishes) await extend(join(data, wish.path), owner, wish)
  } catch (cause) {
    if (cause instanceof PerfdbError) throw cause
    throw new PerfdbError('EMBEDDED_FAILED', `the files of the twin cannot be extended: ${reasonOf(cause)}`, {
      hint: noTwinHint,
      cause,
    })
  }
}

export const noTwinHint = 'TMPDIR on another file system, or --what-if-engine hypopg where the server has HypoPG'

async function extend(path: string, owner: Owner | undefined, { pages, levels, heapPages }: Wish): Promise<void> {
  const first = await open(path, 'r+')
  try {
    if (levels !== undefined && pages > levels + 1) await raiseBtree(first, levels)
    if (heapPages !== undefined) await widenBrin(first, heapPages)
    await lengthen(first, Math.min(pages, segmentPages))
  } finally {
    await first.close()
  }
  for (let segment = 1; segment * segmentPages < pages; segment += 1) {
    const more = await open(`${path}.${segment}`, 'a+', 0o600)
    try {
      await lengthen(more, Math.min(pages - segment * segmentPages, segmentPages))
    } finally {
      await more.close()
    }
    if (owner !== undefined) await chown(`${path}.${segment}`, owner.uid, owner.gid)
  }
}

const tellingBytes = 16 * 1024 ** 2

async function lengthen(file: FileHandle, pages: number): Promise<void> {
  const before = await file.stat()
  const bytes = pages * pageBytes
  if (before.size >= bytes) return
  await file.truncate(bytes)
  if (bytes < tellingBytes) return
  const { blocks } = await file.stat()
  if (blocks * 512 < bytes / 2) return
  await file.truncate(before.size)
  throw new PerfdbError('EMBEDDED_FAILED', 'the file system of the twin has no sparse files', { hint: noTwinHint })
}

/** Cuts files that have `now` pages to so many, so that building an index reads no zeros; while the server is stopped. */
export async function shortenFiles(
  data: string,
  files: readonly { readonly path: string; readonly pages: number; readonly now: number }[],
): Promise<void> {
  for (const { path, pages, now } of files.filter((one) => one.pages < one.now)) {
    for (let segment = 1; segment * segmentPages < now; segment += 1) await unlink(join(data, `${path}.${segment}`))
    const file = await open(join(data, path), 'r+')
    try {
      await file.truncate(pages * pageBytes)
    } finally {
      await file.close()
    }
  }
}
