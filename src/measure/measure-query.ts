import { PerfdbError } from '../errors.js'
import type { Finding } from '../plan/plan.js'
import type { ParameterSet, Query } from '../profile/profile.js'
import type { Session } from '../server/session.js'
import { planFindings } from './findings.js'
import { genericFindings, genericPlan } from './generic.js'
import type { Limits, Measurement } from './measurement.js'
import type { QueryPlan } from './query-plan.js'
import { admit, explainOnce } from './sample.js'
import { failureOf, newSeries, takeSamples, type Failure, type Series } from './series.js'
import { staleFindings } from './stale.js'
import { median } from './statistics.js'

/**
 * Measures the one statement of a query with each of its parameter sets: samples with TIMING OFF, one run with TIMING ON
 * for the query plan and its findings, and the generic query plan. A statement that is refused or fails is a
 * measurement that says so. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function measureStatement(
  session: Session,
  query: Query,
  text: string,
  limits: Limits,
): Promise<readonly Measurement[]> {
  const admitted = await admission(text, limits)
  if ('failure' in admitted) return [unmeasured(null, admitted.failure, null)]
  const { statement } = admitted
  const sets = parameterSets(query, statement.parameterCount)
  const runs = sets.map((set) => {
    const subject = { text: statement.text, values: set?.values ?? [], writes: statement.writes }
    return { params: set?.name ?? null, series: newSeries(subject, mismatch(set, statement.parameterCount)) }
  })
  await takeSamples(
    session,
    runs.map((run) => run.series),
    limits,
  )
  const generic =
    statement.parameterCount > 0
      ? await attempt(genericPlan(session, { ...statement, values: [] }, statement.parameterCount, limits), limits)
      : null
  const measured: Measurement[] = []
  for (const { params, series } of runs) measured.push(await finish(session, query, params, series, generic, limits))
  return measured
}

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
    return unmeasured(params, failure ?? noSample, plan ?? (failure?.status === 'refused' ? null : generic))
  }
  // The timed run may meet the timeout that the samples kept: then the latest sample's query plan must do.
  const plan = (await attempt(explainOnce(session, subject, 'timed', limits), limits)) ?? latest
  const planningMs = median(series.planningMs)
  const evidence = {
    plan,
    versionNum: session.versionNum,
    medianPlanningMs: planningMs,
    medianExecutionMs: median(series.executionMs),
  }
  const findings: readonly Finding[] = [
    ...planFindings(evidence, query),
    ...(generic === null ? [] : genericFindings(plan, generic, query)),
    ...((await attempt(staleFindings(session, plan, query, limits), limits)) ?? []),
  ]
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
    planningMs,
    rows,
    buffers,
    plan,
    findings,
  }
}

export async function admission(text: string, limits: Limits) {
  try {
    return { statement: await admit(text, limits.allowWrites) }
  } catch (error) {
    return { failure: failureOf(error, limits) }
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
  }
  return { params, ...failure, ...none, plan }
}

const noSample: Failure = { status: 'not_measured', reason: 'no sample was taken', sqlstate: null, timedOutMs: null }

function parameterSets(query: Query, parameterCount: number): readonly (ParameterSet | null)[] {
  return parameterCount === 0 || query.parameters.length === 0 ? [null] : query.parameters
}

function mismatch(set: ParameterSet | null, parameterCount: number): Failure | null {
  const given = set?.values.length ?? 0
  if (given === parameterCount) return null
  const status = set === null ? 'not_measured' : 'refused'
  const reason = `the query has ${parameterCount} parameter${parameterCount === 1 ? '' : 's'}, params give${set === null ? '' : ` (${set.name})`} ${given}`
  return { status, reason, sqlstate: null, timedOutMs: null }
}

/** null when the server refuses it: what is missing then is only an extra. */
async function attempt<T>(work: Promise<T>, limits: Limits): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (limits.signal?.aborted || (error instanceof PerfdbError && error.code === 'CONNECTION_LOST')) throw error
    return null
  }
}
