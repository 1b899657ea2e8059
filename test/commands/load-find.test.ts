import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { threadsFor } from '../../src/actions/load/load-settings.js'
import { findKnee } from '../../src/commands/load/find.js'
import { dealt } from '../../src/commands/load/rig.js'
import type { Offer } from '../../src/commands/load/run-step.js'
import { stepOf, unmetByAll } from '../../src/commands/load/step.js'
import { makeTally } from '../../src/commands/load/tally.js'
import type { LoadStep } from '../../src/result/documents/load-result.js'

/** A step whose answers all take this long. */
function stepAt(rate: number, ms: number, expected = {}, saturated = false): LoadStep {
  const tally = makeTally(0, () => 1000, 2000)
  for (let at = 0; at < 100; at += 1) {
    tally.sent(at * 10, at * 10)
    tally.answered(at * 10, at * 10 + ms, undefined)
  }
  const server = { queries: null, waits: null }
  return stepOf({ rate }, tally.measured(saturated), server, false, { times: [], ...expected })
}

const limits = { rate: 100_000, connections: 10 }

/** A server that answers `most` a second at most, and to so many in time; what was asked for is kept. */
function server(most: number, keeps: number, step: (rate: number) => LoadStep | undefined = () => undefined) {
  const rates: number[] = []
  return {
    rates,
    step: async (offer: Offer) => {
      if ('users' in offer) return { ...stepAt(0, 5), achieved: most }
      rates.push(offer.rate)
      return step(offer.rate) ?? stepAt(offer.rate, offer.rate <= keeps ? 5 : 80)
    },
  }
}

test.each([
  [1.1, 1],
  [9, 7],
  [1000, 16],
  [110, 100],
  [9000, 3000],
  [16_000, 16_000],
  [12_000, 16_000],
  [99_000, 95_000],
])('a server that answers %d/s, and %i/s in time', async (most, keeps) => {
  const { rates, step } = server(most, keeps)
  const { rate, refuted, confirmed } = await findKnee(50, limits, step)
  expect(confirmed).toBe(true)
  expect(rate).toBeLessThanOrEqual(keeps)
  expect(Number(rate) * 1.2 + 1).toBeGreaterThan(keeps)
  expect(refuted).toBe(Math.ceil(Number(rate) * 1.2))
  // The last runs are two a fifth above, and one at the rate.
  expect(rates.slice(-3)).toEqual([refuted, refuted, rate])
  expect(rates.length).toBeLessThan(16)
})

test('a server that can do more than is tried, one that can do nothing, and a run that is over', async () => {
  const fast = await findKnee(50, limits, server(200_000, 200_000).step)
  expect(fast).toMatchObject({ rate: 100_000, refuted: null, confirmed: true })
  expect(await findKnee(50, limits, server(100, 0).step)).toMatchObject({ rate: null, confirmed: false })
  expect(await findKnee(50, limits, async () => null)).toMatchObject({ rate: null, confirmed: false })
})

test('one late run of a rate is noise; a saturated one is none', async () => {
  let runs = 0
  const late = (rate: number) => ((runs += 1) % 3 === 1 ? stepAt(rate, 80) : undefined)
  const noisy = await findKnee(50, limits, server(1200, 1000, late).step)
  expect(Number(noisy.rate)).toBeGreaterThan(800)
  const { rates, step } = server(100, 0, (rate) => stepAt(rate, 5, {}, rate > 20))
  await findKnee(50, limits, step)
  expect(rates.filter((rate, at) => rate > 20 && rates[at - 1] === rate)).toEqual([])
})

test('a machine on which nothing stays as it is: 16 steps, and what is known by then, unconfirmed', async () => {
  let runs = 0
  const { rates, step } = server(1000, 0, (rate) => stepAt(rate, (runs += 1) % 2 === 1 ? 80 : 5))
  const knee = await findKnee(50, limits, step)
  expect(rates).toHaveLength(15)
  expect(knee.confirmed).toBe(false)
})

test('connections are dealt to threads: whole pools where there are enough of them', () => {
  expect(dealt([10], 1)).toEqual([[10]])
  expect(dealt([5], 2)).toEqual([[2], [3]])
  expect(dealt([5, 5, 5], 2)).toEqual([[5, 5], [5]])
  expect(dealt([1, 1], 4)).toEqual([[1], [1]])
  const threads = (rate: number, connections: number) => threadsFor({ offers: [{ rate: 5 }, { rate }] }, connections)
  const many = Math.min(2, availableParallelism())
  expect([threads(2500, 10), threads(2501, 10), threads(2501, 7)]).toEqual([1, many, 1])
  expect(threadsFor({ offers: [{ users: 10, thinkMs: 0 }] }, 10)).toBe(many)
  expect(threadsFor({ findMs: 50 }, 10)).toBe(1)
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
