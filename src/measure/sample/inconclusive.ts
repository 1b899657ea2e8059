import type { Measurement } from './measurement.js'
import { blocksOf, inTurns, ownNoise, turnsNoise } from './noise.js'
import { leastForInterval, median, type RatioInterval } from './statistics.js'

/**
 * Why time tells nothing, and what to change: too few samples, blocks of one side that differ, a difference within the noise of the run, or an
 * interval that is too wide.
 */
export function whyInconclusive(before: Measurement, after: Measurement, ratio: RatioInterval, noise: number): string {
  const budget = `--time-budget ${budgetFor(before, after)}`
  const [was, is] = [before.executionMs.length, after.executionMs.length]
  if (!ratio.sound)
    return `${several(was, 'sample')} before and ${is} after, ${leastForInterval} of each are needed: ${budget}`
  const turns = inTurns(before, after)
  if (turns !== null && turnsNoise(turns) > Math.max(1.1, noise))
    return `its odd and even rounds disagree (${turnsNoise(turns).toFixed(1)}x): ${budget}`
  const apart = [
    { side: 'before', measured: before },
    { side: 'after', measured: after },
  ].toSorted((a, b) => ownNoise(b.measured) - ownNoise(a.measured))[0]
  if (turns === null && apart !== undefined && ownNoise(apart.measured) > Math.max(1.1, noise)) {
    const medians = blocksOf(apart.measured).map(({ executionMs }) => milliseconds(median(executionMs)))
    return `its blocks ${apart.side} disagree (${medians.join(', ')}): again when the server has less else to do, or ${budget}`
  }
  const estimate = Math.max(ratio.median, 1 / ratio.median)
  if (noise > 1.1 && estimate <= noise * 1.1)
    return `within the noise of this run, ${noise.toFixed(1)}x: again when the server has less else to do, or ${before.rounds === undefined ? 'with --counterfactual on' : budget}`
  return `the interval is too wide to tell it from 1x: ${budget}`
}

/** Twice 21 samples of the slower side, in a round number of seconds; never less than twice the default. */
function budgetFor(before: Measurement, after: Measurement): string {
  const slower = Math.max(...[before, after].map(({ executionMs }) => median(executionMs)).filter(Number.isFinite), 0)
  const seconds = Math.max(10, Math.ceil((slower * 42) / 1000))
  const step = seconds > 100 ? 50 : 10
  return `${Math.ceil(seconds / step) * step}s`
}

function several(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

function milliseconds(value: number): string {
  return `${value < 1 ? value.toFixed(3) : value.toFixed(1)} ms`
}
