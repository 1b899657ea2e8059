import { expect, test } from 'vitest'
import { planDocument } from '../../src/measure/plan/plan-document.js'
import { readQueryPlan } from '../../src/measure/plan/query-plan.js'

/** As EXPLAIN (ANALYZE, FORMAT JSON) of PostgreSQL prints it, with what is needed here. */
const explained = [
  {
    Plan: {
      'Node Type': 'Nested Loop',
      'Join Type': 'Inner',
      'Plan Rows': 10,
      'Actual Rows': 8,
      'Actual Loops': 1,
      'Actual Total Time': 5,
      'Shared Hit Blocks': 30,
      'Shared Read Blocks': 2,
      'Join Filter': '(a.x < b.x)',
      Plans: [
        {
          'Node Type': 'Seq Scan',
          'Parent Relationship': 'Outer',
          'Relation Name': 'a',
          'Plan Rows': 4,
          'Actual Rows': 4,
          'Actual Loops': 1,
          'Actual Total Time': 1,
          'Shared Hit Blocks': 10,
          Filter: '(status = $1)',
          'Rows Removed by Filter': 96,
          Plans: [
            {
              'Node Type': 'Result',
              'Parent Relationship': 'InitPlan',
              'Subplan Name': 'InitPlan 1',
              'Plan Rows': 1,
              'Actual Rows': 1,
              'Actual Loops': 1,
              'Actual Total Time': 0.5,
            },
          ],
        },
        {
          'Node Type': 'Index Scan',
          'Parent Relationship': 'Inner',
          'Relation Name': 'b',
          'Index Name': 'b_x',
          'Plan Rows': 2,
          'Actual Rows': 2,
          'Actual Loops': 4,
          'Actual Total Time': 0.75,
          'Index Cond': `(id = ANY ('{${'1,'.repeat(500)}}'))`,
        },
      ],
    },
    'Planning Time': 0.1,
    'Execution Time': 5.1,
  },
]

test('nodes in pre-order with their depth, as EXPLAIN says them', () => {
  const nodes = planDocument(readQueryPlan(explained)) ?? []
  expect(nodes.map(({ depth, node }) => [depth, node])).toEqual([
    [0, 'Nested Loop'],
    [1, 'Seq Scan a'],
    [2, 'InitPlan 1: Result'],
    [1, 'Index Scan b using b_x'],
  ])
  expect(nodes[0]).toEqual({
    depth: 0,
    node: 'Nested Loop',
    estimated_rows: 10,
    rows: 8,
    loops: 1,
    // 5 ms less 1 ms of the scan and 4 times 0.75 ms of the index scan.
    self_ms: 1,
    buffers: 32,
    conditions: ['Join Filter: (a.x < b.x)'],
  })
  expect(nodes[1]?.conditions).toEqual(['Filter: (status = $1)', 'Rows Removed by Filter: 96'])
  expect(nodes[3]).toMatchObject({ rows: 2, loops: 4, self_ms: 3 })
  expect(nodes[3]?.conditions?.[0]).toHaveLength('Index Cond: '.length + 300 + '...'.length)
})

test('without a query plan there is no document of one', () => {
  expect(planDocument(null)).toBeNull()
})
