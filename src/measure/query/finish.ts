import { PerfdbError } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { ofQuery, ruleFindings } from '../rules/findings.js'
import { genericFindings, lostIndexes, timeGeneric } from '../sample/generic.js'
import type { Subject } from '../sample/subject.js'
import { withoutSampledValues } from '../sample/hidden-values.js'
import type { Measurement } from '../sample/measurement.js'
import { advised, isAdvised } from '../why/advice.js'
import { unchosenIndexes, withoutSeqScan, type WithoutSeqScan } from '../why/without-seq-scan.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { unqualified, type Evidence, type RuleFinding } from '../rules/rule.js'
import { explainOnce } from '../sample/sample.js'
import type { Failure, Series } from '../sample/series.js'
import { plannedJoinFilters, plannedSeqScans } from '../rules/planned.js'
import { staleFindings } from '../rules/stale.js'
import { median, middle } from '../sample/statistics.js'
import { readRelations, sizeText, smallPages, type TableFacts } from '../sample/tables.js'
import type { Limits } from '../sample/limits.js'

/** A measurement from a finished series: with the timed run, or with a query plan that did not run when it failed. */
export async function finish(
  session: Session,
  query: Query,
  params: string | null,
  series: Series,
  generic: QueryPlan | null,
  limits: Limits,
): Promise<Measurement> {
  const { latest, failure, subject } = series
  if (failure !== null || latest === null) {
    const plan =
      failure?.status === 'refused' ? null : await attempt(explainOnce(session, subject, 'plain', limits), limits)
    const shown = plan === null ? null : withoutSampledValues(plan, subject)
    const without = unmeasured(params, failure ?? noSample, shown ?? (failure?.status === 'refused' ? null : generic))
    if (failure === null || failure.timedOutMs === null || shown === null) return without
    return { ...without, findings: await estimated(session, query, subject, shown, limits) }
  }
  // The timed run may meet the timeout that the samples kept: then the latest sample's query plan must do.
  const timed = (await attempt(explainOnce(session, subject, 'timed', limits), limits)) ?? latest
  // One run may clear what others left, split a page or follow a checkpoint: the one in the middle stands for all.
  const wal = middle(series.work, (one) => one.wal.bytes)?.wal ?? timed.wal
  const plan = { ...withoutSampledValues(timed, subject), wal }
  const planningMs = median(series.planningMs)
  const relations = await attempt(readRelations(session, plan, limits), limits)
  const { tables, indexes } = relations ?? { tables: [], indexes: [] }
  const medianExecutionMs = median(series.executionMs)
  const evidence = { plan, versionNum: session.versionNum, medianPlanningMs: planningMs, medianExecutionMs }
  const again = async () => (await attempt(explainOnce(session, subject, 'timed', limits), limits)) ?? timed
  const found = await confirmed(evidence, again)
  const names = wantedIndexes(query, limits).filter((name) => !plan.indexes.includes(name))
  const asked = names.length > 0 || found.some(isAdvised)
  const counterpart = asked ? await attempt(withoutSeqScan(session, subject, plan, names, limits), limits) : null
  const finished = {
    session,
    subject,
    query,
    plan,
    generic,
    executionMs: medianExecutionMs,
    tables,
    found,
    counterpart,
    limits,
  }
  const findings: Finding[] = []
  for (const read of readers) findings.push(...(await read(finished)))
  const unchosen = counterpart === null ? null : await attempt(unchosenIndexes(counterpart, names), limits)
  const { executionMs, controlMs } = series
  const { rows } = latest
  const { buffers } = middle(series.work, (one) => one.buffers.hit + one.buffers.read) ?? latest
  return {
    params,
    status: 'measured',
    reason: null,
    sqlstate: null,
    timedOutMs: null,
    executionMs,
    controlMs,
    blocks: [{ executionMs, controlMs }],
    subject,
    planningMs,
    rows,
    buffers,
    plan,
    findings,
    tables: tables.map(({ table, pages, estimated_rows }) => ({
      table,
      pages,
      size: sizeText({ pages, estimated_rows }),
    })),
    indexes,
    unchosen: unchosen ?? [],
  }
}

/** What rests on the times of the timed run alone: of a quick query another process that takes the core for 5 ms is most of them. */
const ofOneRun: ReadonlySet<string> = new Set(['SERIALIZATION', 'TRIGGER_TIME', 'IO_BOUND'])

/** Above, another process's moment is no 30 %, and two more runs would cost more than they say. */
const confirmedBelowMs = 1000

/** By the rules; what rests on one run's times where two more runs say the same. */
async function confirmed(evidence: Evidence, again: () => Promise<QueryPlan>): Promise<readonly RuleFinding[]> {
  let found = ruleFindings(evidence)
  for (let run = 0; run < 2; run += 1) {
    if (evidence.medianExecutionMs > confirmedBelowMs || !found.some(({ code }) => ofOneRun.has(code))) break
    const said = new Set(ruleFindings({ ...evidence, plan: await again() }).map(({ code }) => code))
    found = found.filter(({ code }) => !ofOneRun.has(code) || said.has(code))
  }
  return found
}

/** A finished series and what the server says besides it. */
interface Finished {
  readonly session: Session
  readonly subject: Subject
  readonly query: Query
  readonly plan: QueryPlan
  readonly generic: QueryPlan | null
  /** Median of the samples. */
  readonly executionMs: number
  readonly tables: readonly TableFacts[]
  /** By the rules, before anybody looked for a remedy. */
  readonly found: readonly RuleFinding[]
  /** null where it was not asked for, or the server refused. */
  readonly counterpart: WithoutSeqScan | null
  readonly limits: Limits
}

/** What is read from it, in this order; none needs another. */
const readers: readonly ((finished: Finished) => Promise<readonly Finding[]>)[] = [
  async ({ query, found, counterpart, limits }) => {
    const explained = counterpart === null ? null : await attempt(advised(counterpart, found), limits)
    return (explained ?? found).map((one) => ofQuery(one, query))
  },
  async ({ session, subject, query, plan, generic, executionMs, tables, limits }) => {
    if (generic === null || tables.every(({ pages }) => pages < smallPages)) return []
    if (subject.writes || lostIndexes(plan, generic).length === 0) return genericFindings(plan, generic, query, null)
    // Fifty times as long is long enough to tell.
    const patience = { ...limits, statementTimeoutMs: Math.min(limits.statementTimeoutMs, 1000 + 50 * executionMs) }
    return genericFindings(
      plan,
      generic,
      query,
      await attempt(timeGeneric(session, subject, patience, executionMs), limits),
    )
  },
  async ({ query, plan, tables }) => staleFindings(plan, tables, query),
]

/** What the planner's own estimates tell of a query plan that did not end in time: a scan of a whole table for few of its rows, and old statistics. */
async function estimated(
  session: Session,
  query: Query,
  subject: Subject,
  plan: QueryPlan,
  limits: Limits,
): Promise<readonly Finding[]> {
  const { tables } = (await attempt(readRelations(session, plan, limits), limits)) ?? { tables: [] }
  const scans = plannedSeqScans(plan, (schema, name) => {
    const table = tables.find((one) => one.table === `${schema}.${name}`)
    return table === undefined ? undefined : { rows: table.estimated_rows, bytes: table.pages * 8192 }
  })
  const found = [...scans, ...plannedJoinFilters(plan)]
  const counterpart =
    found.length > 0 ? await attempt(withoutSeqScan(session, subject, plan, [], limits), limits) : null
  const explained = counterpart === null ? null : await attempt(advised(counterpart, found), limits)
  return [...(explained ?? found).map((one) => ofQuery(one, query)), ...staleFindings(plan, tables, query)]
}

/** What can be said of a query that has no samples. */
export function unmeasured(params: string | null, failure: Failure, plan: QueryPlan | null): Measurement {
  const none = {
    executionMs: [],
    controlMs: [],
    planningMs: 0,
    rows: 0,
    buffers: { hit: 0, read: 0, temp: 0 },
    findings: [],
    tables: [],
    unchosen: [],
  }
  return { params, ...failure, ...none, plan }
}

const noSample: Failure = { status: 'not_measured', reason: 'no sample was taken', sqlstate: null, timedOutMs: null }

/** Indexes that the query should use, as query plans name them: without their schema. */
function wantedIndexes(query: Query, { indexesFor }: Limits): readonly string[] {
  const names = [...(query.expect.uses ?? []), ...(indexesFor?.(query) ?? [])]
  return [...new Set(names.map(unqualified))]
}

/** null when the server refuses it: what is missing then is only an extra. */
export async function attempt<T>(work: Promise<T>, limits: Limits): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    if (limits.signal?.aborted || error.code === 'CONNECTION_LOST') throw error
    return null
  }
}
