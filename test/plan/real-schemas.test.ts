import { expect, test } from 'vitest'
import type { Result } from '../../src/result/results.js'
import { render } from '../../src/report/render.js'
import { narrow } from '../report/documents.js'

import { apply, plan, verify } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { profileOf, profilesOf } from '../support/profile.js'

test('an index that became a constraint’s is one finding: it is not built a second time unless that is allowed', async () => {
  await using db = await testDatabase('create table t (a int not null, b int)')
  const profiles = await profileOf(['{ name: t_uidx, table: t, keys: [a], unique: true }'])
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
  await db.sql`alter table t add constraint t_pkey primary key using index t_uidx`
  const verified = await verify(db.url, profiles)
  expect(verified).toMatchObject({ exit_code: 1, findings: [{ code: 'BACKS_CONSTRAINT', index: 't_uidx' }] })
  expect(verified.findings[0]?.message).toBe('t_uidx exists as t_pkey, the index of the constraint t_pkey')
  expect((await plan(db.url, profiles)).findings).toMatchObject([{ code: 'BACKS_CONSTRAINT' }])
  const { result } = await apply(db.url, profiles)
  expect(result).toMatchObject({ exit_code: 1, steps: [{ outcome: 'kept' }], findings: [{ code: 'BACKS_CONSTRAINT' }] })
  const named = await profileOf(['{ name: t_pkey, table: t, keys: [a], unique: true }'])
  expect((await verify(db.url, named)).exit_code).toBe(0)
  expect((await apply(db.url, profiles, { allow: ['REDUNDANT'] })).result.steps).toMatchObject([{ outcome: 'built' }])
})

test('columns may be qualified by their table, as PostgreSQL takes them, on partitions too', async () => {
  await using db = await testDatabase(
    `create schema app; create table "user" (name text, gone bool, "Odd col" text, d int);
     create table app.t (v text, n int) partition by range (n); create table app.t1 partition of app.t for values from (0) to (9);`,
  )
  const definitions = [
    `{ name: i1, table: user, keys: [{ expression: 'lower("user".name)' }] }`,
    `{ name: i2, table: user, keys: [d], where: '"user".gone is false and public."user" . "Odd col" <> $$user.name$$' }`,
    `{ name: i3, table: app.t, keys: [{ expression: lower(app.t.v) }], where: 't.n /* t.v */ > 1' }`,
  ]
  const profiles = await profileOf(definitions)
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0 })
  expect((await verify(db.url, profiles)).exit_code).toBe(0)
  const sql = await db.sql<{ d: string }[]>`select pg_get_indexdef('i2'::regclass) as d`
  expect(sql[0]?.d).toContain(`WHERE ((gone IS FALSE) AND ("Odd col" <> 'user.name'::text))`)
  // Of another table, it is PostgreSQL's to refuse.
  const other = await profileOf(['{ name: i4, table: user, keys: [{ expression: lower(other.name) }] }'])
  await expect(plan(db.url, other)).rejects.toMatchObject({ code: 'BAD_DEFINITION' })
})

test('a table that was never analyzed: its rows are not known, what is built is estimated from its size', async () => {
  await using db = await testDatabase(
    `create table t (a int, b text) with (autovacuum_enabled = off); insert into t select n, 'text ' || n from generate_series(1, 60000) n;
     create table e (a int);
     create table p (a int, b text) partition by range (a); create table p1 partition of p for values from (0) to (100000) with (autovacuum_enabled = off); insert into p select * from t;`,
  )
  const profiles = await profileOf([
    '{ name: i, table: t, keys: [a] }',
    '{ name: e_i, table: e, keys: [a] }',
    '{ name: p_i, table: p, keys: [a] }',
  ])
  const planned = await plan(db.url, profiles)
  const steps = new Map(planned.steps.map((step) => [step.index, step]))
  expect(steps.get('i')).not.toHaveProperty('table_rows')
  expect(steps.get('p_i')).not.toHaveProperty('table_rows')
  expect(steps.get('e_i')).toMatchObject({ table_rows: 0 })
  expect(await renderText(planned)).toMatch(/i +t +\? +\d/)
  const hazards = await apply(db.url, profiles, { maxSizeBytes: 500_000 })
  expect(hazards.result.error?.detail?.match(/LARGE_BUILD/g)).toHaveLength(2)
  const { result } = await apply(db.url, profiles)
  for (const { index, predicted_bytes: predicted = 0, size_bytes: size = 0 } of result.steps) {
    if (index === 'e_i') continue
    expect(predicted / size).toBeGreaterThan(0.5)
    expect(predicted / size).toBeLessThan(2)
  }
})

test('data that a build cannot index: PostgreSQL’s own hint, and the data or the definition come first', async () => {
  await using db = await testDatabase(
    `create table t (n int, s text); insert into t values (60, 'x'), (50, (select string_agg(md5(g::text), '') from generate_series(1, 120) g)), (49, 'a')`,
  )
  const profiles = await profilesOf(
    'version: 1\nprofile: p\nindexes:\n  - { name: i_div, table: t, keys: [{ expression: 1 / (n - 49) }] }\n  - { name: i_wide, table: t, keys: [s] }\n',
  )
  const { result } = await apply(db.url, profiles, { allow: ['UNIQUE_BUILD'] })
  expect(result.exit_code).toBe(3)
  const errors = new Map(result.steps.map(({ index, error }) => [index, error]))
  expect(errors.get('i_div')).toMatchObject({ sqlstate: '22012' })
  expect(errors.get('i_wide')).toMatchObject({ sqlstate: '54000' })
  expect(errors.get('i_wide')?.hint).toContain('Values larger than 1/3 of a buffer page cannot be indexed')
  const text = await renderText(result)
  expect(text.match(/change the data or the definition first; then\s+perfdb apply/g)).toHaveLength(2)
})

test('TOO_WIDE: a row that a btree cannot hold is seen before the build; a narrow table is not even read', async () => {
  const long = (count: number) => `(select string_agg(md5(g::text), '') from generate_series(1, ${count}) g)`
  await using db = await testDatabase(
    `create table t (n int, s text, m text); insert into t values (1, 'x', 'y'), (2, ${long(120)}, 'y'), (3, repeat('a', 100000), 'y');
     create table p (n int, s text) partition by range (n); create table p1 partition of p for values from (0) to (9); insert into p select n, s from t;
     create table narrow (s text); insert into narrow values ('a')`,
  )
  const profiles = await profileOf([
    '{ name: i_s, table: t, keys: [n], include: [s] }',
    '{ name: i_part, table: t, keys: [s], where: n <> 2 }',
    '{ name: i_m, table: t, keys: [m] }',
    '{ name: i_expression, table: t, keys: [{ expression: s || s }] }',
    '{ name: i_hash, table: t, method: hash, keys: [s] }',
    '{ name: i_p, table: p, keys: [s] }',
    '{ name: i_narrow, table: narrow, keys: [s] }',
  ])
  const planned = await plan(db.url, profiles)
  const wide = planned.findings.filter(({ code }) => code === 'TOO_WIDE')
  expect(new Set(wide.map(({ index }) => index))).toEqual(new Set(['i_expression', 'i_p', 'i_s']))
  expect(wide.find(({ index }) => index === 'i_s')?.message).toMatch(
    /takes 38\d\d bytes in i_s, and a btree holds 2704: the build fails at it/,
  )
  expect(wide.find(({ index }) => index === 'i_s')?.hint).toContain("where ctid = '(0,2)'")
  const { result } = await apply(db.url, profiles)
  const failed = result.steps.filter(({ outcome }) => outcome === 'failed').map(({ index }) => index)
  expect(new Set(failed)).toEqual(new Set(['i_expression', 'i_p', 'i_s']))
})

function renderText(result: Result): Promise<string> {
  return render(result, 'text', narrow)
}
