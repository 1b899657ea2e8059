import { expect, test } from 'vitest'
import type { Definition } from '../../src/definition/definition.js'
import { foldSql, hypotheticalIndexSql } from '../../src/sql/measure/what-if.js'

const plain: Definition = {
  name: 'by_status',
  table: { schema: 'public', name: 'jobs' },
  method: 'btree',
  keys: [{ column: 'status' }],
  include: [],
  unique: false,
  nullsDistinct: true,
  storage: {},
}

test('what costs the planner nothing is left out, and numbers are bare', () => {
  expect(
    hypotheticalIndexSql({
      ...plain,
      method: 'brin',
      keys: [{ column: 'status', opclass: 'text_bloom_ops', opclassParameters: { n_distinct_per_range: '5' } }],
      unique: true,
      nullsDistinct: false,
      storage: { pages_per_range: '4', autosummarize: 'on', fillfactor: '1; drop table jobs' },
      tablespace: 'fast',
      predicate: 'total > 5',
    }),
  ).toMatchInlineSnapshot(
    `"create unique index "by_status" on "public"."jobs" using "brin" ("status" "text_bloom_ops") with (pages_per_range = 4) where total > 5"`,
  )
  expect(hypotheticalIndexSql(plain)).toMatchInlineSnapshot(
    `"create index "by_status" on "public"."jobs" using "btree" ("status")"`,
  )
})

test('one scan that shows expressions and predicate as the planner simplifies them', () => {
  const keys = [{ column: 'status' }, { expression: 'lower(note)' }]
  expect(foldSql({ ...plain, keys, predicate: 'total > 5' })).toMatchInlineSnapshot(
    `"explain (verbose, format json) select (lower(note)) from only "public"."jobs" where total > 5"`,
  )
  expect(foldSql({ ...plain, predicate: 'total > 5' })).toMatchInlineSnapshot(
    `"explain (verbose, format json) select 1 from only "public"."jobs" where total > 5"`,
  )
})
