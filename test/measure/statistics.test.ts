import { array, assert, double, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { median, medianInterval, narrow, speedup } from '../../src/measure/sample/statistics.js'

const times = array(double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 })

test('median of odd and even numbers of samples', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([])).toBeNaN()
})

describe('interval of the median', () => {
  // Ranks and coverage from the table of Le Boudec, appendix A ("Tables"): 95 % interval for the median.
  test.each([
    [6, 1, 6, 0.969],
    [10, 2, 9, 0.979],
    [21, 6, 16, 0.973],
    [30, 10, 21, 0.957],
    [70, 27, 44, 0.959],
  ])('%i samples: order statistics %i and %i', (n, low, high, coverage) => {
    const interval = medianInterval(Array.from({ length: n }, (_, at) => at + 1))
    expect([interval.low, interval.high]).toEqual([low, high])
    expect(interval.coverage).toBeCloseTo(coverage, 3)
  })

  test('below 6 samples it is minimum to maximum and does not reach 95 %', () => {
    const interval = medianInterval([5, 1, 3])
    expect(interval).toMatchObject({ median: 3, low: 1, high: 5, samples: 3, coverage: 0.75 })
    expect(narrow({ ...interval, low: 3, high: 3 }, 0.1)).toBe(false)
  })

  test('thousands of samples do not underflow', () => {
    const { low, high, coverage } = medianInterval(Array.from({ length: 5001 }, (_, at) => at))
    expect(coverage).toBeGreaterThanOrEqual(0.95)
    expect(coverage).toBeLessThan(0.96)
    expect(high - low).toBeLessThan(150)
  })

  test('it covers the true median as often as it says', () => {
    let seed = 1
    const random = () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return seed / 2 ** 32
    }
    const runs = 2000
    let covered = 0
    for (let run = 0; run < runs; run += 1) {
      // Exponential: skewed as times are; its median is ln 2.
      const { low, high } = medianInterval(Array.from({ length: 25 }, () => -Math.log(1 - random())))
      if (low <= Math.LN2 && Math.LN2 <= high) covered += 1
    }
    expect(covered / runs).toBeGreaterThan(0.94)
    expect(covered / runs).toBeLessThan(0.98)
  })
})

describe('speedup', () => {
  test('law: speedup(a, b) x speedup(b, a) = 1, ends swapped', () => {
    assert(
      property(times, times, times, times, (a, b, ca, cb) => {
        const there = speedup(a, b, { before: ca, after: cb })
        const back = speedup(b, a, { before: cb, after: ca })
        expect(there.median * back.median).toBeCloseTo(1, 9)
        expect(there.low * back.high).toBeCloseTo(1, 9)
        expect(there.high * back.low).toBeCloseTo(1, 9)
        expect(there.low).toBeLessThanOrEqual(there.median)
        expect(there.high).toBeGreaterThanOrEqual(there.median)
      }),
    )
  })

  test('a control that slowed down as much explains the difference away', () => {
    const fast = Array.from({ length: 21 }, (_, at) => 10 + at / 100)
    const slow = fast.map((value) => value * 2)
    expect(speedup(slow, fast).low).toBeGreaterThan(1.9)
    const corrected = speedup(slow, fast, { before: slow, after: fast })
    expect(corrected.median).toBeCloseTo(1, 9)
    expect(corrected.low).toBeLessThan(1)
    expect(corrected.high).toBeGreaterThan(1)
  })

  test('too few samples are not sound, and 0 ms is the resolution of the clock', () => {
    expect(speedup([10, 10, 10], [1, 1, 1])).toMatchObject({ sound: false })
    expect(speedup([10], [0]).median).toBeCloseTo(10_000, 6)
  })
})
