import type { Interval, ResultFinding, ResultMeasurement, ResultQuery } from '../../result/documents/result.js'
import type { Finding } from '../../plan/plan.js'
import { compare, decisive, type QueryComparison } from '../sample/compare.js'
import { checkExpectations, missedFindings } from './expectations.js'
import type { Measurement, QueryMeasurement } from '../sample/measurement.js'
import { shapeOf } from '../sample/shape.js'
import { namesakeOf } from '../sample/namesake.js'
import { planDocument } from '../plan/plan-document.js'
import type { Without } from './counterfactual.js'
import { medianInterval } from '../sample/statistics.js'

/**
 * The documents of queries measured once (`before` is null) or twice. Queries are the same by name; where several
 * profiles use one, by file too. A query of `after` that was not measured before has no verdict. Each has the numbers of
 * the parameter set that decided, the findings of all sets, and the profile's expectations with EXPECTATION_MISSED for
 * each missed one.
 */
export function toResultQueries(
  before: readonly QueryMeasurement[] | null,
  after: readonly QueryMeasurement[],
  { noiseFor = () => 1, notChecked = () => null, without = [] }: Told = {},
): ResultQuery[] {
  return after.map((measured) => {
    const other = namesakeOf(before, measured.query)
    // The statements of variants are compared with one another, not with an earlier time.
    const comparable = other !== undefined && measured.query.variants.length === 0
    const comparison = comparable ? compare(other, measured, noiseFor(measured)) : null
    return resultQuery(measured, comparison, notChecked(measured), without)
  })
}

/** What a run knows besides its measurements. */
export interface Told {
  /** The floor of the noise under which the sides of this query were measured, see noiseOf. */
  readonly noiseFor?: (after: QueryMeasurement) => number
  /** Why the speedup that is expected of it is not checked; null where it is. */
  readonly notChecked?: (after: QueryMeasurement) => string | null
  readonly without?: readonly Without[]
}

function resultQuery(
  measured: QueryMeasurement,
  comparison: QueryComparison | null,
  notChecked: string | null,
  without: readonly Without[],
): ResultQuery {
  const { query, measurements } = measured
  const decided = comparison?.after ?? decisive(measurements)
  const failed = measurements.find((one) => one.status !== 'measured')
  const status = failed?.status ?? decided?.status ?? 'not_measured'
  const reason = failed?.reason ?? comparison?.reason ?? null
  const expectations = checkExpectations(query.expect, measurements, comparison, notChecked)
  const findings = [...missedFindings(expectations, query), ...distinct(decided, measurements)]
  // The statements of variants have no one measurement: their numbers are in the comparison.
  const single = query.variants.length === 0
  return {
    name: query.name,
    ...(typeof decided?.params === 'string' ? { params: decided.params } : {}),
    status,
    ...(reason === null ? {} : { reason }),
    ...(comparison === null ? {} : { verdict: comparison.verdict }),
    ...(comparison === null || comparison.speedup === null ? {} : { speedup: rounded(comparison.speedup) }),
    ...(comparison?.before.status === 'measured' ? { before: measurementDocument(comparison.before) } : {}),
    ...(decided?.status === 'measured' && single ? { after: measurementDocument(decided) } : {}),
    ...counterfactualDocument(query, without),
    place: { ...query.place },
    findings: findings.map(findingDocument),
    expectations: expectations.map(({ expect, met, actual, notChecked: unchecked = false }) => ({
      expect,
      met,
      actual,
      ...(unchecked ? { not_checked: true as const } : {}),
    })),
  }
}

function counterfactualDocument(
  { name, place }: QueryMeasurement['query'],
  without: readonly Without[],
): Pick<ResultQuery, 'counterfactual'> {
  const own = without.filter(({ query, file }) => query === name && file === place.file)
  if (own.length === 0) return {}
  return {
    counterfactual: {
      without: own.map(({ index, params, comparison: { verdict, speedup, reason } }) => ({
        indexes: [index.name],
        ...(params === null || params === 'default' ? {} : { params }),
        verdict,
        ...(speedup === null ? {} : { speedup: rounded(speedup) }),
        ...(reason === null ? {} : { reason }),
      })),
    },
  }
}

/** Findings of the set that decided first; of the others what it has not. */
function distinct(decided: Measurement | null, measurements: readonly Measurement[]): readonly Finding[] {
  const ordered = decided === null ? measurements : [decided, ...measurements.filter((one) => one !== decided)]
  const found = ordered.flatMap((one) => one.findings)
  const keys = found.map(({ code, table, index }) => JSON.stringify([code, table, index]))
  return found.filter((_, at) => keys.indexOf(keys[at] ?? '') === at)
}

function measurementDocument(measurement: Measurement): ResultMeasurement {
  const queryPlan = planDocument(measurement.plan)
  return {
    samples: measurement.executionMs.length,
    execution_ms: rounded(medianInterval(measurement.executionMs)),
    spread_ms: spread(measurement.executionMs),
    planning_ms: round(measurement.planningMs),
    buffers: { ...measurement.buffers },
    rows: measurement.rows,
    indexes: [...(measurement.plan?.indexes ?? [])],
    plan_signature: shapeOf(measurement),
    ...(queryPlan === null ? {} : { query_plan: queryPlan }),
  }
}

/** Quartiles are samples themselves, by nearest rank. */
function spread(samples: readonly number[]): NonNullable<ResultMeasurement['spread_ms']> {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number) => round(sorted[Math.round((sorted.length - 1) * share)] ?? 0)
  return { least: at(0), lower: at(0.25), upper: at(0.75), most: at(1) }
}

/** Median, low and high, to the three decimals that EXPLAIN prints. */
export function rounded({ median, low, high }: Interval): Interval {
  return { median: round(median), low: round(low), high: round(high) }
}

/** Four significant digits below one thousandth, three decimals above. */
export function round(value: number): number {
  return Math.abs(value) < 0.001 ? Number(value.toPrecision(4)) : Math.round(value * 1000) / 1000
}

function findingDocument(finding: Finding): ResultFinding {
  return { ...finding, ...(finding.place === undefined ? {} : { place: { ...finding.place } }) }
}
