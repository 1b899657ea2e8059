import { measureQueries, withValuesOf } from '../../measure/query/rounds.js'
import type { QueryMeasurement } from '../../measure/sample/measurement.js'
import { answerFindings, comparisons } from '../../measure/query/comparisons.js'
import { declaredFor, notUsed } from '../../measure/price/not-used.js'
import { regressions, type KeptQuery } from '../../measure/rules/regressed.js'
import { round, toResultQueries } from '../../measure/query/result-queries.js'
import type { Finding } from '../../plan/plan.js'
import { foreignCodeFindings } from '../shared/foreign-code.js'
import type { DeclaredIndex, Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { about, findingDocument } from '../shared/documents.js'
import { exitCode } from '../../result/exit-code.js'
import type { WhatIfEngine } from './what-if.js'
import type { BrokenQuery } from './explain-inputs.js'
import type { Counted } from './explain-top.js'
import type { ExplainResult, ResultQuery } from '../../result/documents/result.js'
import type { Planned, Supposed } from '../shared/planned.js'
import { limitsOf, type MeasureOptions } from '../../measure/sample/limits.js'
import type { Advisor } from '../../measure/sample/advisor.js'

export interface ExplainOptions extends MeasureOptions {
  /** What was measured at another time, to compare with. */
  readonly before?: readonly QueryMeasurement[] | undefined
  /** What a baseline kept. */
  readonly baseline?: readonly KeptQuery[] | undefined
  /** Statements that could not even be read. */
  readonly broken?: readonly BrokenQuery[] | undefined
  /** Indexes of the profiles that the queries come from: NOT_USED for one that stands there and that no query uses. */
  readonly declared?: readonly DeclaredIndex[] | undefined
  /** --what-if: the plan of the declared indexes, those not there yet to be supposed. */
  readonly whatIf?: Planned | undefined
  /** By what. */
  readonly engine?: WhatIfEngine | undefined
  /** What pg_stat_statements counted, by the name of the query. */
  readonly counts?: ReadonlyMap<string, Counted> | undefined
  /** What is known of the queries before they are measured. */
  readonly findings?: readonly Finding[] | undefined
  /** Called with all measurements, to keep them. */
  readonly keep?: ((measured: readonly QueryMeasurement[]) => Promise<void>) | undefined
}

/**
 * The query audit: measures each query, checks what its profile expects of it, compares variants and a baseline. Changes
 * nothing and prints nothing. The exit code is 2 when a statement could not be read (the others are audited all the
 * same), 1 when an expectation was missed, a query was refused or failed, or one is worse than its baseline; findings
 * about the query plan are warnings and leave it 0. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function runExplain(
  session: Session,
  queries: readonly Query[],
  options: ExplainOptions,
): Promise<ExplainResult> {
  const startedAt = new Date()
  const { baseline = [], broken = [], declared = [] } = options
  const control = options.control ?? (options.before === undefined ? null : undefined)
  const foreign = await foreignCodeFindings(session, queries)
  const asked = withValuesOf(options.before ?? [], queries)
  await using engine =
    options.whatIf === undefined ? null : (await import('./what-if.js')).keptEngine(options.engine ?? {})
  const rowsOf = ({ name }: Query) => {
    const counted = options.counts?.get(name)
    return counted === undefined ? undefined : counted.rows / Math.max(1, counted.calls)
  }
  const measured = await measureQueries(session, asked, {
    ...options,
    control,
    indexesFor: declaredFor(declared),
    rowsOf,
    advisor: engine === null ? undefined : await advisorFor(engine, options),
  })
  await options.keep?.(measured)
  const supposed =
    options.whatIf === undefined
      ? null
      : await whatIf(session, options.whatIf, queries, { ...options, engine: engine ?? undefined })
  const differ = valuesDiffer(measured, options.counts)
  const documents = toResultQueries(options.before ?? null, measured).map((document, at): ResultQuery => {
    const one = measured[at]
    const found = one === undefined ? [] : regressions(baseline, one)
    return {
      ...document,
      ...countsOf(options.counts?.get(document.name)),
      findings: [
        ...found.map(findingDocument),
        ...document.findings.filter(
          ({ code }) => !byRows.has(code) || !differ.some((other) => other.query === document.name),
        ),
      ],
    }
  })
  const [unread] = broken
  const code = exitCode({
    ...(unread === undefined ? {} : { error: unread.problem }),
    refusals: documents.filter(missed).length + measured.filter(timedOut).length,
  })
  return {
    ...about(code, session, startedAt),
    command: 'explain',
    measured_as: session.user,
    queries: [...documents, ...broken.map(brokenDocument)],
    comparisons: comparisons(measured),
    findings: [
      ...(options.findings ?? []),
      ...foreign,
      ...settingsFinding(measured),
      ...answerFindings(measured),
      ...differ,
      ...gone(baseline, measured),
      ...(await notUsed(session, declared, measured, options.signal)),
      ...(supposed?.findings ?? []),
    ].map(findingDocument),
    ...(supposed === null ? {} : { what_if: supposed.document }),
  }
}

/** Of other values they say nothing of the application's. */
const byRows: ReadonlySet<string> = new Set(['SEQ_SCAN_OK', 'LARGE_RESULT'])

/** VALUES_DIFFER: the values that the statistics gave are not like those of the calls. */
function valuesDiffer(
  measured: readonly QueryMeasurement[],
  counts: ReadonlyMap<string, Counted> | undefined,
): readonly Finding[] {
  return measured.flatMap(({ query, sampled, measurements }) => {
    const counted = counts?.get(query.name)
    const ran = measurements.filter(({ status }) => status === 'measured')
    if (counted === undefined || sampled === undefined || ran.length === 0) return []
    const each = counted.rows / Math.max(1, counted.calls)
    const near = ran.some(({ rows }) => Math.abs(rows - each) <= 10 || (rows < 10 * each && each < 10 * rows))
    if (near) return []
    const given = [...new Set(ran.map(({ rows }) => String(rows)))].join(' and ')
    return [
      {
        code: 'VALUES_DIFFER',
        severity: 'warning' as const,
        query: query.name,
        place: query.place,
        message: `a call gave ${each < 10 ? Number(each.toFixed(1)) : Math.round(each)} rows on average, and the values of the statistics give ${given}`,
        hint: 'its time here is of other values: give some as the application does, by params in a profile, or --query with --param',
      },
    ]
  })
}

function countsOf(counted: Counted | undefined): Partial<ResultQuery> {
  if (counted === undefined) return {}
  const { calls, rows, total_ms: total, mean_ms: mean, share } = counted
  return { calls, rows, total_ms: round(total), mean_ms: round(mean), share: round(share) }
}

async function advisorFor(engine: WhatIfEngine, { signal, statementTimeoutMs }: ExplainOptions): Promise<Advisor> {
  const { advisorOf } = await import('./advisor.js')
  return advisorOf(engine, limitsOf({ allowWrites: true, signal, statementTimeoutMs }))
}

async function whatIf(
  session: Session,
  planned: Planned,
  queries: readonly Query[],
  options: ExplainOptions,
): Promise<Supposed> {
  const { runWhatIf } = await import('./what-if.js')
  return runWhatIf(session, planned, queries, { ...options, ...options.engine })
}

/** It takes longer than it may: what a query plan that did not run tells is not what was asked. */
function timedOut({ measurements }: QueryMeasurement): boolean {
  return measurements.some(({ timedOutMs }) => timedOutMs !== null)
}

function missed({ status, expectations, findings }: ResultQuery): boolean {
  return (
    status === 'refused' ||
    status === 'failed' ||
    expectations.some((expectation) => !expectation.met) ||
    findings.some((finding) => finding.code === 'REGRESSED')
  )
}

/** A statement that could not be read. */
export function brokenDocument({ name, problem }: BrokenQuery): ResultQuery {
  const { code, message, hint, place } = problem
  return {
    name,
    status: 'refused',
    reason: message,
    findings: [
      {
        code,
        severity: 'error',
        query: name,
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(place === undefined ? {} : { place: { ...place } }),
      },
    ],
    expectations: [],
  }
}

/** Planner settings that are not the default belong to every number of the report. */
function settingsFinding(measured: readonly QueryMeasurement[]): readonly Finding[] {
  const settings = new Map(
    measured.flatMap(({ measurements }) => measurements.flatMap((one) => Object.entries(one.plan?.settings ?? {}))),
  )
  // perfdb's own, which the measure session has as the application has it.
  settings.delete('search_path')
  if (settings.size === 0) return []
  const list = [...settings].map(([name, value]) => `${name} = ${value}`).join(', ')
  return [{ code: 'SETTINGS', severity: 'info', message: `measured with settings that are not the default: ${list}` }]
}

function gone(baseline: readonly KeptQuery[], measured: readonly QueryMeasurement[]): readonly Finding[] {
  const names = new Set(measured.map(({ query }) => query.name))
  const missing = [...new Set(baseline.map(({ query }) => query))].filter((name) => !names.has(name))
  return missing.map((query) => ({
    code: 'NOT_MEASURED',
    severity: 'info',
    query,
    message: `${query} is in the baseline and was not measured this time`,
  }))
}
