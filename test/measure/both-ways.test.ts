import { expect, test } from 'vitest'
import type { QueryPlan } from '../../src/measure/plan/query-plan.js'
import { runBothWays } from '../../src/measure/sample/both-ways.js'

/** Runs that take as long as `ms` says of the number of the run. */
function ways(asIs: (run: number) => number, other: (run: number) => number) {
  let run = 0
  const way = (ms: (run: number) => number) => async () => ({ executionMs: ms((run += 1)) }) as QueryPlan
  return { asIs: way(asIs), other: way(other), runs: () => run }
}

const quicker = ({ low, high }: { readonly low: number; readonly high: number }) => low >= 1.1 || high < 1.1

test('a neighbour that comes or goes in between turns no verdict round', async () => {
  for (let from = 0; from < 26; from += 1)
    for (const slow of [1, 3]) {
      const load = (run: number) => (run > from ? slow : 4 - slow)
      const { asIs, other } = ways(
        (run) => 3 * load(run),
        (run) => 5 * load(run),
      )
      expect((await runBothWays(asIs, other, 10_000, quicker))?.low, `${slow} from run ${from + 1} on`).toBeLessThan(
        1.1,
      )
    }
})

test.each([
  ['far quicker', 10, 1, 3, [10, 10]],
  ['far slower', 1, 10, 3, [0.1, 0.1]],
  ['quicker', 2.8, 2, 6, [1.4, 1.4]],
  ['about the same', 100, 100, 6, [1, 1]],
])('%s: %d ms and %d ms in %d rounds', async (_, asIsMs, otherMs, runs, [low = 0, high = 0]) => {
  const { asIs, other } = ways(
    () => asIsMs,
    () => otherMs,
  )
  const both = await runBothWays(asIs, other, 10_000, quicker)
  expect(both).toEqual({ asIs: asIsMs, other: otherMs, runs, low: expect.closeTo(low), high: expect.closeTo(high) })
})

test('what cannot be told in the time is not told', async () => {
  const { asIs, other } = ways(
    () => 2.8,
    () => 2,
  )
  const both = await runBothWays(asIs, other, 0, quicker)
  expect(both).toMatchObject({ runs: 3, low: 0, high: Number.POSITIVE_INFINITY })
})

test('what no number of runs tells ends after 24 rounds', async () => {
  const { asIs, other } = ways(
    (run) => (Math.ceil(run / 2) % 2 === 1 ? 1 : 4),
    (run) => (Math.ceil(run / 2) % 2 === 1 ? 4 : 1),
  )
  const both = await runBothWays(asIs, other, 10_000, quicker)
  expect(both?.runs).toBe(24)
  expect(both).toMatchObject({
    low: expect.toSatisfy((low: number) => low < 1.1),
    high: expect.toSatisfy((high: number) => high > 1.1),
  })
})
