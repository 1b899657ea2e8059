import type { Measurement, QueryMeasurement } from './measurement.js'
import type { Buffers } from '../plan/plan-node.js'
import { allBlocks, changed, leastMs } from './changed.js'
import { whyInconclusive } from './inconclusive.js'
import { inTurns, ownNoise, turnsNoise } from './noise.js'
import { shapeOf } from './shape.js'
import { medianInterval, speedup, speedupInTurns, type RatioInterval } from './statistics.js'

export type Verdict = 'faster' | 'same' | 'slower' | 'inconclusive'

/** The verdict on one query with the parameter set that decided. */
export interface QueryComparison {
  readonly verdict: Verdict
  /** null when one side has no samples. */
  readonly speedup: RatioInterval | null
  /** Why it is not told by time alone, or not told at all; null for what the time tells. */
  readonly reason: string | null
  readonly before: Measurement
  readonly after: Measurement
}

/** A claim needs the lower end of the interval here: no false claim in 64 to 119 blocks of unchanged queries. */
const least = 1.1

/**
 * No ratio of times is known better than this: which runs come before one decides how warm it finds the caches, and moved a true 10x from 9.9 (sides that alternate)
 * to 11.4 (runs of a side that follow each other), see bench/results.md.
 */
const warmth = 1.1

/**
 * Compares a query measured twice; of several parameter sets the worst decides: slower before inconclusive, same,
 * faster, then the lower end of the interval. null when there is no pair of parameter sets to compare. `noise` is the floor of
 * the run, see noiseOf.
 */
export function compare(before: QueryMeasurement, after: QueryMeasurement, noise = 1): QueryComparison | null {
  const compared = after.measurements.flatMap((measured) => {
    const other = before.measurements.find((one) => one.params === measured.params)
    return other === undefined ? [] : [compareMeasurements(other, measured, noise)]
  })
  const [worst] = compared.toSorted((a, b) => rank(a) - rank(b) || lowEnd(a) - lowEnd(b))
  return worst ?? null
}

/**
 * Rows must be equal, else nothing is claimed. The same query plan (whatever its indexes are called) is `same`, whatever the clock said,
 * unless its buffers changed by more than 10 % and 8 blocks. Time decides when the interval is clear of 1.1 (below 1/1.1: slower) and the
 * medians differ by 0.1 ms; the interval is freed of the control query's drift, and as wide as the noise of the run and as what the blocks of
 * either side differ by; of sides in turns each round is compared for itself. When it is not clear, buffers decide that fell to half or less (grew to double or more) by more than 8 blocks, if
 * the estimate itself clears the noise. Medians that near with such buffers are `same` under another query plan too.
 */
export function compareMeasurements(before: Measurement, after: Measurement, noise = 1): QueryComparison {
  const sides = { before, after }
  const unmeasured = unmeasuredVerdict(before, after)
  if (unmeasured !== null) return { ...unmeasured, speedup: null, ...sides }
  const turns = inTurns(before, after)
  const own = turns === null ? [ownNoise(before), ownNoise(after)] : [turnsNoise(turns)]
  const widest = Math.max(noise, warmth, ...own)
  const controls = { before: before.controlMs, after: after.controlMs }
  const ratio =
    turns === null
      ? speedup(before.executionMs, after.executionMs, controls, widest)
      : speedupInTurns(turns.before, turns.after, widest)
  if (before.rows !== after.rows) {
    const reason = `${before.rows} rows before, ${after.rows} after: the data changed`
    return { verdict: 'inconclusive', speedup: ratio, reason, ...sides }
  }
  const sameBuffers = !changed(before.buffers, after.buffers)
  if (shapeOf(before) === shapeOf(after) && sameBuffers) {
    return { verdict: 'same', speedup: ratio, reason: 'the same query plan with the same buffers', ...sides }
  }
  const tooNear = Math.abs(medianMs(before) - medianMs(after)) < leastMs
  const byTime = tooNear ? 'inconclusive' : timeVerdict(ratio)
  if (byTime !== 'inconclusive') return { verdict: byTime, speedup: ratio, reason: null, ...sides }
  if (tooNear && sameBuffers) {
    const reason = `the medians differ by less than ${leastMs} ms, and the buffers by hardly any`
    return { verdict: 'same', speedup: ratio, reason, ...sides }
  }
  const clear = tooNear ? 1 : Math.max(least, widest)
  const byBuffers = sameBuffers ? 'inconclusive' : buffersVerdict(before.buffers, after.buffers, ratio, clear)
  const reason =
    byBuffers === 'inconclusive'
      ? whyInconclusive(before, after, ratio, noise)
      : `${allBlocks(before.buffers)} buffers before, ${allBlocks(after.buffers)} after`
  return { verdict: byBuffers, speedup: ratio, reason, ...sides }
}

/** A statement that ran into statement_timeout took at least that long. */
function unmeasuredVerdict(
  before: Measurement,
  after: Measurement,
): { readonly verdict: Verdict; readonly reason: string } | null {
  if (before.status === 'measured' && after.status === 'measured') return null
  const { timedOutMs } = before.status === 'measured' ? after : before
  const measured = before.status === 'measured' ? before : after
  const side = before.status === 'measured' ? 'after' : 'before'
  const reason = `${side}: ${(side === 'after' ? after : before).reason ?? 'not measured'}`
  if (timedOutMs === null || measured.status !== 'measured') return { verdict: 'inconclusive', reason }
  const clear = timedOutMs >= least * Math.max(...measured.executionMs)
  if (!clear) return { verdict: 'inconclusive', reason }
  return { verdict: side === 'before' ? 'faster' : 'slower', reason }
}

function timeVerdict({ low, high, sound }: RatioInterval): Verdict {
  if (!sound) return 'inconclusive'
  if (low >= least) return 'faster'
  return high <= 1 / least ? 'slower' : 'inconclusive'
}

function buffersVerdict(before: Buffers, after: Buffers, ratio: RatioInterval, clear: number): Verdict {
  const [was, is] = [allBlocks(before), allBlocks(after)]
  if (is * 2 <= was && was > 0 && ratio.median > clear) return 'faster'
  if (was * 2 <= is && is > 0 && ratio.median < 1 / clear) return 'slower'
  return 'inconclusive'
}

function rank({ verdict }: QueryComparison): number {
  return (['slower', 'inconclusive', 'same', 'faster'] as const).indexOf(verdict)
}

function lowEnd(comparison: QueryComparison): number {
  return comparison.speedup?.low ?? 0
}

/** The measurement that decides when there is nothing to compare with: one that failed, else the slowest. */
export function decisive(measurements: readonly Measurement[]): Measurement | null {
  const failed = measurements.find((one) => one.status !== 'measured')
  const slowest = measurements.toSorted((a, b) => medianMs(b) - medianMs(a))[0]
  return failed ?? slowest ?? null
}

/** Of the execution time, in ms. */
export function medianMs(measurement: Pick<Measurement, 'executionMs'>): number {
  return measurement.executionMs.length === 0 ? 0 : medianInterval(measurement.executionMs).median
}
