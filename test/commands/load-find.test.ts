import { expect, test } from 'vitest'
import { findKnee } from '../../src/commands/load/find.js'
import { stepOf, unmetByAll } from '../../src/commands/load/step.js'
import { makeTally } from '../../src/commands/load/tally.js'
import type { LoadStep } from '../../src/result/load-result.js'

/** A step whose answers all take this long. */
function stepAt(rate: number, ms: number, expected = {}, saturated = false): LoadStep {
  const tally = makeTally(0, () => 1000, 2000)
  for (let at = 0; at < 100; at += 1) {
    tally.sent(at * 10, at * 10)
    tally.answered(at * 10, at * 10 + ms, undefined)
  }
  return stepOf({ rate }, tally.measured(saturated), false, { times: [], ...expected })
}

test.each([1, 7, 16, 100, 3000, 16_000, 99_000])('a server that keeps the time up to %i/s', async (most) => {
  const rates: number[] = []
  const knee = await findKnee(50, 100_000, async (rate) => {
    rates.push(rate)
    return stepAt(rate, rate <= most ? 5 : 80)
  })
  const { rate, refuted } = knee
  expect(rate).toBeLessThanOrEqual(most)
  expect(Number(rate) * 1.2 + 1).toBeGreaterThan(most)
  expect(refuted).toBe(Math.min(100_000, Math.ceil(Number(rate) * 1.2)))
  // The last runs are one at the rate, and two a fifth above.
  expect(rates.slice(-3)).toEqual([rate, refuted, refuted])
  expect(rates.length).toBeLessThan(35)
})

test('a server that can do more than is tried, one that can do nothing, and a run that is over', async () => {
  expect(await findKnee(50, 100_000, async (rate) => stepAt(rate, 5))).toMatchObject({ rate: 100_000, refuted: null })
  expect(await findKnee(50, 100_000, async (rate) => stepAt(rate, 80))).toMatchObject({ rate: null })
  expect(await findKnee(50, 100_000, async () => null)).toMatchObject({ rate: null })
})

test('one late run of a rate is noise; a saturated one is none', async () => {
  let runs = 0
  const noisy = await findKnee(50, 100_000, async (rate) => stepAt(rate, rate > 1000 || (runs += 1) % 3 === 1 ? 80 : 5))
  expect(Number(noisy.rate)).toBeGreaterThan(800)
  const rates: number[] = []
  await findKnee(50, 100_000, async (rate) => {
    rates.push(rate)
    return stepAt(rate, 5, {}, rate > 20)
  })
  expect(rates.filter((rate, at) => rate > 20 && rates[at - 1] === rate)).toEqual([])
})

test('what a step does not fulfil is said, and not of rates above the expected one', () => {
  const expected = { times: [{ of: 'p95' as const, ms: 50 }], successPercent: 99, rate: 100 }
  expect(stepAt(100, 80, expected).unmet).toEqual(['p95 80 ms, expected 50 ms'])
  expect(stepAt(100, 2500, expected).unmet).toEqual(['p95 2500 ms, expected 50 ms', 'success 0.0 %, expected 99 %'])
  expect(stepAt(101, 80, expected).unmet).toEqual([])
  expect(unmetByAll([stepAt(100, 5, expected)], expected)).toEqual([])
  expect(unmetByAll([stepAt(100, 80, expected)], expected)).toEqual([
    'no step answered 100/s with all else fulfilled; the most was 100/s',
  ])
})
