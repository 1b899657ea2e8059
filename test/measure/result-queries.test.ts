import { expect, test } from 'vitest'
import type { Measurement, QueryMeasurement } from '../../src/measure/sample/measurement.js'
import { readQueryPlan } from '../../src/measure/plan/query-plan.js'
import { toResultQueries } from '../../src/measure/query/result-queries.js'
import type { Query } from '../../src/profile/profile.js'
import { aQuery } from './a-query.js'

function measured(
  params: string | null,
  ms: number,
  index: string | null,
  more: Partial<Measurement> = {},
): Measurement {
  const node =
    index === null ? { 'Node Type': 'Seq Scan' } : { 'Node Type': 'Index Scan', 'Index Name': index, 'Actual Loops': 1 }
  return {
    params,
    status: 'measured',
    reason: null,
    sqlstate: null,
    timedOutMs: null,
    executionMs: Array.from({ length: 21 }, () => ms),
    controlMs: Array.from({ length: 21 }, () => 1),
    planningMs: 0.12345,
    rows: 5,
    buffers: { hit: index === null ? 1000 : 3, read: 0, temp: 0 },
    plan: readQueryPlan([{ Plan: node, 'Execution Time': ms }]),
    findings: [],
    tables: [],
    unchosen: [],
    ...more,
  }
}

function side(query: Query, ...measurements: Measurement[]): QueryMeasurement {
  return { query, measurements, variants: [], roundTripMs: null }
}

const expecting = aQuery('select 1', {
  expect: { uses: ['i'], speedup: 3, timeMs: 5, buffers: 200, forbid: ['SEQ_SCAN'] },
})

test('every expectation met', () => {
  const [document] = toResultQueries(
    [side(expecting, measured(null, 10, null))],
    [side(expecting, measured(null, 2, 'i'))],
  )
  expect(document).toMatchInlineSnapshot(`
    {
      "after": {
        "buffers": {
          "hit": 3,
          "read": 0,
          "temp": 0,
        },
        "execution_ms": {
          "high": 2,
          "low": 2,
          "median": 2,
        },
        "indexes": [
          "i",
        ],
        "plan_signature": "Index Scan on i",
        "planning_ms": 0.123,
        "query_plan": [
          {
            "buffers": 0,
            "depth": 0,
            "estimated_rows": 0,
            "loops": 1,
            "node": "Index Scan on i",
            "rows": 0,
            "self_ms": 0,
          },
        ],
        "rows": 5,
        "samples": 21,
        "spread_ms": {
          "least": 2,
          "lower": 2,
          "most": 2,
          "upper": 2,
        },
      },
      "before": {
        "buffers": {
          "hit": 1000,
          "read": 0,
          "temp": 0,
        },
        "execution_ms": {
          "high": 10,
          "low": 10,
          "median": 10,
        },
        "indexes": [],
        "plan_signature": "Seq Scan",
        "planning_ms": 0.123,
        "query_plan": [
          {
            "buffers": 0,
            "depth": 0,
            "estimated_rows": 0,
            "loops": 0,
            "node": "Seq Scan",
            "rows": 0,
            "self_ms": 0,
          },
        ],
        "rows": 5,
        "samples": 21,
        "spread_ms": {
          "least": 10,
          "lower": 10,
          "most": 10,
          "upper": 10,
        },
      },
      "expectations": [
        {
          "actual": "i",
          "expect": "index i",
          "met": true,
        },
        {
          "actual": "5.00x (4.55x to 5.50x), faster",
          "expect": "speedup of at least 3",
          "met": true,
        },
        {
          "actual": "2.0 ms",
          "expect": "median execution time of at most 5.0 ms",
          "met": true,
        },
        {
          "actual": "3 buffers",
          "expect": "at most 200 buffers",
          "met": true,
        },
        {
          "actual": "no SEQ_SCAN",
          "expect": "no SEQ_SCAN",
          "met": true,
        },
      ],
      "findings": [],
      "name": "q",
      "place": {
        "column": 5,
        "file": "p.yaml",
        "line": 3,
      },
      "speedup": {
        "high": 5.5,
        "low": 4.545,
        "median": 5,
      },
      "status": "measured",
      "verdict": "faster",
    }
  `)
})

test('every expectation missed, each an error with the place of the query', () => {
  const scan = { code: 'SEQ_SCAN', severity: 'warning', message: 'reads all of t' } as const
  const after = measured(null, 9, null, { findings: [scan] })
  const [document] = toResultQueries([side(expecting, measured(null, 10, null))], [side(expecting, after)])
  expect(document?.expectations).toMatchInlineSnapshot(`
    [
      {
        "actual": "no index",
        "expect": "index i",
        "met": false,
      },
      {
        "actual": "1.11x (1.01x to 1.22x), same (the same query plan with the same buffers)",
        "expect": "speedup of at least 3",
        "met": false,
      },
      {
        "actual": "9.0 ms",
        "expect": "median execution time of at most 5.0 ms",
        "met": false,
      },
      {
        "actual": "1,000 buffers",
        "expect": "at most 200 buffers",
        "met": false,
      },
      {
        "actual": "reads all of t",
        "expect": "no SEQ_SCAN",
        "met": false,
      },
    ]
  `)
  const missed = document?.findings.filter(({ code }) => code === 'EXPECTATION_MISSED') ?? []
  expect(missed).toHaveLength(5)
  expect(missed[0]).toEqual({
    code: 'EXPECTATION_MISSED',
    severity: 'error',
    query: 'q',
    place: { file: 'p.yaml', line: 3, column: 5 },
    message: 'expected index i, got no index',
  })
})

test('without a measurement before there is no verdict, and a speedup is not checked', () => {
  const [document] = toResultQueries(null, [side(expecting, measured(null, 2, 'i'))])
  expect(document).not.toHaveProperty('verdict')
  expect(document).not.toHaveProperty('before')
  expect(document?.expectations).toContainEqual({
    expect: 'speedup of at least 3',
    met: true,
    actual: 'not checked: nothing was measured before',
    not_checked: true,
  })
})

test('the worst parameter set meets the expectation or it is missed', () => {
  const [document] = toResultQueries(null, [side(expecting, measured('hot', 1, 'i'), measured('rare', 9, null))])
  expect(document).toMatchObject({ params: 'rare', after: { execution_ms: { median: 9 } } })
  expect(document?.expectations[0]).toEqual({ expect: 'index i', met: false, actual: 'no index (rare)' })
  expect(document?.expectations).toContainEqual(expect.objectContaining({ met: false, actual: '9.0 ms (rare)' }))
})

test('what failed meets nothing and says why', () => {
  const failed = measured('rare', 0, null, {
    status: 'failed',
    reason: 'division by zero',
    sqlstate: '22012',
    executionMs: [],
  })
  const [document] = toResultQueries(null, [side(expecting, measured('hot', 1, 'i'), failed)])
  expect(document).toMatchObject({ status: 'failed', reason: 'division by zero', params: 'rare' })
  expect(document).not.toHaveProperty('after')
  expect(document?.expectations.every(({ met, actual }) => !met && actual === 'division by zero (rare)')).toBe(true)
})

test('a query stopped by statement_timeout before was at least that slow', () => {
  const stopped = measured(null, 0, null, {
    status: 'not_measured',
    reason: 'stopped',
    timedOutMs: 30_000,
    executionMs: [],
  })
  const [document] = toResultQueries([side(expecting, stopped)], [side(expecting, measured(null, 2, 'i'))])
  expect(document).toMatchObject({ status: 'measured', verdict: 'faster', reason: 'before: stopped' })
  expect(document?.expectations[1]).toEqual({ expect: 'speedup of at least 3', met: true, actual: 'at least 15000x' })
})
