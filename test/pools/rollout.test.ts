import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Deploy } from '../../src/pools/sums/model.js'
import { peakInstances } from '../../src/pools/sums/rollout.js'
import { podsAtWorst, seeded } from './simulate.js'

const rolling = (surge: number, unavailable: number, endsQuickly: boolean): Deploy => ({
  strategy: 'rolling',
  maxSurge: { instances: surge },
  maxUnavailable: { instances: unavailable },
  countTerminating: true,
  endsQuickly,
})

test('30 pods with 25 % and 25 %: 53 where ending is quicker than starting, 60 where it takes longer', () => {
  const simulated = (startup: number, termination: number) =>
    podsAtWorst(30, { surge: 8, unavailable: 7, startup: () => startup, termination: () => termination })
  expect(simulated(30, 10)).toBe(53)
  expect(simulated(10, 300)).toBe(60)
  const quarter = { percent: 25 }
  const deploy = { ...rolling(0, 0, true), maxSurge: quarter, maxUnavailable: quarter } as Deploy
  expect(peakInstances(30, deploy)).toBe(53)
  expect(peakInstances(30, rolling(8, 7, false))).toBe(60)
})

test('no simulated rollout is above the sum, and the slowest reach it', () => {
  const reached = new Set<boolean>()
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.nat({ max: 40 }),
      fc.nat({ max: 40 }),
      fc.boolean(),
      fc.integer(),
      (n, surge, unavailable, endsQuickly, seed) => {
        fc.pre(surge + unavailable > 0)
        const random = seeded(seed)
        const most = podsAtWorst(n, {
          surge,
          unavailable: Math.min(n, unavailable),
          startup: () => 10 + 20 * random(),
          termination: () => (endsQuickly ? 9 * random() : 10_000),
        })
        const sum = peakInstances(n, rolling(surge, unavailable, endsQuickly))
        if (most === sum) reached.add(endsQuickly)
        expect(most).toBeLessThanOrEqual(sum)
        if (!endsQuickly) expect(most).toBe(sum)
      },
    ),
    { numRuns: 300, seed: 7 },
  )
  expect(reached).toEqual(new Set([true, false]))
})

test('a surge alone, where the file says that ending instances do not count', () => {
  const deploy = { ...rolling(8, 7, false), countTerminating: false } as Deploy
  expect(peakInstances(30, deploy)).toBe(38)
  expect(peakInstances(3, { ...rolling(9, 0, false), countTerminating: false } as Deploy)).toBe(6)
})
