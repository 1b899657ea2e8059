import { PerfdbError } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { ofQuery, ruleFindings } from '../rules/findings.js'
import { genericFindings } from '../sample/generic.js'
import { withoutSampledValues } from '../sample/hidden-values.js'
import type { Measurement } from '../sample/measurement.js'
import { advised, isAdvised } from '../why/advice.js'
import { withoutSeqScan, unchosenIndexes } from '../why/without-seq-scan.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { unqualified } from '../rules/rule.js'
import { explainOnce } from '../sample/sample.js'
import type { Failure, Series } from '../sample/series.js'
import { staleFindings } from '../rules/stale.js'
import { median } from '../sample/statistics.js'
import { readRelations, sizeText, smallPages } from '../sample/tables.js'
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
    return unmeasured(params, failure ?? noSample, shown ?? (failure?.status === 'refused' ? null : generic))
  }
  // The timed run may meet the timeout that the samples kept: then the latest sample's query plan must do.
  const timed = (await attempt(explainOnce(session, subject, 'timed', limits), limits)) ?? latest
  const plan = withoutSampledValues(timed, subject)
  const planningMs = median(series.planningMs)
  const evidence = {
    plan,
    versionNum: session.versionNum,
    medianPlanningMs: planningMs,
    medianExecutionMs: median(series.executionMs),
  }
  const { tables, indexes } = (await attempt(readRelations(session, plan, limits), limits)) ?? {
    tables: [],
    indexes: [],
  }
  const found = ruleFindings(evidence)
  const names = wantedIndexes(query, limits).filter((name) => !plan.indexes.includes(name))
  const asked = names.length > 0 || found.some(isAdvised)
  const counterpart = asked ? await attempt(withoutSeqScan(session, subject, plan, names, limits), limits) : null
  const explained = counterpart === null ? null : await attempt(advised(counterpart, found), limits)
  const findings: readonly Finding[] = [
    ...(explained ?? found).map((one) => ofQuery(one, query)),
    ...(generic === null || tables.every(({ pages }) => pages < smallPages)
      ? []
      : genericFindings(plan, generic, query)),
    ...staleFindings(plan, tables, query),
  ]
  const unchosen = counterpart === null ? null : await attempt(unchosenIndexes(counterpart, names), limits)
  const { executionMs, controlMs } = series
  const { rows, buffers } = latest
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
    if (limits.signal?.aborted || (error instanceof PerfdbError && error.code === 'CONNECTION_LOST')) throw error
    return null
  }
}
