import { expect, test } from 'vitest'
import type { RunEvent } from '../../src/build/events.js'
import { runVerify } from '../../src/commands/apply/plan.js'
import type { Profile } from '../../src/profile/profile.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { serverMajor } from '../support/major.js'
import { profileOf } from '../support/profile.js'
import { testRole } from '../support/roles.js'

async function deep(url: string, profiles: readonly Profile[]) {
  const events: RunEvent[] = []
  await using session = await connectTo(url, 'look')
  const options = { allow: new Set<never>(), prune: false, maxWaitMs: 600_000, maxSizeBytes: 1e12 }
  const looked = { signal: new AbortController().signal, listener: (event: RunEvent) => events.push(event) }
  const { exit_code, findings } = await runVerify(session, profiles, { ...options, deep: looked })
  return { exit_code, findings, told: events.flatMap((event) => (event.type === 'stage' ? [event.message] : [])) }
}

test('collations whose version moved: which indexes, of the database and of their own, in keys, predicates and partitions; and the command', async () => {
  await using db = await testDatabase(`create collation own (provider = icu, locale = 'de');
    create table t (a text, b text collate own, c text collate "C", n int); insert into t select n, n, n, n from generate_series(1, 500) n;
    create index i_own on t (b); create index i_c on t (c); create index i_n on t (n); create index i_hash on t using hash (b);
    create index i_where on t (n) where b > 'x'; create index i_default on t (a);
    create table p (k int, b text collate own) partition by range (k); create table p1 partition of p for values from (0) to (9); create index p_b on p (b);
    analyze`)
  const profiles = await profileOf(['{ name: i_own, table: t, keys: [b] }', '{ name: p_b, table: p, keys: [b] }'])
  expect(await deep(db.url, profiles)).toMatchObject({ exit_code: 0 })
  await db.sql`update pg_collation set collversion = '1.2.3' where collname = 'own'`
  const { exit_code, findings } = await deep(db.url, profiles)
  expect(exit_code).toBe(1)
  const moved = findings.filter(({ code }) => code === 'COLLATION_MOVED')
  expect(moved.map(({ index }) => index)).toEqual(['i_own', 'i_where', 'p1_b_idx'])
  expect(moved[0]?.message).toMatch(
    /^i_own is ordered by the collation public\.own, whose version was 1\.2\.3 and is \d/,
  )
  expect(moved.map(({ hint }) => hint)).toEqual([
    'perfdb apply --reindex public.i_own; once all such indexes are rebuilt: alter collation public.own refresh version',
    'reindex index concurrently "public"."i_where"; once all such indexes are rebuilt: alter collation public.own refresh version',
    'reindex index concurrently "public"."p1_b_idx"; once all such indexes are rebuilt: alter collation public.own refresh version',
  ])
  if (serverMajor < 15) return
  const [own] = await db.sql`select datcollversion as version from pg_database where datname = current_database()`
  // With a C library that has no versions nothing can move.
  if (own?.['version'] === null) return
  await db.sql`update pg_database set datcollversion = '0' where datname = current_database()`
  expect(
    (await deep(db.url, profiles)).findings.filter(({ code }) => code === 'COLLATION_MOVED').map(({ index }) => index),
  ).toContain('i_default')
})

test('amcheck: a btree whose order is broken is found, the others are good; who may not call it is told', async () => {
  await using db = await testDatabase(`create extension amcheck;
    create function cmp(int, int) returns int language sql immutable as 'select case when $1 < $2 then -1 when $1 > $2 then 1 else 0 end';
    create operator class wilful for type int using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 cmp(int, int);
    create table t (a int, b int); insert into t select n, n from generate_series(1, 2000) n;
    create index broken on t (a wilful); create index good on t (b); analyze t`)
  const profiles = await profileOf([
    '{ name: broken, table: t, keys: [{ column: a, opclass: public.wilful }] }',
    '{ name: good, table: t, keys: [b] }',
  ])
  const before = await deep(db.url, profiles)
  expect(before).toMatchObject({ exit_code: 0, findings: [] })
  expect(before.told[0]).toMatch(/^checking public\.\w+ \(1 of 2, \d/)
  await db.sql`create or replace function cmp(int, int) returns int language sql immutable as 'select case when $1 > $2 then -1 when $1 < $2 then 1 else 0 end'`
  const { exit_code, findings } = await deep(db.url, profiles)
  expect(exit_code).toBe(1)
  expect(findings).toMatchObject([
    {
      code: 'CORRUPT',
      index: 'broken',
      table: 'public.t',
      message: expect.stringContaining('item order invariant violated'),
      hint: 'perfdb apply --reindex public.broken',
    },
  ])
  await using role = await testRole(db)
  await db.sql.unsafe(`grant select on t to ${role.name}`)
  const said = await deep(role.url, await profileOf(['{ name: good, table: t, keys: [b] }']))
  expect(said.findings.filter(({ code }) => code === 'NOT_CHECKED')).toMatchObject([
    {
      severity: 'warning',
      message: 'the order of public.broken, public.good was not checked: this role may not call bt_index_check',
    },
  ])
})

test('a function of somebody else beside amcheck, which would take an oid as well, is not called', async () => {
  await using db = await testDatabase(`create extension amcheck; create table t (a int); create index i on t (a);
    create function public.bt_index_check(oid) returns void language plpgsql as $$ begin raise exception 'trapped'; end $$;
    create function public.bt_index_check(oid, int default 0) returns void language plpgsql as $$ begin raise exception 'trapped'; end $$`)
  const { exit_code, findings } = await deep(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']))
  expect({ exit_code, findings }).toEqual({ exit_code: 0, findings: [] })
})

test('an index that is twice what it would be and a megabyte more is told with its estimate; amcheck that is missing is a note', async () => {
  await using db = await testDatabase(`create table t (a int, b int) with (autovacuum_enabled = off);
    insert into t select n, n from generate_series(1, 200000) n; create index bloated on t (a); create index fine on t (b) where b > 0;
    delete from t where a % 50 <> 0`)
  await db.sql`vacuum analyze t`
  await db.sql`reindex index fine`
  const profiles = await profileOf([
    '{ name: bloated, table: t, keys: [a] }',
    '{ name: fine, table: t, keys: [b], where: b > 0 }',
  ])
  const { exit_code, findings } = await deep(db.url, profiles)
  expect(exit_code).toBe(0)
  expect(findings).toMatchObject([
    { code: 'NOT_CHECKED', severity: 'info', hint: 'create extension amcheck' },
    { code: 'BLOATED', severity: 'warning', index: 'bloated', hint: 'perfdb apply --reindex public.bloated' },
  ])
  expect(findings[1]?.message).toMatch(/^bloated takes 4\.\d+ MB, and about \d+ kB when it is built anew/)
})
