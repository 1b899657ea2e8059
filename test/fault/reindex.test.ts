import { expect, test } from 'vitest'
import { apply, plan, rollback, verify, warnings } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { openTransaction, snapshot } from '../support/leftover.js'
import { allValid, ordersTable, treeOf, validity } from '../support/partitions.js'
import { profileOf } from '../support/profile.js'
import { until } from '../support/slow.js'

const schema = `create table t (id int not null, v text); insert into t select n, 'v' || n from generate_series(1, 2000) n;
  create unique index ident on t (id); alter table t replica identity using index ident;
  create index lowered on t (lower(v)); comment on index lowered is 'by name'; alter index lowered alter column 1 set statistics 321; alter table t cluster on lowered;`

const whole = (
  name: string,
) => `select pg_get_indexdef(i.indexrelid) as ddl, obj_description(i.indexrelid, 'pg_class') as comment, indisclustered, indisreplident,
  indisvalid, array(select coalesce(attstattarget, -1)::int from pg_attribute where attrelid = i.indexrelid) as targets
  from pg_index i where indexrelid = '${name}'::regclass`

test('--reindex rebuilds declared indexes where they stand, with all that belongs to them; then all is kept', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf([
    '{ name: ident, table: t, keys: [id], unique: true }',
    '{ name: lowered, table: t, keys: [lower(v)] }',
  ])
  const before = [await db.sql.unsafe(whole('ident')), await db.sql.unsafe(whole('lowered'))]
  const [{ oid, file } = {}] =
    await db.sql`select oid::int8::int, relfilenode::int8::int as file from pg_class where relname = 'lowered'`
  const { result } = await apply(db.url, profiles, { ledger: true, reindex: ['lowered', 'public.ident'] })
  expect(result).toMatchObject({
    exit_code: 0,
    analyzed: [{ table: 'public.t', ok: true }],
    steps: [
      { step: 'reindex', index: 'ident', outcome: 'reindexed', sql: ['reindex index concurrently "public"."ident"'] },
      { step: 'reindex', index: 'lowered', outcome: 'reindexed', state: 'valid' },
    ],
  })
  expect([await db.sql.unsafe(whole('ident')), await db.sql.unsafe(whole('lowered'))]).toEqual(before)
  const [now] =
    await db.sql`select oid::int8::int, relfilenode::int8::int as file from pg_class where relname = 'lowered'`
  expect(now?.['oid']).not.toBe(oid)
  expect(now?.['file']).not.toBe(file)
  expect((await plan(db.url, profiles)).steps.map(({ step }) => step)).toEqual(['keep', 'keep'])
  // Nothing was there before it that is not there now: it is not what a rollback undoes.
  await expect(rollback(db.url)).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' })
  await expect(apply(db.url, profiles, { reindex: ['lowerd'] })).rejects.toMatchObject({
    code: 'BAD_OPTION',
    message: '--reindex lowerd: no such index is declared: did you mean "lowered"?',
  })
})

test('reindex: true rebuilds once what somebody else built; verify says so until it is done', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf([
    '{ name: lowered, table: t, keys: [lower(v)], reindex: true }',
    '{ name: made, table: t, keys: [v], reindex: true }',
  ])
  expect(await verify(db.url, profiles)).toMatchObject({
    exit_code: 1,
    findings: expect.arrayContaining([expect.objectContaining({ code: 'REINDEX_DUE', index: 'lowered' })]),
  })
  const outcomes = async () =>
    (await apply(db.url, profiles, { ledger: true })).result.steps
      .map(({ outcome }) => String(outcome))
      .toSorted((a, b) => a.localeCompare(b))
  expect(await outcomes()).toEqual(['built', 'reindexed'])
  expect(await outcomes()).toEqual(['kept', 'kept'])
  expect((await verify(db.url, profiles)).exit_code).toBe(0)
  const without = await apply(db.url, profiles, { ledger: false })
  expect(without.result.steps.map(({ outcome }) => outcome)).toEqual(['kept', 'kept'])
  expect(warnings(without.events)).toEqual([
    expect.stringContaining('reindex: true of lowered, made is left out, as --no-ledger'),
  ])
  // Another one by now: nobody knows how old it is.
  await db.sql`drop index lowered`
  await db.sql`create index lowered on t (lower(v))`
  expect(await outcomes()).toEqual(['kept', 'reindexed'])
})

test('a reindex that waits for too long is given up and the index is as it was; what even its drop had to wait for is named, and gone with the next apply', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(['{ name: lowered, table: t, keys: [lower(v)] }'])
  for (const open of [
    async () => openTransaction(db.sql, 'begin', 'update t set v = v where id = 1'),
    async () => snapshot(db.sql),
  ]) {
    await using held = await open()
    const { result } = await apply(db.url, profiles, { reindex: ['lowered'], maxWaitMs: 1000 })
    expect(result).toMatchObject({ exit_code: 3, steps: [{ outcome: 'failed', error: { code: 'BLOCKED' } }] })
    const copies = await db.sql`select relname as name from pg_class where relname ~ '_cc(new|old)'`
    for (const { name } of copies)
      expect(result.steps[0]?.error?.hint).toContain(`drop index concurrently "public"."${name}"`)
    await held.end()
    expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
    expect(await db.sql`select relname from pg_class where relname ~ '_cc(new|old)'`).toEqual([])
    expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep' }])
  }
})

test('an abort in the middle leaves nothing behind', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(['{ name: lowered, table: t, keys: [lower(v)] }'])
  await using held = await openTransaction(db.sql, 'begin', 'update t set v = v where id = 1')
  const stop = new AbortController()
  const running = apply(db.url, profiles, { reindex: ['lowered'], signal: stop.signal, signalName: () => 'SIGINT' })
  await until('the copy', async () => (await db.sql`select from pg_class where relname = 'lowered_ccnew'`).length > 0)
  stop.abort()
  // The request to cancel is on its way: without the transaction the statement could end before it arrives.
  await until('the end of the statement', async () => {
    const active = await db.sql`select from pg_stat_activity
      where datname = current_database() and state = 'active' and query ilike '%reindex index concurrently%' and pid <> pg_backend_pid()`
    return active.length === 0
  })
  // Its clean-up waits for the same transaction, as DROP INDEX CONCURRENTLY does.
  await held.end()
  expect((await running).result).toMatchObject({
    exit_code: 130,
    steps: [{ outcome: 'failed', error: { code: 'INTERRUPTED' } }],
  })
  expect(await db.sql`select relname from pg_class where relname ~ '_cc(new|old)'`).toEqual([])
})

test('that of a partitioned table is rebuilt partition by partition', async () => {
  await using db = await testDatabase(`${ordersTable} create index i_kind on orders (kind, id)`)
  const profiles = await profileOf(['{ name: i_kind, table: orders, keys: [kind, id] }'])
  const before = await treeOf(db.sql, 'i_kind')
  const { result } = await apply(db.url, profiles, { reindex: ['i_kind'] })
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'reindexed' }] })
  expect(result.steps[0]?.sql).toHaveLength(4)
  expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
  const after = await treeOf(db.sql, 'i_kind')
  expect(after.map(({ name }) => name)).toEqual(before.map(({ name }) => name))
  // Four leaves are new, the index of the table and of its level are the same.
  expect(after.filter(({ oid }) => !before.some((one) => one.oid === oid))).toHaveLength(4)
})
