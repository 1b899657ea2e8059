import { expect, test } from 'vitest'
import { closedArrivals, openArrivals } from '../../src/commands/load/arrivals.js'
import { startPacer } from '../../src/commands/load/pacer.js'
import { percentile } from '../../src/commands/load/histogram.js'
import { makeTally, together } from '../../src/commands/load/tally.js'

const half = () => 0.5
const gap = Math.LN2

test('an open loop: arrivals do not wait for those before', () => {
  const arrivals = openArrivals(1000, 100, half)
  expect(arrivals.next()).toBeCloseTo(100 + gap)
  arrivals.take()
  expect(arrivals.next()).toBeCloseTo(100 + 2 * gap)
  expect(arrivals.ahead()[1]).toBeCloseTo(100 + 3 * gap)
  for (let taken = 1; taken < 40; taken += 1) arrivals.take()
  expect(arrivals.next()).toBeCloseTo(100 + 41 * gap)
})

test('a closed loop: who asked asks again when the answer came and they have thought', () => {
  const arrivals = closedArrivals(2, 10, 0, half)
  expect(arrivals.next()).toBeCloseTo(10 * gap)
  arrivals.take()
  arrivals.take()
  expect(arrivals.next()).toBe(Infinity)
  arrivals.over(500)
  arrivals.over(300)
  expect(arrivals.next()).toBeCloseTo(300 + 10 * gap)
  arrivals.take()
  expect(arrivals.next()).toBeCloseTo(500 + 10 * gap)
})

test('what was due before it counts is not counted; a failure is no latency; what we cancelled is nothing', () => {
  const tally = makeTally(1000, () => 3000, 50)
  const one = (asked: number, answered: number, code?: string) => {
    tally.sent(asked, asked + 1)
    tally.answered(asked, answered, code)
  }
  one(900, 1010)
  one(1020, 1040)
  one(1100, 1200)
  one(1200, 1210, '42P01')
  tally.sent(1300, 1301)
  tally.cancelled(1400)
  tally.skipped(1500, 2600)
  const measured = tally.measured(false)
  expect(measured).toMatchObject({ due: 4, answered: 2, late: 1, skipped: 1, seconds: 2 })
  expect([...measured.errors]).toEqual([['42P01', 1]])
  expect(measured.achieved).toBe(1)
  expect(measured.latency.count).toBe(3)
  expect(measured.seconds95).toHaveLength(2)
  expect(measured.busy).toBeCloseTo((10 + 19 + 99 + 9 + 99) / 2000, 5)
  const both = together([measured, measured])
  expect(both).toMatchObject({ due: 8, answered: 4, late: 2, skipped: 2, seconds: 2, achieved: 2 })
  expect([...both.errors]).toEqual([['42P01', 2]])
  expect(percentile(both.latency, 0.5)).toBe(percentile(measured.latency, 0.5))
})

test('the pacer wakes at each moment, a little early; a later call moves them, and nobody is woken for what is taken', async () => {
  const woken: number[] = []
  let wakeUp: () => void = () => undefined
  const pacer = await startPacer(() => {
    woken.push(performance.now())
    wakeUp()
  }, 0.1)
  const wake = async () => new Promise<void>((resolve) => (wakeUp = resolve))
  const now = performance.now()
  pacer.at([now + 10_000])
  pacer.at([now + 5.3, now + 200, now + 400])
  await wake()
  expect(woken[0]).toBeGreaterThan(now + 5.1)
  pacer.taken(now + 200)
  await wake()
  expect(woken[1]).toBeGreaterThan(now + 399)
  expect(Number(woken[1])).toBeLessThan(now + 9000)
  expect(woken).toHaveLength(2)
  await pacer.close()
})
