import { expect, test } from 'vitest'
import { closedArrivals, openArrivals } from '../../src/commands/load/arrivals.js'
import { startPacer } from '../../src/commands/load/pacer.js'
import { makeTally } from '../../src/commands/load/tally.js'

const half = () => 0.5
const gap = Math.LN2

test('an open loop: arrivals do not wait for those before', () => {
  const arrivals = openArrivals(1000, 100, half)
  expect(arrivals.next()).toBeCloseTo(100 + gap)
  arrivals.take()
  expect(arrivals.next()).toBeCloseTo(100 + 2 * gap)
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
  expect(measured.latency.count).toBe(3)
  expect(measured.seconds95).toHaveLength(2)
  expect(measured.busy).toBeCloseTo((10 + 19 + 99 + 9 + 99) / 2000, 5)
})

test('the pacer wakes at the moment and not before, and a later call moves it', async () => {
  const woken: number[] = []
  let wakeUp: () => void = () => undefined
  const pacer = await startPacer(() => {
    woken.push(performance.now())
    wakeUp()
  })
  const moments = [performance.now() + 10_000, performance.now() + 5.3]
  const woke = new Promise<void>((resolve) => (wakeUp = resolve))
  for (const moment of moments) pacer.at(moment)
  await woke
  expect(woken).toHaveLength(1)
  expect(Number(woken[0])).toBeGreaterThanOrEqual(Number(moments[1]))
  expect(Number(woken[0])).toBeLessThan(Number(moments[0]) - 1000)
  await pacer.close()
})
