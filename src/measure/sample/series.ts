import { errorHints, PerfdbError, type ErrorCode } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import type { MeasurementStatus } from './measurement.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { subjectOf } from './control.js'
import { explainRuns } from './sample.js'
import type { Control, Subject } from './subject.js'
import { medianInterval, narrow, tolerance } from './statistics.js'
import type { Limits } from './limits.js'

/** The samples of one statement with one list of values, while they are taken. */
export interface Series {
  readonly subject: Subject
  readonly executionMs: number[]
  readonly planningMs: number[]
  readonly controlMs: number[]
  /** What each sample read and wrote. */
  readonly work: Pick<QueryPlan, 'buffers' | 'wal'>[]
  /** Of the latest sample. */
  latest: QueryPlan | null
  failure: Failure | null
}

export interface Failure {
  readonly status: Exclude<MeasurementStatus, 'measured'>
  readonly reason: string
  readonly sqlstate: string | null
  readonly timedOutMs: number | null
}

export function newSeries(subject: Subject, failure: Failure | null = null): Series {
  return { subject, executionMs: [], planningMs: [], controlMs: [], work: [], latest: null, failure }
}

/** A third of the least: every series is interleaved with the others and the control query at least three times. */
const blockSize = 7

/**
 * Takes samples of all series in rounds: a block of each, then a block of the control query, so that a change of the
 * machine's load meets them alike. A warm-up of each goes first and is thrown away. Without a control query nothing is compared, and each is taken in one transaction. Each series ends when its interval is narrow, at the most samples, or with the time budget, which
 * they share; a failure ends one series and leaves the others. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function takeSamples(
  session: Session,
  all: readonly Series[],
  control: Control | null,
  limits: Limits,
): Promise<void> {
  let open = all.filter((series) => series.failure === null)
  for (const series of open) await attempt(series, limits, async () => warmUp(session, series.subject, limits))
  if (control !== null) await explainRuns(session, subjectOf(control), 'sample', 1, limits, () => true, control.set)
  let spentMs = 0
  open = open.filter((series) => series.failure === null)
  while (open.length > 0) {
    const budgetMs = (limits.timeBudgetMs - spentMs) / open.length
    const size = control === null ? limits.samples : blockSize
    const startedMs = spentMs
    for (const series of open) spentMs += await takeBlock(session, series, limits, size, Math.max(0, budgetMs))
    const controlMs = control === null ? [] : await controlBlock(session, control, limits, spentMs - startedMs)
    for (const series of open) series.controlMs.push(...controlMs)
    if (spentMs >= limits.timeBudgetMs) return
    open = open.filter((series) => series.failure === null && !complete(series, limits))
  }
}

/**
 * How long a warm-up goes on, in ms, and its runs at most; it has one run at least, and one alone when the statement writes. Where nothing
 * is compared, of the 500 statements of an audit, 30 ms each would treble its time.
 */
const warmUpMs = { compared: 30, alone: 5 }
const warmUpRuns = 200

/**
 * A cold first run took 2 to 4 times the second. After a new index a query of 0.02 ms came down to that only with its fortieth run
 * (0.08 at first, a median of 0.034 in 21), which made a speedup of 100 one of 65.
 */
async function warmUp(session: Session, subject: Subject, limits: Limits): Promise<void> {
  const start = performance.now()
  const ms = limits.control === null ? warmUpMs.alone : warmUpMs.compared
  const most = subject.writes ? 1 : warmUpRuns
  await explainRuns(session, subject, 'sample', most, limits, () => performance.now() - start < ms)
}

/** Up to a block of the control query, in half of the time that the series took, 20 ms at least; once in any case. */
async function controlBlock(
  session: Session,
  control: Control,
  limits: Limits,
  blockMs: number,
): Promise<readonly number[]> {
  const taken: number[] = []
  const start = performance.now()
  const mostMs = Math.max(20, blockMs / 2)
  const each = (plan: QueryPlan) => {
    taken.push(plan.executionMs ?? 0)
    return performance.now() - start < mostMs
  }
  await explainRuns(session, subjectOf(control), 'sample', blockSize, limits, each, control.set)
  return taken
}

/** Samples up to a block, at least one; stops when they suffice or its part of the budget is spent. Returns the ms it took. */
async function takeBlock(
  session: Session,
  series: Series,
  limits: Limits,
  size: number,
  budgetMs: number,
): Promise<number> {
  const start = performance.now()
  const wanted = Math.min(size, limits.samples - series.executionMs.length)
  await attempt(series, limits, async () =>
    explainRuns(session, series.subject, 'sample', wanted, limits, (plan) => {
      series.executionMs.push(plan.executionMs ?? 0)
      series.planningMs.push(plan.planningMs)
      series.work.push({ buffers: plan.buffers, wal: plan.wal })
      series.latest = plan
      // As often as with blocks of the usual size.
      const enough = series.executionMs.length % blockSize === 0 && complete(series, limits)
      return performance.now() - start < budgetMs && !enough
    }),
  )
  return performance.now() - start
}

function complete(series: Series, limits: Limits): boolean {
  const taken = series.executionMs.length
  if (taken >= limits.samples) return true
  return taken >= limits.leastSamples && narrow(medianInterval(series.executionMs), tolerance)
}

async function attempt(series: Series, limits: Limits, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    series.failure = failureOf(error, limits)
  }
}

/**
 * Why a statement has no measurement, by SQLSTATE. What ends the session or the run is thrown again.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function failureOf(error: unknown, limits: Limits): Failure {
  if (!(error instanceof PerfdbError) || fatal.includes(error.code)) throw error
  const failure: Failure = {
    status: error.code === 'BAD_SQL' ? 'refused' : 'failed',
    reason: withMeant(error),
    sqlstate: error.sqlstate ?? null,
    timedOutMs: null,
  }
  switch (error.sqlstate ?? '') {
    case '25006':
      return { ...failure, status: 'refused', reason: `it changes data: ${error.message}` }
    case '55P03':
      return { ...failure, status: 'not_measured', reason: `waited for a lock longer than ${limits.lockTimeoutMs} ms` }
    case '57014':
      // Else an administrator cancelled it.
      if (!error.message.includes('statement timeout')) return { ...failure, status: 'not_measured' }
      return {
        ...failure,
        status: 'not_measured',
        reason: `stopped by statement_timeout after ${limits.statementTimeoutMs} ms`,
        timedOutMs: limits.statementTimeoutMs,
      }
    default:
      return failure
  }
}

/** With the column that PostgreSQL thinks was meant, and with what perfdb says of a text that it refused itself. */
function withMeant({ code, message, sqlstate, hint }: PerfdbError): string {
  const isSaid =
    sqlstate === '42703' ? hint !== errorHints.QUERY_FAILED : code === 'BAD_SQL' && hint !== errorHints.BAD_SQL
  return isSaid ? `${message}; ${hint}` : message
}

/** What says nothing about the statement. */
const fatal: readonly ErrorCode[] = ['CONNECTION_LOST', 'INTERRUPTED', 'SETTING_REFUSED', 'POOLER', 'INTERNAL']
