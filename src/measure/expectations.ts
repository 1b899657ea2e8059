import type { Place } from '../errors.js'
import type { Finding } from '../plan/plan.js'
import type { Expectation } from '../profile/profile.js'
import { medianMs, type QueryComparison } from './compare.js'
import type { Measurement } from './measurement.js'
import { count, milliseconds } from './rule.js'

/** One expectation of a profile's query, and what was measured instead. */
export interface CheckedExpectation {
  readonly expect: string
  readonly met: boolean
  readonly actual: string
}

/**
 * Checks what the profile expects of a query against every parameter set: the worst decides. `comparison` is null when
 * nothing was measured before; then a speedup is not checked. What has no measurement meets no expectation.
 */
export function checkExpectations(
  expect: Expectation,
  measurements: readonly Measurement[],
  comparison: QueryComparison | null,
): readonly CheckedExpectation[] {
  const failed = measurements.find((one) => one.status !== 'measured')
  const checks = [
    ...(expect.uses ?? []).map((index) => usesCheck(index, measurements)),
    ...(expect.speedup === undefined || comparison === null ? [] : [speedupCheck(expect.speedup, comparison)]),
    ...(expect.timeMs === undefined ? [] : [timeCheck(expect.timeMs, measurements)]),
    ...(expect.buffers === undefined ? [] : [buffersCheck(expect.buffers, measurements)]),
    ...(expect.forbid ?? []).map((code) => forbidCheck(code, measurements)),
  ]
  if (failed === undefined) return checks
  return checks.map((check) => ({ ...check, met: false, actual: inSet(failed, failed.reason ?? 'no measurement') }))
}

/** EXPECTATION_MISSED, an error, for each that was not met. */
export function missedFindings(
  checked: readonly CheckedExpectation[],
  query: { readonly name: string; readonly place: Place },
): readonly Finding[] {
  return checked
    .filter((check) => !check.met)
    .map((check) => ({
      code: 'EXPECTATION_MISSED',
      severity: 'error',
      query: query.name,
      place: query.place,
      message: `expected ${check.expect}, got ${check.actual}`,
    }))
}

function usesCheck(index: string, measurements: readonly Measurement[]): CheckedExpectation {
  const without = measurements.find((one) => !(one.plan?.indexes ?? []).some((used) => used === unqualified(index)))
  const shown = without ?? measurements[0]
  const used = shown?.plan?.indexes ?? []
  const actual = used.length === 0 ? 'no index' : used.join(', ')
  return {
    expect: `index ${index}`,
    met: without === undefined,
    actual: shown === undefined ? actual : inSet(shown, actual),
  }
}

/** A query plan names indexes without their schema. */
function unqualified(index: string): string {
  return index.slice(index.lastIndexOf('.') + 1)
}

function speedupCheck(least: number, { speedup, verdict, before, after, reason }: QueryComparison): CheckedExpectation {
  const expect = `speedup of at least ${least}`
  if (speedup !== null) {
    const actual = `${factor(speedup.median)} (${factor(speedup.low)} to ${factor(speedup.high)})`
    return { expect, met: speedup.low >= least, actual: inSet(after, `${actual}, ${verdict}`) }
  }
  // Stopped by statement_timeout before: it took that long at least.
  const bound =
    before.timedOutMs === null || after.status !== 'measured' ? 0 : before.timedOutMs / Math.max(medianMs(after), 0.001)
  if (bound >= least) return { expect, met: true, actual: inSet(after, `at least ${factor(bound)}`) }
  return { expect, met: false, actual: inSet(after, reason ?? 'no measurement') }
}

function timeCheck(mostMs: number, measurements: readonly Measurement[]): CheckedExpectation {
  const slowest = measurements.toSorted((a, b) => medianMs(b) - medianMs(a))[0]
  const expect = `median execution time of at most ${milliseconds(mostMs)}`
  if (slowest === undefined) return { expect, met: false, actual: 'no measurement' }
  return { expect, met: medianMs(slowest) <= mostMs, actual: inSet(slowest, milliseconds(medianMs(slowest))) }
}

function buffersCheck(most: number, measurements: readonly Measurement[]): CheckedExpectation {
  const blocks = ({ buffers }: Measurement) => buffers.hit + buffers.read
  const worst = measurements.toSorted((a, b) => blocks(b) - blocks(a))[0]
  const expect = `at most ${count(most)} buffers`
  if (worst === undefined) return { expect, met: false, actual: 'no measurement' }
  return { expect, met: blocks(worst) <= most, actual: inSet(worst, `${count(blocks(worst))} buffers`) }
}

function forbidCheck(code: string, measurements: readonly Measurement[]): CheckedExpectation {
  const found = measurements.flatMap((one) =>
    one.findings.filter((finding) => finding.code === code).map((finding) => inSet(one, finding.message)),
  )
  return { expect: `no ${code}`, met: found.length === 0, actual: found[0] ?? `no ${code}` }
}

function inSet(measurement: Measurement, text: string): string {
  return measurement.params === null || measurement.params === 'default' ? text : `${text} (${measurement.params})`
}

function factor(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)}x`
}
