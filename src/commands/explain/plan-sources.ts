import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { PerfdbError } from '../../errors.js'
import { beginsPlan } from '../../measure/plan/text-plan.js'

/** Endings that say nothing of what is in a file: query plans, a profile, or SQL. */
const mayHold = /\.(?:json|txt|log|csv|ya?ml|plan|out|xml|explain)$/i

/** True for a file that begins as EXPLAIN, or a server's log with auto_explain, does. A file that is not there is none. */
export async function holdsPlans(path: string): Promise<boolean> {
  if (!mayHold.test(path) || !(await stat(path).catch(() => null))?.isFile()) return false
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(262_144), 0, 262_144, 0)
    const text = buffer.toString('utf8', 0, bytesRead)
    return looksLikePlans(text) || /\.(?:log|csv)$/i.test(path)
  } finally {
    await file.close()
  }
}

/** The same of a text: of stdin, which may be SQL. */
export function looksLikePlans(text: string): boolean {
  if (/"Plan"\s*:\s*\{|^\s*- Plan:|^\s*<explain\b|QUERY PLAN|duration: [\d.]+ ms\s+plan:/m.test(text)) return true
  // A statement of a .sql file is never a node of a query plan.
  return text.split('\n', 2000).some((line) => / \((?:cost=\d|actual (?:time|rows)=)/.test(line) && beginsPlan(line))
}

/** The lines of a file as they are read: a log need not fit in memory. Throws FILE_NOT_FOUND and FILE_UNREADABLE. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(path, { encoding: 'utf8' }), crlfDelay: Number.POSITIVE_INFINITY })
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    throw new PerfdbError(missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', `${path} cannot be read`, { cause })
  }
}

export async function* linesOfText(text: string): AsyncGenerator<string> {
  yield* createInterface({ input: Readable.from([text]), crlfDelay: Number.POSITIVE_INFINITY })
}
