import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { PerfdbError } from '../../errors.js'
import { beginsPlan } from '../../measure/plan/text-plan.js'
import { pathFrom } from '../../profile/files/text-file.js'

/** Endings that say nothing of what is in a file: query plans, a profile, or SQL. */
const mayHold = /\.(?:json|txt|log|csv|ya?ml|plan|out|xml|explain)$/i

/** True for a file that begins as EXPLAIN, or a server's log with auto_explain, does. A file that is not there is none. */
export async function holdsPlans(path: string): Promise<boolean> {
  if (!mayHold.test(path) || !(await stat(path).catch(() => null))?.isFile()) return false
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    return looksLikePlans(buffer.toString('utf8', 0, bytesRead)) || /\.(?:log|csv)$/i.test(path)
  } finally {
    await file.close()
  }
}

/** So much of a file or of stdin says what it holds. */
const headBytes = 262_144

/** stdin, of which the first part is read to see what it holds; the rest waits until somebody asks. */
export interface PeekedInput {
  /** Query plans, or a log that may have some further down. */
  readonly plans: boolean
  readonly lines: () => AsyncGenerator<string>
  readonly text: () => Promise<string>
}

/** Reads the head of a stream. `lines` or `text`, one of them and once, gives all of it: a log need not fit in memory. */
export async function peek(stream: AsyncIterable<Buffer>): Promise<PeekedInput> {
  const rest = stream[Symbol.asyncIterator]()
  const head: Buffer[] = []
  for (let bytes = 0; bytes < headBytes; bytes += head.at(-1)?.length ?? 0) {
    const { done, value } = await rest.next()
    if (done === true) break
    head.push(value)
  }
  const all = async function* (): AsyncGenerator<Buffer> {
    yield* head.splice(0)
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  }
  const begins = Buffer.concat(head).toString('utf8')
  return {
    plans: looksLikePlans(begins) || beginsLog(begins),
    lines: () => linesIn(Readable.from(all())),
    text: async () => text(all()),
  }
}

/** With log_line_prefix as it is by default, csvlog and jsonlog: no SQL begins so. */
function beginsLog(head: string): boolean {
  return /^\uFEFF?(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\{"timestamp":)/.test(head)
}

/** The same of a text, which may be SQL. */
export function looksLikePlans(written: string): boolean {
  if (
    /"Plan"\s*:\s*\{|^\s*- Plan:|^\s*<explain\b|^[\s|│]*QUERY PLAN[\s|│]*$|duration: [\d.]+ ms\s+plan:/m.test(written)
  )
    return true
  // A statement of a .sql file is never a node of a query plan.
  return written.split('\n', 2000).some((line) => / \((?:cost=\d|actual (?:time|rows)=)/.test(line) && beginsPlan(line))
}

/** The lines of a file, relative to `cwd`, as they are read: a log need not fit in memory. Throws FILE_NOT_FOUND and FILE_UNREADABLE. */
export async function* linesOf(path: string, cwd: string): AsyncGenerator<string> {
  try {
    const input = createReadStream(pathFrom(cwd, path), { encoding: 'utf8' })
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    throw new PerfdbError(missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', `${path} cannot be read`, { cause })
  }
}

async function* linesIn(input: Readable): AsyncGenerator<string> {
  yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
}

export function linesOfText(whole: string): AsyncGenerator<string> {
  return linesIn(Readable.from([whole]))
}
