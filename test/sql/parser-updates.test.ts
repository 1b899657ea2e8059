import { expect, test } from 'vitest'
import { updatedColumns } from '../../src/sql/parser/parser-updates.js'

test('columns that a statement sets, as pg_stat_statements keeps its text', async () => {
  expect(
    await updatedColumns('update only public.t as x set a = $1, (b, "C d") = (select 1, 2) where id = $2'),
  ).toEqual([{ schema: 'public', table: 't', columns: ['a', 'b', 'C d'] }])
  expect(await updatedColumns('insert into s (id) values ($1) on conflict (id) do update set seen = now()')).toEqual([
    { schema: null, table: 's', columns: ['seen'] },
  ])
  expect(await updatedColumns('with u as (update q set z = 1 returning *) select * from u')).toEqual([
    { schema: null, table: 'q', columns: ['z'] },
  ])
  expect(await updatedColumns('select update from set')).toEqual([])
  expect(await updatedColumns('insert into s (id) values ($1)')).toEqual([])
})
