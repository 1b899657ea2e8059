import type { Query, Variant } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { finish, unmeasured } from './finish.js'
import { admission } from './measure-query.js'
import type { Measurement, QueryMeasurement, VariantMeasurement } from '../sample/measurement.js'
import { failureOf, newSeries, takeSamples, type Failure, type Series } from '../sample/series.js'
import { median, medianInterval, sum } from '../sample/statistics.js'
import { otherSessions } from '../variants/variants-connections.js'
import { elapsedTimes, spread, type Elapsed } from '../variants/variants-elapsed.js'
import { compareRows } from '../variants/variants-rows.js'
import type { Limits } from '../sample/limits.js'

/**
 * Measures several statements against their replacement: server time by samples of every statement, interleaved, the time
 * that passes on the client when each variant's statements run one after another, in one pipeline, and spread over up to
 * four connections, and whether the variants give the same rows. Throws CONNECTION_LOST and
 * INTERRUPTED; a statement that is refused or fails, or returns too many rows to fetch, leaves the variants without numbers.
 */
export async function measureVariants(session: Session, query: Query, limits: Limits): Promise<QueryMeasurement> {
  const prepared: PreparedVariant[] = []
  for (const variant of query.variants) prepared.push(await prepareVariant(query, variant, limits))
  const refused = prepared.flatMap((variant) => variant.failures)
  if (refused.length > 0) return { query, measurements: refused, variants: [], roundTripMs: null }
  await takeSamples(
    session,
    prepared.flatMap((variant) => variant.series),
    limits.control === null ? null : { text: limits.control, set: {} },
    limits,
  )
  const measurements: Measurement[] = []
  for (const { series } of prepared)
    for (const one of series) measurements.push(await finish(session, query, null, one, null, limits))
  const tooLarge = prepared.find(({ series }) => sum(series.map(({ latest }) => latest?.rows ?? 0)) > mostRows)
  if (tooLarge !== undefined) measurements.push(unmeasured(null, named(tooLarge, tooManyRows), null))
  if (measurements.some((one) => one.status !== 'measured'))
    return { query, measurements, variants: [], roundTripMs: null }
  const answering = prepared.map(({ name, series }) => ({ name, subjects: series.map((one) => one.subject) }))
  const subjects = answering.map((variant) => variant.subjects)
  const widest = Math.max(1, ...subjects.filter(spread).map((statements) => statements.length))
  await using others = await otherSessions(widest, limits)
  const elapsed = await elapsedTimes(session, others.sessions, subjects, limits).catch((error: unknown) =>
    failureOf(error, limits),
  )
  if ('status' in elapsed)
    return { query, measurements: [...measurements, unmeasured(null, elapsed, null)], variants: [], roundTripMs: null }
  return {
    query,
    measurements,
    variants: prepared.flatMap((variant, at) => {
      const times = elapsed[at]
      return times === undefined ? [] : [variantMeasurement(variant, times)]
    }),
    roundTripMs: await roundTrip(session),
    answers: await compareRows(session, answering, limits),
    notConcurrent: others.reason ?? elapsed.find((times) => times.notConcurrent !== null)?.notConcurrent ?? null,
  }
}

/** The client fetches the rows of every run: a million of them took 200 MB. */
const mostRows = 100_000
const tooManyRows: Failure = {
  status: 'not_measured',
  reason: `over ${mostRows.toLocaleString('en-US')} rows: too many to fetch again and again`,
  sqlstate: null,
  timedOutMs: null,
}

interface PreparedVariant {
  readonly name: string
  readonly series: readonly Series[]
  readonly failures: readonly Measurement[]
}

async function prepareVariant(query: Query, variant: Variant, limits: Limits): Promise<PreparedVariant> {
  const values = query.parameters[0]?.values ?? []
  const series: Series[] = []
  const failures: Measurement[] = []
  for (const text of variant.statements) {
    const admitted = await admission(text, limits)
    if ('failure' in admitted) {
      failures.push(unmeasured(null, named(variant, admitted.failure), null))
      continue
    }
    const { parameterCount, ...statement } = admitted.statement
    series.push(newSeries({ ...statement, values: values.slice(0, parameterCount) }))
  }
  return { name: variant.name, series, failures }
}

function named({ name }: Pick<Variant, 'name'>, failure: Failure): Failure {
  return { ...failure, reason: `${name}: ${failure.reason}` }
}

function variantMeasurement(
  { name, series }: PreparedVariant,
  { sequentialMs, pipelinedMs, concurrentMs, connections }: Elapsed,
): VariantMeasurement {
  const execution = series.map((one) => medianInterval(one.executionMs))
  const planning = sum(series.map((one) => median(one.planningMs)))
  return {
    name,
    statements: series.length,
    serverMs: {
      median: sum(execution.map((one) => one.median)) + planning,
      low: sum(execution.map((one) => one.low)) + planning,
      high: sum(execution.map((one) => one.high)) + planning,
    },
    elapsedMs: medianInterval(sequentialMs),
    pipelinedMs: pipelinedMs.length === 0 ? null : medianInterval(pipelinedMs),
    concurrentMs: concurrentMs.length === 0 ? null : medianInterval(concurrentMs),
    connections,
  }
}

/** The shortest: what is longer waited for the machine, not for the network. */
async function roundTrip(session: Session): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY
  for (let trip = 0; trip < 20; trip += 1) {
    const start = performance.now()
    await session.query('select 1')
    shortest = Math.min(shortest, performance.now() - start)
  }
  return shortest
}
