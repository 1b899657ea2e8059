import type { Place } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import type { Expectation } from '../../profile/profile.js'
import { medianMs, type QueryComparison } from '../sample/compare.js'
import type { Measurement } from '../sample/measurement.js'
import { milliseconds, unqualified } from '../rules/rule.js'
import { withThousands } from '../../text/amounts.js'
import { suggestion } from '../../text/nearest.js'
import { smallPages } from '../sample/tables.js'
import { count } from '../plan/plan-node.js'

/** One expectation of a profile's query, and what was measured instead. */
export interface CheckedExpectation {
  readonly expect: string
  readonly met: boolean
  readonly actual: string
  /** Nothing was compared in this run: it counts as met, and `actual` says why. */
  readonly notChecked?: boolean
  /** Why it was missed, and what to do. */
  readonly hint?: string
}

/**
 * Checks what the profile expects of a query against every parameter set: the worst decides. `comparison` is null when
 * nothing was measured before; then a speedup is not checked, nor where `notChecked` says why not. What has no measurement meets no expectation.
 */
export function checkExpectations(
  expect: Expectation,
  measurements: readonly Measurement[],
  comparison: QueryComparison | null,
  notChecked: string | null = null,
): readonly CheckedExpectation[] {
  const failed = measurements.find((one) => one.status !== 'measured')
  const checks = [
    ...(expect.uses ?? []).map((index) => usesCheck(index, measurements)),
    ...(expect.speedup === undefined ? [] : [speedupCheck(expect.speedup, comparison, notChecked)]),
    ...(expect.timeMs === undefined ? [] : [timeCheck(expect.timeMs, measurements)]),
    ...(expect.cost === undefined ? [] : [costCheck(expect.cost, measurements)]),
    ...(expect.buffers === undefined ? [] : [buffersCheck(expect.buffers, measurements)]),
    ...(expect.forbid ?? []).map((code) => forbidCheck(code, measurements)),
  ]
  if (failed === undefined) return checks
  return checks.map((check) => ({
    ...check,
    notChecked: false,
    met: false,
    actual: inSet(failed, failed.reason ?? 'no measurement'),
  }))
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
      ...(check.hint === undefined ? {} : { hint: check.hint }),
    }))
}

/**
 * On a table of under 50 pages the planner reads it all and is right: there it counts what it takes without sequential
 * scans, this index or another one that searches the table.
 */
function usesCheck(index: string, measurements: readonly Measurement[]): CheckedExpectation {
  const name = unqualified(index)
  const uses = measurements.map((measured) => ({ measured, ...indexUse(name, measured) }))
  const shown = uses.find((use) => !use.met) ?? uses.find((use) => use.judged) ?? uses[0]
  const expect = `index ${index}`
  if (shown === undefined) return { expect, met: false, actual: 'no measurement' }
  const { met, hint, measured } = shown
  return { expect, met, actual: inSet(measured, shown.actual), ...(hint === undefined ? {} : { hint }) }
}

interface IndexUse {
  readonly met: boolean
  readonly judged: boolean
  readonly actual: string
  readonly hint?: string
}

function indexUse(name: string, { plan, unchosen, indexes = [] }: Measurement): IndexUse {
  const used = plan?.indexes ?? []
  const actual = used.length === 0 ? 'no index' : used.join(', ')
  if (used.includes(name)) return { met: true, judged: false, actual }
  const wanted = unchosen.find((one) => one.index === name)
  if (wanted === undefined || wanted.table === '') {
    const near = suggestion(
      name,
      indexes.map((one) => one.name),
    )
    if (near !== '') return { met: false, judged: false, actual: `${actual}; there is no index ${name}${near}` }
    return { met: false, judged: false, actual, ...(wanted === undefined ? {} : { hint: wanted.reason }) }
  }
  if (wanted.part !== null) return { met: true, judged: false, actual: `${name} (${wanted.part})` }
  const { without, small, size, reason } = wanted
  if (!small || without === 'none') return { met: false, judged: false, actual, hint: reason }
  const how = without === 'this' ? 'judged without sequential scans' : 'without sequential scans it takes another index'
  return { met: true, judged: true, actual: `${name} (${size}: too small to tell, ${how})` }
}

function speedupCheck(
  least: number,
  comparison: QueryComparison | null,
  notChecked: string | null,
): CheckedExpectation {
  const expect = `speedup of at least ${least}`
  const why = notChecked ?? (comparison === null ? 'nothing was measured before' : null)
  if (comparison === null || why !== null)
    return { expect, met: true, notChecked: true, actual: `not checked: ${why ?? ''}` }
  const { speedup, verdict, before, after, reason } = comparison
  if (speedup !== null) {
    const actual = `${factor(speedup.median)} (${factor(speedup.low)} to ${factor(speedup.high)})`
    const met = speedup.low >= least
    const largest = after.tables.toSorted((a, b) => b.pages - a.pages)[0]
    if (!met && largest !== undefined && largest.pages < smallPages)
      return {
        expect,
        met: true,
        actual: inSet(after, `not judged: ${largest.table} is too small to tell (${largest.size})`),
      }
    const because = met || reason === null ? '' : ` (${reason})`
    return { expect, met, actual: inSet(after, `${actual}, ${verdict}${because}`) }
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

function costCheck(most: number, measurements: readonly Measurement[]): CheckedExpectation {
  const worst = measurements.toSorted((a, b) => (b.plan?.cost ?? 0) - (a.plan?.cost ?? 0))[0]
  const cost = worst?.plan?.cost
  const expect = costExpected(most)
  if (worst === undefined || cost === undefined) return { expect, met: false, actual: 'no query plan' }
  return { expect, met: cost <= most, actual: inSet(worst, `a cost of ${withThousands(cost)}`) }
}

export function costExpected(most: number): string {
  return `an estimated cost of at most ${withThousands(most)}`
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
