import { expect, test } from 'vitest'
import { compare, compareMeasurements } from '../../src/measure/sample/compare.js'
import type { Measurement, QueryMeasurement } from '../../src/measure/sample/measurement.js'
import { readQueryPlan } from '../../src/measure/plan/query-plan.js'
import { aQuery } from './a-query.js'

function around(ms: number): readonly number[] {
  return Array.from({ length: 21 }, (_, at) => ms * (1 + (at - 10) / 500))
}

function measured(more: Partial<Measurement> & { readonly scan?: string } = {}): Measurement {
  const { scan = 'Seq Scan', ...rest } = more
  return {
    params: null,
    status: 'measured',
    reason: null,
    sqlstate: null,
    timedOutMs: null,
    executionMs: around(10),
    controlMs: around(1),
    planningMs: 0.1,
    rows: 7,
    buffers: { hit: 900, read: 100, temp: 0 },
    plan: readQueryPlan([{ Plan: { 'Node Type': scan }, 'Execution Time': 1 }]),
    findings: [],
    tables: [],
    unchosen: [],
    ...rest,
  }
}

const few = { hit: 3, read: 1, temp: 0 }
const wide = [...around(1), ...around(100)]

test.each<[string, Measurement, Measurement, string]>([
  ['twice as fast', measured(), measured({ executionMs: around(5), scan: 'Index Scan' }), 'faster'],
  ['twice as slow', measured(), measured({ executionMs: around(20), scan: 'Index Scan' }), 'slower'],
  ['5 % faster claims nothing', measured(), measured({ executionMs: around(9.5), scan: 'Index Scan' }), 'inconclusive'],
  ['same query plan and buffers, twice as fast', measured(), measured({ executionMs: around(5) }), 'same'],
  [
    'blocks moved into shared buffers',
    measured(),
    measured({ executionMs: around(5), buffers: { hit: 1000, read: 0, temp: 0 } }),
    'same',
  ],
  ['the same query plan, other buffers', measured(), measured({ executionMs: around(5), buffers: few }), 'faster'],
  [
    'an empty table: 2 buffers, then none, and 1.3 times as fast',
    measured({ executionMs: around(0.015), buffers: { hit: 2, read: 0, temp: 0 } }),
    measured({ executionMs: around(0.011), buffers: { hit: 0, read: 0, temp: 0 }, scan: 'Index Scan' }),
    'same',
  ],
  [
    'the same query plan, 8 of 20 buffers fewer',
    measured({ buffers: { hit: 20, read: 0, temp: 0 } }),
    measured({ executionMs: around(5), buffers: { hit: 12, read: 0, temp: 0 } }),
    'same',
  ],
  [
    'the same query plan, 9 % of the buffers fewer',
    measured(),
    measured({ executionMs: around(5), buffers: { hit: 920, read: 0, temp: 0 } }),
    'same',
  ],
  [
    'another query plan, twice as fast by 0.05 ms',
    measured({ executionMs: around(0.1), buffers: few }),
    measured({ executionMs: around(0.05), buffers: few, scan: 'Index Scan' }),
    'same',
  ],
  [
    'by 0.05 ms, with hardly any buffers left',
    measured({ executionMs: around(0.1) }),
    measured({ executionMs: around(0.05), buffers: few, scan: 'Index Scan' }),
    'faster',
  ],
  ['other rows', measured(), measured({ executionMs: around(1), rows: 6, scan: 'Index Scan' }), 'inconclusive'],
  [
    'noisy, but hardly any buffers',
    measured({ executionMs: wide }),
    measured({ executionMs: around(9), buffers: few }),
    'faster',
  ],
  [
    'noisy, buffers the other way',
    measured({ buffers: few, executionMs: around(9) }),
    measured({ executionMs: wide }),
    'slower',
  ],
  [
    'noisy, buffers fell, point estimate below 1',
    measured({ executionMs: around(5) }),
    measured({ executionMs: wide, buffers: few }),
    'inconclusive',
  ],
  [
    'one sample each claims nothing by time',
    measured({ executionMs: [100] }),
    measured({ executionMs: [1], scan: 'Index Scan' }),
    'inconclusive',
  ],
  [
    'the machine got faster as much',
    measured({ controlMs: around(2) }),
    measured({ executionMs: around(5), scan: 'Index Scan' }),
    'inconclusive',
  ],
])('%s', (_, before, after, verdict) => {
  expect(compareMeasurements(before, after).verdict).toBe(verdict)
})

const opposite = { faster: 'slower', slower: 'faster', same: 'same', inconclusive: 'inconclusive' } as const

test('the verdict turns round with its sides', () => {
  const sides = [
    measured(),
    measured({ executionMs: around(5), scan: 'Index Scan' }),
    measured({ executionMs: wide, buffers: few }),
  ]
  for (const a of sides) {
    for (const b of sides) expect(compareMeasurements(b, a).verdict).toBe(opposite[compareMeasurements(a, b).verdict])
  }
})

test('a query that ran into statement_timeout before takes at least that long', () => {
  const stopped = measured({ status: 'not_measured', reason: 'stopped', timedOutMs: 30_000, executionMs: [] })
  expect(compareMeasurements(stopped, measured())).toMatchObject({
    verdict: 'faster',
    speedup: null,
    reason: 'before: stopped',
  })
  expect(compareMeasurements(measured(), stopped)).toMatchObject({ verdict: 'slower' })
  expect(compareMeasurements(stopped, stopped)).toMatchObject({ verdict: 'inconclusive' })
})

test('the worst parameter set decides', () => {
  const side = (hot: number, rare: number): QueryMeasurement => ({
    query: aQuery('select 1'),
    measurements: [
      measured({ params: 'hot', executionMs: around(hot), scan: String(hot) }),
      measured({ params: 'rare', executionMs: around(rare), scan: String(rare) }),
    ],
    variants: [],
    roundTripMs: null,
  })
  expect(compare(side(10, 10), side(1, 20))).toMatchObject({ verdict: 'slower', after: { params: 'rare' } })
  expect(compare(side(10, 10), side(1, 2))).toMatchObject({ verdict: 'faster', after: { params: 'rare' } })
  expect(compare(side(10, 10), { ...side(1, 1), measurements: [] })).toBeNull()
})
