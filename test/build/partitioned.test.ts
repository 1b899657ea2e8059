import { expect, test } from 'vitest'
import { apply, plan, verify } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { allValid, ordersTable, treeOf, validity } from '../support/partitions.js'
import { profileOf } from '../support/profile.js'

const byNote = '{ name: i_note, table: orders, keys: [note, { column: id, order: desc }] }'

test('a partitioned table of two levels: ON ONLY, each leaf concurrently, attached bottom up; then all is kept', async () => {
  await using db = await testDatabase(ordersTable)
  const profiles = await profileOf([byNote])
  const planned = await plan(db.url, profiles)
  expect(planned.steps).toMatchObject([
    { step: 'create', table: 'orders', reason: 'missing: built on each of its 4 partitions, then attached' },
  ])
  expect(planned.steps[0]?.sql.filter((sql) => !/^(begin|commit|set local)/.test(sql))).toMatchInlineSnapshot(`
    [
      "create index "i_note" on only "public"."orders" using "btree" ("note", "id" desc)",
      "create index "i_note_p_2025_291504b3" on only "public"."p_2025" using "btree" ("note", "id" desc)",
      "create index concurrently "i_note_p_2023_15eadbd4" on "public"."p_2023" using "btree" ("note", "id" desc)",
      "create index concurrently "i_note_p_2024_db85f3c3" on "public"."p_2024" using "btree" ("note", "id" desc)",
      "create index concurrently "i_note_p_2025_even_984e6932" on "public"."p_2025_even" using "btree" ("note", "id" desc)",
      "create index concurrently "i_note_p_2025_odd_8305727d" on "public"."p_2025_odd" using "btree" ("note", "id" desc)",
      "alter index "public"."i_note_p_2025_291504b3" attach partition "public"."i_note_p_2025_even_984e6932"",
      "alter index "public"."i_note_p_2025_291504b3" attach partition "public"."i_note_p_2025_odd_8305727d"",
      "alter index "public"."i_note" attach partition "public"."i_note_p_2023_15eadbd4"",
      "alter index "public"."i_note" attach partition "public"."i_note_p_2024_db85f3c3"",
      "alter index "public"."i_note" attach partition "public"."i_note_p_2025_291504b3"",
    ]
  `)
  const { result } = await apply(db.url, profiles)
  expect(result.steps).toMatchObject([{ outcome: 'built', state: 'valid' }])
  expect(result.steps[0]?.error).toBeUndefined()
  expect(result).toMatchObject({ exit_code: 0, analyzed: [{ table: 'public.orders', ok: true }] })
  expect(result.steps[0]?.size_bytes).toBeGreaterThan(4 * 8192 - 1)
  expect(await validity(db.sql, 'i_note')).toEqual(allValid)
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep', sql: [] }])
  expect(await verify(db.url, profiles)).toMatchObject({ exit_code: 0, findings: [] })
  const before = await treeOf(db.sql, 'i_note')
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'kept' }] })
  expect(await treeOf(db.sql, 'i_note')).toEqual(before)
})
