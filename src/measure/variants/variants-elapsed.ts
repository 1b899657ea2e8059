import { quoteLiteral } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { parameterText } from '../../server/session/values.js'
import { refuseAborted, rolledBack } from '../sample/sample.js'
import type { Subject } from '../sample/subject.js'
import { failureOf } from '../sample/series.js'
import type { Limits } from '../sample/limits.js'

/** Times on the client of the statements of one variant, in ms, a run each; empty where it was not run that way. */
export interface Elapsed {
  /** One after another, each waiting for the rows of the one before. */
  readonly sequentialMs: readonly number[]
  /** Sent together on one connection, so that one round trip serves all. */
  readonly pipelinedMs: readonly number[]
  /** Spread over connections; these are used at once. */
  readonly concurrentMs: readonly number[]
  readonly connections: number
  /** Why they were not spread, where they were to be. */
  readonly notConcurrent: string | null
}

/**
 * Variants in turn and each of its ways in turn, so that the machine's load meets them alike; the first turn warms up and
 * is thrown away, unless it spent the time budget already. Parameters are constants of EXECUTE: postgres.js asks for their
 * types first, a round trip that the application's prepared statement has not. Statements that write are not spread: their
 * locks would wait for each other.
 * What fails over several connections alone (a lock, a limit of the role) is not measured that way. Throws the server's errors.
 */
export async function elapsedTimes(
  session: Session,
  others: readonly Session[],
  variants: readonly (readonly Subject[])[],
  limits: Limits,
): Promise<readonly Elapsed[]> {
  const runs = variants.map((subjects) => ({
    subjects,
    sessions: spread(subjects) ? [session, ...others].slice(0, subjects.length) : [],
    notConcurrent: noReason,
    sequentialMs: new Array<number>(),
    pipelinedMs: new Array<number>(),
    concurrentMs: new Array<number>(),
  }))
  const start = performance.now()
  const most = Math.min(21, limits.samples)
  for (let turn = 0; turn <= most; turn += 1) {
    for (const run of runs) {
      const { subjects, sessions, sequentialMs, pipelinedMs, concurrentMs } = run
      sequentialMs.push(await oneConnection(session, subjects, limits, inSequence))
      if (subjects.length > 1) pipelinedMs.push(await oneConnection(session, subjects, limits, inPipeline))
      if (sessions.length < 2 || run.notConcurrent !== null) continue
      const concurrent = await manyConnections(sessions, subjects, limits).catch((error: unknown) =>
        notSpread(error, session, limits),
      )
      if (typeof concurrent === 'number') concurrentMs.push(concurrent)
      else run.notConcurrent = concurrent.reason
    }
    if (performance.now() - start > limits.timeBudgetMs) break
    if (turn === 0)
      for (const times of runs.flatMap((run) => [run.sequentialMs, run.pipelinedMs, run.concurrentMs])) times.length = 0
  }
  return runs.map(({ sessions, notConcurrent, sequentialMs, pipelinedMs, concurrentMs }) => {
    const times = { sequentialMs, pipelinedMs, concurrentMs: notConcurrent === null ? concurrentMs : [] }
    return { ...times, connections: sessions.length, notConcurrent }
  })
}

const noReason: string | null = null

/** Throws what ends the run or the session that measures; what became of another session is told. */
function notSpread(error: unknown, session: Session, limits: Limits): { readonly reason: string } {
  refuseAborted(limits.signal)
  const lost = error instanceof PerfdbError && error.code === 'CONNECTION_LOST' && !session.lost
  return lost ? { reason: error.message } : failureOf(error, limits)
}

/** True for what may run on several connections at once. */
export function spread(subjects: readonly Subject[]): boolean {
  return subjects.length > 1 && subjects.every(({ writes }) => !writes)
}

type Way = (session: Session, texts: readonly string[], limits: Limits) => Promise<void>

async function inSequence(session: Session, texts: readonly string[], { signal }: Limits): Promise<void> {
  for (const text of texts) {
    refuseAborted(signal)
    await session.query(text)
  }
}

/** Statements without parameters leave at once, one behind the other, each with its own Sync. */
async function inPipeline(session: Session, texts: readonly string[]): Promise<void> {
  await all(texts.map(async (text) => session.query(text)))
}

async function oneConnection(
  session: Session,
  subjects: readonly Subject[],
  limits: Limits,
  way: Way,
): Promise<number> {
  return prepared(session, subjects, limits, async (texts) => {
    const start = performance.now()
    await way(session, texts, limits)
    return performance.now() - start
  })
}

async function manyConnections(
  sessions: readonly Session[],
  subjects: readonly Subject[],
  limits: Limits,
): Promise<number> {
  const gate = newGate(sessions.length)
  const shares = sessions.map((session, at) => ({
    session,
    share: subjects.filter((_, number) => number % sessions.length === at),
  }))
  const times = await all(
    shares.map(async ({ session, share }) =>
      prepared(session, share, limits, async (texts) => {
        await gate.arrive()
        const start = performance.now()
        await inSequence(session, texts, limits)
        return { start, end: performance.now() }
      }).catch((error: unknown) => {
        gate.shut(error)
        throw error
      }),
    ),
  )
  return Math.max(...times.map(({ end }) => end)) - Math.min(...times.map(({ start }) => start))
}

/** Nobody starts before all are ready, and nobody waits for one that failed. */
function newGate(count: number) {
  let left = count
  let open = () => {}
  let shut: (reason: unknown) => void = () => {}
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve
    shut = reject
  })
  opened.catch(() => undefined)
  return {
    arrive: async () => {
      left -= 1
      if (left === 0) open()
      return opened
    },
    shut: (reason: unknown) => shut(reason),
  }
}

/** All have ended when this does; then the first failure is thrown. */
async function all<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}

/** Prepared statements survive ROLLBACK: they are given up on every way out, inside the transaction. */
async function prepared<T>(
  session: Session,
  subjects: readonly Subject[],
  limits: Limits,
  work: (texts: readonly string[]) => Promise<T>,
): Promise<T> {
  const readOnly = subjects.every(({ writes }) => !writes)
  const set = { plan_cache_mode: 'force_custom_plan' }
  return rolledBack(session, limits, { readOnly, set }, async () => {
    const made: string[] = []
    await session.query(`savepoint ${savepoint}`)
    try {
      const texts: string[] = []
      for (const { text, values } of subjects) {
        if (values.length === 0) {
          texts.push(text)
          continue
        }
        const name = `perfdb_variant_${made.length + 1}`
        await session.query(`prepare ${name} as ${text}`)
        made.push(name)
        texts.push(`execute ${name} (${values.map(constant).join(', ')})`)
      }
      return await work(texts)
    } catch (error) {
      if (!session.lost) await session.query(`rollback to savepoint ${savepoint}`)
      throw error
    } finally {
      if (!session.lost) for (const name of made) await session.query(`deallocate ${name}`)
    }
  })
}

const savepoint = 'perfdb_variant'

function constant(value: Subject['values'][number]): string {
  const text = parameterText(value)
  return text === null ? 'null' : quoteLiteral(text)
}
