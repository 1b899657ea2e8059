import { expect, test } from 'vitest'
import type { QueryPlan } from '../../src/measure/plan/query-plan.js'
import { runBothWays } from '../../src/measure/why/both-ways.js'

/** Runs that take as long as `ms` says of the number of the run. */
function ways(asIs: (run: number) => number, other: (run: number) => number) {
  let run = 0
  const way = (ms: (run: number) => number) => async () => ({ executionMs: ms((run += 1)) }) as QueryPlan
  return { asIs: way(asIs), other: way(other), runs: () => run }
}

test('a neighbour that comes or goes in between turns no verdict round', async () => {
  for (let from = 0; from < 26; from += 1)
    for (const slow of [1, 3]) {
      const load = (run: number) => (run > from ? slow : 4 - slow)
      const { asIs, other } = ways(
        (run) => 3 * load(run),
        (run) => 5 * load(run),
      )
      expect((await runBothWays(asIs, other, 10_000))?.faster, `${slow} from run ${from + 1} on`).not.toBe(true)
    }
})

test.each([
  ['far quicker', 10, 1, 3, true],
  ['far slower', 1, 10, 3, false],
  ['quicker', 3, 2, 6, true],
  ['about the same', 100, 95, 6, false],
])('%s: %d ms and %d ms in %d rounds', async (_, asIsMs, otherMs, rounds, faster) => {
  const { asIs, other } = ways(
    () => asIsMs,
    () => otherMs,
  )
  expect(await runBothWays(asIs, other, 10_000)).toEqual({ asIs: asIsMs, other: otherMs, runs: rounds, faster })
})

test('what cannot be told in the time is not told, and what is not worth it is run once', async () => {
  const unclear = ways(
    () => 3,
    () => 2,
  )
  expect(await runBothWays(unclear.asIs, unclear.other, 0)).toMatchObject({ runs: 3, faster: null })
  const slower = ways(
    () => 3,
    () => 2,
  )
  expect(await runBothWays(slower.asIs, slower.other, 0, (ms) => ms < 1)).toBeNull()
  expect(slower.runs()).toBe(1)
})
