import { readTables } from '../../catalog/read/read.js'
import { several } from '../../text/amounts.js'
import { suggestion } from '../../text/nearest.js'
import type { Finding } from '../../plan/plan.js'
import type { ParameterSet, Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { attempt, finish, unmeasured } from './finish.js'
import { genericPlan, type GenericPlan } from '../sample/generic.js'
import type { Measurement, QueryMeasurement } from '../sample/measurement.js'
import { sampledSets } from '../sample/parameters.js'
import { conditionTexts } from '../sample/said.js'
import { admit } from '../sample/sample.js'
import type { Control, Subject } from '../sample/subject.js'
import { likeControl } from '../sample/control.js'
import { smallPages } from '../sample/tables.js'
import { failureOf, newSeries, takeSamples, type Failure } from '../sample/series.js'
import type { Limits } from '../sample/limits.js'

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
  earlier: Control | undefined,
): Promise<Pick<QueryMeasurement, 'measurements' | 'sampled' | 'control'>> {
  const admitted = await admission(text, limits)
  if ('failure' in admitted) return { measurements: [unmeasured(null, admitted.failure, null)] }
  const { statement } = admitted
  const { generic, subjects, sampled } = await boundSubjects(session, query, statement, limits)
  const runs = subjects.map(({ params, subject, failure }) => ({ params, series: newSeries(subject, failure) }))
  const runnable = subjects.filter(({ failure }) => failure === null).map(({ subject }) => subject)
  const control = earlier ?? (await likeControl(session, runnable, limits))
  await takeSamples(
    session,
    runs.map((run) => run.series),
    control,
    limits,
  )
  const measured: Measurement[] = []
  for (const { params, series } of runs)
    measured.push(await finish(session, query, params, series, generic?.plan ?? null, limits))
  const measurements = await withMeantTables(session, withSensitivity(measured, query))
  return {
    measurements,
    ...(sampled === null ? {} : { sampled }),
    ...(control === null ? {} : { control }),
  }
}

/** Of a table that does not exist, the one that was meant. */
async function withMeantTables(
  session: Session,
  measurements: readonly Measurement[],
): Promise<readonly Measurement[]> {
  if (!measurements.some(({ sqlstate }) => sqlstate === '42P01')) return measurements
  const tables = await readTables(session)
  const known = [...new Set(tables.flatMap(({ schema, name }) => [name, `${schema}.${name}`]))]
  return measurements.map((one) => {
    const missing = /["«»„“]([^"«»„“]+)["«»„“]/.exec(one.reason ?? '')?.[1]
    const elsewhere = tables.find(({ name }) => name === missing)
    if (one.sqlstate !== '42P01' || missing === undefined) return one
    const meant = elsewhere === undefined ? suggestion(missing, known) : `: it is ${elsewhere.schema}.${elsewhere.name}`
    return { ...one, reason: `${one.reason ?? ''}${meant}` }
  })
}

export async function admission(text: string, limits: Limits) {
  try {
    return { statement: await admit(text, limits.allowWrites) }
  } catch (error) {
    return { failure: failureOf(error, limits) }
  }
}

/** A statement with the values of one parameter set, or why it cannot have them. */
export interface BoundSubject {
  readonly params: string | null
  readonly subject: Subject
  readonly failure: Failure | null
}

/**
 * The statement with each parameter set of its query (values of the columns' statistics, as `sampled`, where it has none), and
 * the generic query plan of one with parameters (null where the server refuses it). Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function boundSubjects(
  session: Session,
  query: Query,
  { text, writes, parameterCount }: Admitted,
  limits: Limits,
): Promise<{
  readonly generic: GenericPlan | null
  readonly subjects: readonly BoundSubject[]
  readonly sampled: readonly ParameterSet[] | null
}> {
  const generic =
    parameterCount > 0
      ? await attempt(genericPlan(session, { text, writes, values: [] }, parameterCount, limits), limits)
      : null
  const rowsACall = limits.rowsOf?.(query)
  const like = rowsACall === undefined ? undefined : { subject: { text, writes }, rowsACall }
  const sampled =
    generic === null || query.parameters.length > 0
      ? null
      : await attempt(sampledSets(session, generic, limits, like), limits)
  const sets = parameterCount === 0 ? [null] : (sampled ?? (query.parameters.length > 0 ? query.parameters : [null]))
  const said = generic === null ? {} : { said: conditionTexts(generic.plan) }
  const subjects = sets.map((set) => ({
    params: set?.name ?? null,
    subject: { text, values: set?.values ?? [], writes, sampled: sampled !== null, ...said },
    failure: mismatch(set, parameterCount),
  }))
  return { generic, subjects, sampled }
}

type Admitted = Awaited<ReturnType<typeof admit>>

function mismatch(set: ParameterSet | null, parameterCount: number): Failure | null {
  const given = set?.values.length ?? 0
  if (given === parameterCount) return null
  const status = set === null ? 'not_measured' : 'refused'
  const count = `the query has ${several(parameterCount, 'parameter')}`
  const reason =
    set === null
      ? `${count} without values, and the statistics know none for ${parameterCount === 1 ? 'it' : 'each of them'}: params of a profile gives them`
      : `${count}, params give (${set.name}) ${given}`
  return { status, reason, sqlstate: null, timedOutMs: null }
}

/** PARAMETER_SENSITIVE where two parameter sets get different query plans: a generic one suits one of them at most. */
function withSensitivity(measured: readonly Measurement[], query: Query): readonly Measurement[] {
  const [first, ...others] = measured.filter(({ status }) => status === 'measured')
  const other = others.find((one) => one.plan?.signature !== first?.plan?.signature)
  // A small table is read in any way.
  const large = other?.tables.some(({ pages }) => pages >= smallPages) === true
  if (first === undefined || other === undefined || !large) return measured
  const finding: Finding = {
    code: 'PARAMETER_SENSITIVE',
    severity: 'info',
    query: query.name,
    place: query.place,
    message: `the query plan depends on the values: ${first.params}: ${first.plan?.signature}; ${other.params}: ${other.plan?.signature}`,
    hint: 'measure with values of both kinds; a prepared statement should not get one query plan for all (plan_cache_mode)',
  }
  return measured.map((one) => (one === first ? { ...one, findings: [...one.findings, finding] } : one))
}
