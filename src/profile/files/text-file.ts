import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { PerfdbError, type Problem } from '../../errors.js'

/**
 * The text of a file that an option or an argument names, relative to `cwd`, of 20 MB or `most` bytes. `hint` says where such a file comes from. Throws
 * FILE_NOT_FOUND, FILE_UNREADABLE, and for what is not UTF-8 BAD_YAML, BAD_SQL or BAD_VALUE by its ending.
 */
export async function readNamedFile(file: string, cwd: string, hint: string, most = mostBytes): Promise<string> {
  const read = await readTextFile(resolve(cwd, file), file, most)
  if ('text' in read) return read.text
  const { code, message, place } = read.problem
  throw new PerfdbError(code, message, { place, hint: code === 'FILE_NOT_FOUND' ? hint : read.problem.hint })
}

/** The text of a file, with the problems of readNamedFile as a value; `shown` is its name in messages. */
export async function readTextFile(
  path: string,
  shown: string,
  most = mostBytes,
): Promise<{ text: string } | { problem: Problem }> {
  try {
    const bytes = wholeFile(path, most)
    if (typeof bytes === 'string')
      return { problem: { code: 'FILE_UNREADABLE', message: `cannot read ${shown}: ${bytes}` } }
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch (error) {
    return { problem: error instanceof TypeError ? notText(shown) : unreadable(shown, error) }
  }
}

/** Profiles, scripts and plans are far below: a device or a mistaken dump must not be read for ever. */
const mostBytes = 20 * 1024 ** 2

/**
 * What a regular file holds, or why it is not read; it is asked of the file that is open, which nobody can exchange any more. At once: the five turns of
 * Node's pool of threads that it takes otherwise are longer than reading the file.
 */
function wholeFile(path: string, most: number): Uint8Array | string {
  // A pipe that nobody writes to would hold up the opening itself.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const status = fstatSync(file)
    if (status.isDirectory()) return 'it is a folder'
    if (!status.isFile()) return 'it is not a regular file'
    if (status.size > most) return `it is larger than ${most / 1024 ** 2} MB (${Math.ceil(status.size / 1024 ** 2)} MB)`
    // Files of /proc say that they are empty.
    const bytes = Buffer.allocUnsafeSlow(Math.max(status.size, 65_536) + 1)
    let length = 0
    for (;;) {
      const read = readSync(file, bytes, length, bytes.length - length, null)
      length += read
      if (read === 0) return bytes.subarray(0, length)
      if (length === bytes.length) return 'it grows while it is read'
    }
  } finally {
    closeSync(file)
  }
}

/** Why a file could not be read, or a folder not be looked into. */
export function unreadable(file: string, error: unknown): Problem {
  if (!isMissing(error)) return { code: 'FILE_UNREADABLE', message: `cannot read ${file}: ${reasonOf(error)}` }
  return notFound(`no such file: ${file}`, file)
}

/** FILE_NOT_FOUND of `file`, with what to write where it is a URL or SQL text. */
export function notFound(message: string, file: string): Problem {
  const missing: Problem = { code: 'FILE_NOT_FOUND', message }
  if (isUrl(file)) return { ...missing, hint: 'to name a database: --url URL, or DATABASE_URL' }
  return /^\s*(select|with|values|table)\s/i.test(file)
    ? { ...missing, hint: 'to give a query: perfdb explain --query "select ..."' }
    : missing
}

/** Whether a database is named where a file should be. */
export function isUrl(name: string): boolean {
  return /^\w+:\/\//.test(name)
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

/** Whether a file or folder of that name is there, and node --permission lets it be seen. */
export function isThere(path: string): boolean {
  try {
    return existsSync(path)
  } catch {
    return false
  }
}

/** A path that may be relative to `cwd`. A slash at its end stays: it says that a folder is meant. */
export function pathFrom(cwd: string, path: string): string {
  return isAbsolute(path) ? path : join(cwd, path)
}

/** What the system said, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  switch (code) {
    case 'EISDIR':
      return 'it is a folder'
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    case 'EROFS':
      return 'the file system is read-only'
    case 'ENOSPC':
      return 'no space left'
    case 'ERR_ACCESS_DENIED':
      return 'node --permission does not allow it: --allow-fs-read, --allow-fs-write'
    case undefined:
      return error instanceof Error ? error.message : String(error)
    default:
      return code
  }
}

function notText(file: string): Problem {
  const code = /\.ya?ml$/i.test(file) ? 'BAD_YAML' : /\.sql$/i.test(file) ? 'BAD_SQL' : 'BAD_VALUE'
  const place = { file, line: 1, column: 1 }
  return { code, message: 'the file is not UTF-8 text', hint: 'save it as UTF-8', place }
}
