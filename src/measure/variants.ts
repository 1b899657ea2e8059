import type { Query, Variant } from '../profile/profile.js'
import type { Parameter, Session } from '../server/session.js'
import { finish, unmeasured } from './finish.js'
import { admission } from './measure-query.js'
import type { Limits, Measurement, QueryMeasurement, VariantMeasurement } from './measurement.js'
import { rolledBack, type Subject } from './sample.js'
import { newSeries, takeSamples, type Failure, type Series } from './series.js'
import { median, medianInterval, sum } from './statistics.js'

/**
 * Measures several statements against their replacement: server time by samples of every statement, interleaved, and the
 * time that passes on the client when each variant's statements run one after another. Throws CONNECTION_LOST and
 * INTERRUPTED; a statement that is refused or fails leaves the variants without numbers.
 */
export async function measureVariants(session: Session, query: Query, limits: Limits): Promise<QueryMeasurement> {
  const prepared: PreparedVariant[] = []
  for (const variant of query.variants) prepared.push(await prepareVariant(query, variant, limits))
  const refused = prepared.flatMap((variant) => variant.failures)
  if (refused.length > 0) return { query, measurements: refused, variants: [], roundTripMs: null }
  await takeSamples(
    session,
    prepared.flatMap((variant) => variant.series),
    limits,
  )
  const measurements: Measurement[] = []
  for (const { series } of prepared)
    for (const one of series) measurements.push(await finish(session, query, null, one, null, limits))
  if (measurements.some((one) => one.status !== 'measured'))
    return { query, measurements, variants: [], roundTripMs: null }
  const elapsed = await elapsedTimes(session, prepared, limits)
  return {
    query,
    measurements,
    variants: prepared.map((variant, at) => variantMeasurement(variant, elapsed[at] ?? [])),
    roundTripMs: await roundTrip(session),
  }
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

function named(variant: Variant, failure: Failure): Failure {
  return { ...failure, reason: `${variant.name}: ${failure.reason}` }
}

/** Variants in turn, so that the machine's load meets them alike; the first turn warms up and is thrown away. */
async function elapsedTimes(
  session: Session,
  variants: readonly PreparedVariant[],
  limits: Limits,
): Promise<readonly (readonly number[])[]> {
  const times = variants.map((): number[] => [])
  const start = performance.now()
  const most = Math.min(21, limits.samples)
  for (let turn = 0; turn <= most; turn += 1) {
    for (const [at, variant] of variants.entries()) {
      const elapsedMs = await elapsedOnce(
        session,
        variant.series.map((one) => one.subject),
        limits,
      )
      if (turn > 0) times[at]?.push(elapsedMs)
    }
    if (turn > 0 && performance.now() - start > limits.timeBudgetMs) break
  }
  return times
}

async function elapsedOnce(session: Session, subjects: readonly Subject[], limits: Limits): Promise<number> {
  const readOnly = subjects.every((subject) => !subject.writes)
  return rolledBack(session, limits, { readOnly }, async () => {
    const start = performance.now()
    for (const { text, values } of subjects) await session.query(text, values satisfies readonly Parameter[])
    return performance.now() - start
  })
}

function variantMeasurement({ name, series }: PreparedVariant, elapsedMs: readonly number[]): VariantMeasurement {
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
    elapsedMs: medianInterval(elapsedMs),
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
