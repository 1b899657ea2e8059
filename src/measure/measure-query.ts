import type { ParameterSet, Query } from '../profile/profile.js'
import type { Session } from '../server/session.js'
import { attempt, finish, unmeasured } from './finish.js'
import { genericPlan } from './generic.js'
import type { Limits, Measurement } from './measurement.js'
import { admit } from './sample.js'
import { failureOf, newSeries, takeSamples, type Failure } from './series.js'

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

export async function admission(text: string, limits: Limits) {
  try {
    return { statement: await admit(text, limits.allowWrites) }
  } catch (error) {
    return { failure: failureOf(error, limits) }
  }
}

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
