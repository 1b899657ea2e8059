import { expect, test } from 'vitest'
import { conditionColumns } from '../../src/measure/plan/columns.js'

test.each([
  ["((j.status)::text = 'a''b.c'::text)", { equal: ['status'], other: [], computed: [] }],
  ["((j.status = 'rare'::text) AND (j.total > '5'::numeric))", { equal: ['status'], other: ['total'], computed: [] }],
  ['($1 = j.id)', { equal: ['id'], other: [], computed: [] }],
  ['(j.id = c.job_id)', { equal: ['id'], other: [], computed: [] }],
  ["(lower((j.name)::text) = 'x'::text)", { equal: [], other: [], computed: ['name'] }],
  ["((j.at)::date = '2024-01-01'::date)", { equal: [], other: [], computed: ['at'] }],
  ["((j.total + '1'::numeric) = '5'::numeric)", { equal: [], other: [], computed: ['total'] }],
  ["((j.doc ->> 'k'::text) = 'v'::text)", { equal: [], other: [], computed: ['doc'] }],
  ['(j."Odd Name" IS NULL)', { equal: [], other: ['"Odd Name"'], computed: [] }],
  ["(x.j.status = 'a'::text)", { equal: [], other: [], computed: [] }],
])('%s', (condition, columns) => {
  expect(conditionColumns(condition, 'j')).toEqual(columns)
})

test('an alias that must be quoted', () => {
  expect(conditionColumns('("T.x".a = 1)', 'T.x').equal).toEqual(['a'])
})
