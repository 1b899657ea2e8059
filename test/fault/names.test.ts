import { expect, test } from 'vitest'
import { apply, plan, verify } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { intercepted, once } from '../support/intercept.js'
import { openTransaction, type Open } from '../support/leftover.js'
import { profileOf, profilesOf } from '../support/profile.js'
import { until } from '../support/slow.js'

const table = `create table t (a int, b text, d timestamptz); insert into t select n, 'b' || n, now() from generate_series(1, 50) n;`

test('fault 40: two schemas have an index of one name: each is built and dropped in its own', async () => {
  await using db = await testDatabase(
    `create schema one; create schema two; create table one.t (a int, b int); create table two.t (a int, b int);
     create index same on two.t (a); create index gone on one.t (b); create index gone on two.t (b);
     do $$ begin execute format('alter database %I set search_path = two, one', current_database()); end $$`,
  )
  const profiles = await profilesOf(
    `version: 1\nprofile: one\nschema: one\nindexes: [{ name: same, table: t, keys: [a] }]\nabsent: [gone]\n`,
  )
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
  const left =
    await db.sql`select schemaname || '.' || indexname as name from pg_indexes where tablename = 't' order by 1`
  expect(left.map((row) => row['name'])).toEqual(['one.same', 'two.gone', 'two.same'])
})

test.each([
  ['an index of another table', 'create table other (x int); create index i on other (x)', 'other'],
  ['a table', 'create table i (x int)', undefined],
])('fault 40: %s that takes the name between plan and build stays as it is', async (_, make, onTable) => {
  await using db = await testDatabase(table)
  const connect = intercepted(
    db.url,
    once('ddl', /^create index concurrently/, async () => void (await db.sql.unsafe(make))),
  )
  const { result } = await apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']), { connect })
  expect(result).toMatchObject({
    exit_code: 3,
    steps: [{ outcome: 'failed', error: { code: 'CHANGED', sqlstate: '42P07' } }],
  })
  const [left] =
    await db.sql`select c.relkind, (select indrelid::regclass::text from pg_index where indexrelid = c.oid) as on
    from pg_class c where relname = 'i'`
  expect(left).toEqual({ relkind: onTable === undefined ? 'r' : 'i', on: onTable ?? null })
})

test('fault 40: two that take the name at the same moment: the loser says so, and is no case of duplicate keys', async () => {
  await using db = await testDatabase(table)
  let other: Open | undefined
  const connect = intercepted(
    db.url,
    once('ddl', /^create unique index concurrently/, async () => {
      other = await openTransaction(db.sql, 'begin', 'create table i (x int)')
    }),
  )
  const running = apply(db.url, await profileOf(['{ name: i, table: t, keys: [a], unique: true }']), { connect })
  await until(
    'the build waits for the other',
    async () =>
      other !== undefined &&
      (
        await db.sql`select 1 where ${other.pid} = any (pg_blocking_pids((select pid from pg_stat_activity where application_name = 'perfdb ddl' and datname = current_database())))`
      ).length > 0,
  )
  await other?.run('commit')
  await other?.end()
  expect((await running).result).toMatchObject({
    exit_code: 3,
    steps: [{ outcome: 'failed', error: { code: 'CHANGED', sqlstate: '23505' } }],
  })
})

test('fault 40: an index that is declared absent and is the one to be renamed is renamed, not dropped', async () => {
  await using db = await testDatabase(`${table} create index old_name on t (a)`)
  const profiles = await profileOf(['{ name: new_name, table: t, keys: [a] }'], 'absent: [old_name]\n')
  expect((await apply(db.url, profiles, { allow: ['RENAME'] })).result).toMatchObject({
    exit_code: 0,
    steps: [{ step: 'adopt', outcome: 'renamed' }],
  })
  expect((await verify(db.url, profiles)).exit_code).toBe(0)
})

test('fault 41: the same name with another definition is told as drift, whichever part of it differs', async () => {
  await using db = await testDatabase(`${table}
    create index i1 on t (a); create index i2 on t (b text_pattern_ops); create index i3 on t (lower(b));
    create index i4 on t (a) where b = 'x'; create index i5 on t (a) include (b); create unique index i6 on t (a);
    create index i7 on t using hash (a); create index i8 on t (a) with (fillfactor = 50); create index i9 on t (a desc)`)
  const names = Array.from({ length: 9 }, (_, at) => `i${at + 1}`)
  const profiles = await profileOf(names.map((name) => `{ name: ${name}, table: t, keys: [b, d] }`))
  const { findings } = await verify(db.url, profiles)
  expect(findings.flatMap(({ code, index }) => (code === 'DIFFERS' ? [index] : []))).toEqual(names)
})

test('fault 41: the same definition in other words is no drift', async () => {
  await using db = await testDatabase(`${table}
    create index i on t (lower(b)) where b in ('x', 'y') and a is not null and d > '2020-01-01 00:00:00+00'`)
  const profiles = await profileOf([
    `{ name: i, table: t, keys: [{ expression: "LOWER( b::text )" }], where: "(b = any (array['x'::text, 'y'])) AND NOT a IS NULL AND d > timestamptz '2020-01-01 00:00:00+00'" }`,
  ])
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'replace' }])
  const same = await profileOf([
    `{ name: i, table: t, keys: [{ expression: "LOWER( b )" }], where: "b IN ('x','y') AND (a IS NOT NULL) AND d > '2020-01-01 00:00:00+00'::timestamptz" }`,
  ])
  expect((await plan(db.url, same)).steps).toMatchObject([{ step: 'keep' }])
})

test('fault 11: an index without a name is refused: unnamed ones pile up under new names at each failure', async () => {
  await expect(profileOf(['{ table: t, keys: [a] }'])).rejects.toMatchObject({ message: expect.stringMatching(/name/) })
})

test.each([
  ['64 bytes', 'x'.repeat(64)],
  ['36 characters of two bytes', 'ü'.repeat(36)],
])('fault 42: a name of %s is refused, never cut', async (_, name) => {
  await expect(profileOf([`{ name: ${name}, table: t, keys: [a] }`])).rejects.toMatchObject({ code: 'NAME_TOO_LONG' })
})

test.each(['x'.repeat(63), 'we"ird Név.x', 'UPPER', 'select', "it's; drop table t --", 'tab\\tand $1', '\\u00fc'])(
  'fault 42: %s is built under that very name, found again, replaced and dropped',
  async (name) => {
    await using db = await testDatabase(table)
    const text = JSON.stringify(name)
    const profiles = await profileOf([`{ name: ${text}, table: t, keys: [a] }`])
    expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
    expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep' }])
    const other = await profileOf([`{ name: ${text}, table: t, keys: [d] }`])
    expect((await apply(db.url, other, { allow: ['REPLACE'] })).result.exit_code).toBe(0)
    expect(
      (await db.sql`select indexname from pg_indexes where tablename = 't'`).map((row) => row['indexname']),
    ).toEqual([name])
    expect(
      (await apply(db.url, await profileOf([], `absent: [{ schema: public, name: ${text} }]\n`))).result.exit_code,
    ).toBe(0)
    expect(await db.sql`select 1 from pg_indexes where tablename = 't'`).toHaveLength(0)
  },
)
