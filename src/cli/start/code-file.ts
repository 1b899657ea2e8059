import { closeSync, readdirSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOwnFolder, openOwn } from './own-files.js'

/*
 * The file of the code cache: 16 bytes of head (a mark, the length and the sum of the list), the list in JSON, then for each module what V8 made of
 * it. V8 believes what it is handed, and one wrong bit ends the process: nothing reaches it whose sum is another than when it was written.
 */

/** What V8 made of a module, and of which state of its file: size in bytes, time of last change. */
export interface Compiled {
  readonly size: number
  readonly changed: number
  readonly data: Buffer
}

/** Where a file of code lies: below `base` down to `folder` nobody but `user` may write. */
export interface CodeFile {
  readonly base: string
  readonly folder: string
  readonly name: string
  readonly user: number
}

/** Reads what is there of a module; undefined where that is not what was written. */
type Reader = () => Compiled | undefined

const mark = 0x70_66_63_31
const headBytes = 16
/** Files of other builds, of other versions of Node and of other flags that stay. */
const kept = 6

/** What a file holds, by the name of the module; none where it is missing, not closed to others, or not whole. */
export function readCode({ base, folder, name, user }: CodeFile): ReadonlyMap<string, Reader> {
  const descriptor = isOwnFolder(base, folder, user) ? openOwn(join(folder, name), user) : undefined
  if (descriptor === undefined) return new Map()
  try {
    const [found, length = 0, sum] = new Int32Array(bytesAt(descriptor, 0, headBytes).buffer)
    const list = found === mark ? bytesAt(descriptor, headBytes, length) : Buffer.alloc(0)
    if (sumOf(list) !== sum) throw new RangeError('not whole')
    const rows: readonly Row[] = JSON.parse(list.toString())
    return new Map(rows.map((row) => [row[0], () => compiledAt(descriptor, headBytes + length, row)]))
  } catch {
    closeSync(descriptor)
    return new Map()
  }
}

type Row = readonly [module: string, at: number, bytes: number, sum: number, size: number, changed: number]

function compiledAt(descriptor: number, start: number, row: Row): Compiled | undefined {
  const [, at, bytes, sum, size, changed] = row
  try {
    const data = bytesAt(descriptor, start + at, bytes)
    return sumOf(data) === sum ? { size, changed, data } : undefined
  } catch {
    return undefined
  }
}

/** Memory of its own, which begins at a whole word as V8 and the sum want it. Throws RangeError where the file ends before. */
function bytesAt(descriptor: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length)
  if (readSync(descriptor, bytes, 0, length, at) !== length) throw new RangeError('the file is too short')
  return bytes
}

/** Writes it in one move, so that nobody reads half a file, and removes the oldest of others. Nothing where that cannot be. */
export function writeCode({ base, folder, name, user }: CodeFile, modules: ReadonlyMap<string, Compiled>): void {
  if (!isOwnFolder(base, folder, user, true)) return
  const partial = join(folder, `${name}.${process.pid}`)
  try {
    writeFileSync(partial, fileOf(modules), { flag: 'wx', mode: 0o600 })
    renameSync(partial, join(folder, name))
    for (const old of newestFirst(folder).slice(kept)) rmSync(join(folder, old), { force: true })
  } catch {
    rmSync(partial, { force: true })
  }
}

function fileOf(modules: ReadonlyMap<string, Compiled>): Buffer {
  let at = 0
  const rows = [...modules].map(([module, { size, changed, data }]): Row => {
    at += data.length
    return [module, at - data.length, data.length, sumOf(data), size, changed]
  })
  const list = Buffer.from(JSON.stringify(rows))
  const head = Buffer.from(Int32Array.of(mark, list.length, sumOf(list), 0).buffer)
  return Buffer.concat([head, list, ...[...modules.values()].map(({ data }) => data)])
}

function newestFirst(folder: string): readonly string[] {
  const changed = new Map(readdirSync(folder).map((each) => [each, statSync(join(folder, each)).mtimeMs]))
  return [...changed.keys()].toSorted((one, other) => (changed.get(other) ?? 0) - (changed.get(one) ?? 0))
}

/** A sum against what disks and half written files do to data; it keeps nobody from anything. */
export function sumOf(bytes: Buffer): number {
  const whole = bytes.length & ~3
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, whole / 4)
  let sum = bytes.length
  for (let at = 0; at < words.length; at += 1) sum = (Math.imul(sum, 31) + (words[at] ?? 0)) | 0
  for (let at = whole; at < bytes.length; at += 1) sum = (Math.imul(sum, 31) + (bytes[at] ?? 0)) | 0
  return sum
}
