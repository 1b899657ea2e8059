import { expect, test } from 'vitest'
import { hazardBlocks } from '../../src/report/blocks/hazards.js'
import { apply, plan, verify } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { intercepted } from '../support/intercept.js'
import { profileOf } from '../support/profile.js'
import { building, slowIndex, slowTable, until } from '../support/slow.js'

/* A replace that is cut short between its statements, and others who come between the plan and its drop. */

const schema =
  "create table t (a int, b text, c text); insert into t select n, 'b' || n, 'c' from generate_series(1, 500) n;"
const wanted = ['{ name: i, table: t, keys: [c] }']

test.each([
  [
    'seen while it waited',
    false,
    /^(it waited for|held when a try had failed: ShareUpdateExclusiveLock on public.i by) pid \d+, /,
  ],
  // As on a server that is busy: nobody's look is answered in the 50 ms of a try.
  ['looked at too late', true, /^held when a try had failed: ShareUpdateExclusiveLock on public.i by pid \d+, /],
])(
  'a replace that never gets the lock to exchange the names says who holds it (%s), what is left and how to drop it; the next goes on there',
  async (_, late, who) => {
    await using db = await testDatabase(`${schema} create index i on t (b)`)
    const profiles = await profileOf(wanted)
    const holder = await db.sql.reserve()
    await holder.unsafe("begin; comment on index i is 'mine'")
    const connect = intercepted(db.url, async (role, text) => {
      if (late && role === 'watchdog' && text.includes('pg_blocking_pids')) throw new Error('no answer')
    })
    const { result } = await apply(db.url, profiles, { connect, allow: ['REPLACE'], maxWaitMs: 100 })
    expect(result).toMatchObject({ exit_code: 3, steps: [{ outcome: 'failed', state: 'valid' }] })
    expect(result.steps[0]?.error).toMatchObject({
      code: 'BLOCKED',
      detail: expect.stringMatching(new RegExp(`${who.source}.*; i_perfdb_new is built and valid`)),
      hint: expect.stringContaining('drop index concurrently "public"."i_perfdb_new"'),
    })
    const left = await verify(db.url, profiles)
    expect(left.findings).toContainEqual(
      expect.objectContaining({
        code: 'UNDECLARED',
        severity: 'warning',
        index: 'i_perfdb_new',
        hint: expect.stringMatching(/--allow REPLACE goes on with it.*drop index concurrently "public"."i_perfdb_new"/),
      }),
    )
    await holder.unsafe('commit')
    holder.release()
    const [built] = await db.sql`select 'i_perfdb_new'::regclass::oid as oid`
    const again = await apply(db.url, profiles, { allow: ['REPLACE'] })
    expect(again.result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'replaced' }] })
    expect(
      await db.sql`select indexrelid as oid, indexrelid::regclass::text as name from pg_index where indrelid = 't'::regclass`,
    ).toEqual([{ oid: built?.['oid'], name: 'i' }])
  },
)

test('a replace after one that was cut short before its drop is done in one apply', async () => {
  await using db = await testDatabase(`${schema} create index i on t (b); create index i_perfdb_old on t (a)`)
  const profiles = await profileOf(wanted)
  const { result } = await apply(db.url, profiles, { allow: ['REPLACE'] })
  expect(result).toMatchObject({ exit_code: 0, steps: [{ step: 'replace', outcome: 'replaced' }] })
  expect(await db.sql`select indexname as name from pg_indexes where tablename = 't'`).toEqual([{ name: 'i' }])
})

test('a name that a replace passes through and that belongs to another table, or to a constraint, is refused before anything is built', async () => {
  await using db = await testDatabase(`${schema} create index i on t (b); create table other (a int);
    create index i_perfdb_old on other (a); create index j on t (b, c); alter table t add constraint j_perfdb_new unique (a)`)
  const profiles = await profileOf([
    ...wanted,
    '{ name: j, table: t, keys: [{ column: c, order: desc }] }',
    '{ name: k, table: other, keys: [{ column: a, order: desc }] }',
  ])
  const { result } = await apply(db.url, profiles, { allow: ['REPLACE'] })
  expect(result.steps.map(({ index, outcome, error }) => [index, outcome, error?.code])).toEqual([
    ['k', 'built', undefined],
    ['i', 'refused', 'NOT_INDEXABLE'],
    ['j', 'refused', 'NOT_INDEXABLE'],
  ])
  expect(result.steps[1]?.error?.message).toContain('i_perfdb_old, whose name it needs, is an index of other')
})

test('an index that a DBA mends by REINDEX CONCURRENTLY while apply waits is not dropped', async () => {
  await using db = await testDatabase(`${slowTable(100, 20)} create index i_slow on t (a) where public.slow(a) > 0`)
  await db.sql`update pg_index set indisvalid = false where indexrelid = 'i_slow'::regclass`
  const profiles = await profileOf([slowIndex])
  const mending = db.sql`reindex index concurrently i_slow`.execute()
  await until('the copy is built', building(db.sql, 'i_slow_ccnew'))
  const { result } = await apply(db.url, profiles)
  expect(result).toMatchObject({
    exit_code: 3,
    steps: [{ outcome: 'failed', state: 'valid', error: { code: 'CHANGED' } }],
  })
  await mending
  expect((await plan(db.url, profiles)).steps.map(({ step }) => step)).toEqual(['keep'])
})

test('a signal while ANALYZE runs ends the ANALYZE', async () => {
  await using db = await testDatabase(slowTable(200, 20))
  const aborting = new AbortController()
  const running = apply(db.url, await profileOf([slowIndex]), {
    signal: aborting.signal,
    signalName: () => 'SIGINT',
  })
  await until('ANALYZE', async () => {
    // perfdb's own: autovacuum may be at the table as well.
    const rows = await db.sql`select from pg_stat_progress_analyze p join pg_stat_activity a using (pid)
      where p.datname = current_database() and a.application_name like 'perfdb%'`
    return rows.length > 0
  })
  aborting.abort()
  const { result } = await running
  expect(result).toMatchObject({
    exit_code: 130,
    steps: [{ outcome: 'built', state: 'valid' }],
    analyzed: [{ ok: false, message: 'ended by a signal' }],
  })
})

test('known duplicates are told without being asked to be allowed', async () => {
  await using db = await testDatabase(`${schema} insert into t select a, b from t limit 2`)
  const profiles = await profileOf(['{ name: u, table: t, keys: [a], unique: true }'])
  const planned = await plan(db.url, profiles)
  expect(planned.steps[0]?.hazards).toEqual([{ code: 'UNIQUE_BUILD', message: expect.any(String), told: true }])
  const printed = JSON.stringify(hazardBlocks(planned.steps))
  expect(printed).toContain('UNIQUE_BUILD')
  expect(printed).not.toContain('--allow')
})

test('what depends on an extension does so after a replace, and goes with the extension', async () => {
  await using db = await testDatabase(
    'create extension pg_trgm; create table d (a int, b int); create index i on d (a); alter index i depends on extension pg_trgm',
  )
  const profiles = await profileOf(['{ name: i, table: d, keys: [b] }'])
  expect((await apply(db.url, profiles, { allow: ['REPLACE'] })).result.exit_code).toBe(0)
  await db.sql`drop extension pg_trgm`
  expect(await db.sql`select from pg_class where relname = 'i'`).toHaveLength(0)
})
