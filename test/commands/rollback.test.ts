import { expect, test } from 'vitest'
import { runRollback } from '../../src/commands/apply/rollback.js'
import { runStatus } from '../../src/commands/apply/status.js'
import type { ApplyResult } from '../../src/result/documents/result.js'
import type { ApplyOptions } from '../../src/commands/apply/apply.js'
import { apply, plan, status, verify } from '../support/apply.js'
import { runImport } from '../../src/commands/import/import.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { olderLedger } from '../support/ledger.js'
import { notLive } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'

const schema =
  "create table t (a int, b text, c text); insert into t select n, 'b' || n, 'c' from generate_series(1, 500) n;"

async function rollback(url: string, run: number | null = null): Promise<ApplyResult> {
  const options: ApplyOptions = {
    allow: new Set(),
    prune: false,
    maxWaitMs: 60_000,
    maxSizeBytes: 1e12,
    lockWaitMs: 0,
    retries: 2,
    jobs: 1,
    onQueue: 'report',
    onDisconnect: 'cancel',
    window: null,
    maxLagMs: null,
    ledger: true,
    measure: false,
    samples: undefined,
    timeBudgetMs: undefined,
    expectedFingerprint: undefined,
    signal: new AbortController().signal,
    signalName: () => undefined,
    listener: () => undefined,
  }
  return runRollback((role) => connectTo(url, role), run, options)
}

/** All that is to be said of the index of a name: definition, tablespace, comment, statistics targets, what the table does with it. */
async function whole(sql: TestDatabase['sql'], name: string): Promise<unknown> {
  const [row] = await sql`
    select pg_get_indexdef(i.indexrelid) as ddl, obj_description(i.indexrelid, 'pg_class') as comment, i.indisclustered as clustered,
      i.indisreplident as identity, (select spcname from pg_tablespace s where s.oid = c.reltablespace) as tablespace,
      array(select coalesce(attstattarget, -1)::int from pg_attribute where attrelid = i.indexrelid order by attnum) as targets
    from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = ${name}`
  return row
}

async function testTablespace(db: TestDatabase): Promise<AsyncDisposable & { readonly name: string }> {
  const name = `${db.name} "fast"`
  const connection = await db.sql.reserve()
  await connection`set allow_in_place_tablespaces = on`
  await connection.unsafe(`create tablespace "${name.replaceAll('"', '""')}" location ''`)
  connection.release()
  return {
    name,
    async [Symbol.asyncDispose]() {
      await db.sql`drop table t`
      await db.sql.unsafe(`drop tablespace "${name.replaceAll('"', '""')}"`)
    },
  }
}

test('rollback restores the whole of what was dropped and replaced: comment, statistics targets, tablespace, storage parameters, clustering', async () => {
  await using db = await testDatabase(schema)
  await using space = await testTablespace(db)
  const quoted = `"${space.name.replaceAll('"', '""')}"`
  await db.sql.unsafe(`alter table t alter a set not null;
    create index gone on t (lower(b || ' WHERE (') desc, a, (a * 2)) with (fillfactor = 71) tablespace ${quoted} where b <> ' WHERE )''' and case when a > 1 then true else false end;
    comment on index gone is E'it''s "the" dashboard\\n\nlist'; alter index gone alter column 1 set statistics 700; alter index gone alter column 3 set statistics 0;
    create unique index swapped on t (a) tablespace ${quoted}; comment on index swapped is 'by a'; alter table t replica identity using index swapped;
    create index plain on t (c); alter table t cluster on plain`)
  const before = await Promise.all(['gone', 'swapped', 'plain'].map((name) => whole(db.sql, name)))
  expect(before[0]).toMatchObject({ tablespace: space.name, targets: [700, -1, 0] })
  expect(before[2]).toMatchObject({ clustered: true })
  const profiles = await profileOf(
    ['{ name: swapped, table: t, keys: [a], unique: true, with: { fillfactor: 60 } }'],
    'absent: [gone, plain]\n',
  )
  const applied = await apply(db.url, profiles, { ledger: true, allow: ['REPLACE', 'DROP', 'REPLICA_IDENTITY'] })
  expect(applied.result.steps.map((step) => [step.index, step.outcome, step.error])).toEqual([
    ['swapped', 'replaced', undefined],
    ['gone', 'dropped', undefined],
    ['plain', 'dropped', undefined],
  ])
  // What takes its place is where it was, and is what it was to the table.
  expect(await whole(db.sql, 'swapped')).toMatchObject({
    ddl: expect.stringContaining("fillfactor='60'"),
    comment: 'by a',
    tablespace: space.name,
    identity: true,
  })
  const undone = await rollback(db.url)
  expect(undone.steps.map((step) => step.error)).toEqual([undefined, undefined, undefined])
  expect(undone).toMatchObject({ exit_code: 0, findings: [], analyzed: [{ table: 'public.t', ok: true }] })
  expect(await Promise.all(['gone', 'swapped', 'plain'].map((name) => whole(db.sql, name)))).toEqual(before)
  const statistics = await db.sql`select attname from pg_stats where tablename = 'gone'`
  expect(statistics.map((row) => row['attname'])).toEqual(['lower'])
})

test('replace carries the comment over, and a statistics target to where its expression stands now', async () => {
  await using db = await testDatabase(
    `${schema} create index i on t (lower(b), (a + 1), (a + 2)); comment on index i is 'kept';
     alter index i alter column 1 set statistics 11; alter index i alter column 2 set statistics 22; alter index i alter column 3 set statistics 33`,
  )
  const profiles = await profileOf([
    '{ name: i, table: t, keys: [c, { expression: a + 2, order: desc }, { expression: lower(b), opclass: text_pattern_ops }] }',
  ])
  const { result } = await apply(db.url, profiles, { allow: ['REPLACE'] })
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'replaced' }] })
  expect(await whole(db.sql, 'i')).toMatchObject({ comment: 'kept', targets: [-1, 33, 11] })
  expect((await plan(db.url, profiles)).steps.map((step) => step.step)).toEqual(['keep'])
})

test('a rebuild keeps the comment, and where the index lived', async () => {
  await using db = await testDatabase(schema)
  await using space = await testTablespace(db)
  await db.sql.unsafe(
    `create index i on t (lower(b)) tablespace "${space.name.replaceAll('"', '""')}"; comment on index i is 'kept'; alter index i alter column 1 set statistics 11`,
  )
  const before = await whole(db.sql, 'i')
  await notLive(db.sql, 'i', 't')
  const { result } = await apply(db.url, await profileOf(['{ name: i, table: t, keys: [{ expression: lower(b) }] }']))
  expect(result).toMatchObject({ exit_code: 0, steps: [{ step: 'rebuild', outcome: 'rebuilt' }] })
  expect(await whole(db.sql, 'i')).toEqual(before)
})

test('a run of an older perfdb, which kept less, is rolled back all the same, and its ledger is brought up to date', async () => {
  await using db = await testDatabase(`${schema} create index gone on t (b)`)
  const before = await definitions(db.sql)
  await apply(db.url, await profileOf([], 'absent: [gone]\n'), { ledger: true })
  await olderLedger(db.sql)
  await using session = await connectTo(db.url, 'look')
  expect((await runStatus(session, 10)).runs).toMatchObject([{ run: 1, outcome: 'done' }])
  expect(await rollback(db.url)).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built' }] })
  expect(await definitions(db.sql)).toEqual(before)
  expect(await db.sql`select kept_before from perfdb.steps`).toEqual([{ kept_before: null }, { kept_before: null }])
})

async function definitions(sql: TestDatabase['sql']): Promise<readonly string[]> {
  const rows = await sql<{ ddl: string }[]>`select indexdef as ddl from pg_indexes where tablename = 't' order by 1`
  return rows.map((row) => row.ddl)
}

test('rollback drops what the last run built, builds what it dropped and replaced, and gives names back', async () => {
  await using db = await testDatabase(
    `${schema} create index gone on t (lower(b) desc nulls last) where a > 5; create index swapped on t (c); create unique index old_name on t (a) with (fillfactor = 70)`,
  )
  const before = await definitions(db.sql)
  const profiles = await profileOf(
    [
      '{ name: built, table: t, keys: [a, b] }',
      '{ name: swapped, table: t, keys: [c, a] }',
      '{ name: new_name, table: t, keys: [a], unique: true, with: { fillfactor: 70 } }',
    ],
    'absent: [gone]\n',
  )
  const applied = await apply(db.url, profiles, { ledger: true, allow: ['REPLACE', 'RENAME'] })
  expect(applied.result).toMatchObject({ exit_code: 0, run: 1 })
  expect(await definitions(db.sql)).not.toEqual(before)
  const undone = await rollback(db.url)
  expect(undone).toMatchObject({ exit_code: 0, command: 'rollback', run: 2, findings: [] })
  expect(await definitions(db.sql)).toEqual(before)
  await using session = await connectTo(db.url, 'look')
  const status = await runStatus(session, 10)
  expect(status).toMatchObject({
    ledger: true,
    builds: [],
    runs: [
      { run: 2, command: 'rollback' },
      { run: 1, outcome: expect.stringContaining('rolled back by run 2') },
    ],
  })
  await expect(rollback(db.url)).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' })
  await expect(rollback(db.url, 99)).rejects.toMatchObject({ code: 'NO_RUN' })
})

test('an index that is no longer what the run left is left alone', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }', '{ name: j, table: t, keys: [b] }'])
  await apply(db.url, profiles, { ledger: true })
  await db.sql`drop index i`
  await db.sql`create index i on t (c)`
  const undone = await rollback(db.url, 1)
  expect(undone).toMatchObject({ exit_code: 1, findings: [{ code: 'CHANGED', index: 'i' }] })
  expect(undone.steps.map((step) => [step.index, step.outcome])).toEqual([
    ['j', 'dropped'],
    ['i', 'refused'],
  ])
  expect(await definitions(db.sql)).toEqual(['CREATE INDEX i ON public.t USING btree (c)'])
})

test('a rolled back run is built again by the next apply', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  await apply(db.url, profiles, { ledger: true })
  await rollback(db.url)
  expect((await apply(db.url, profiles, { ledger: true })).result).toMatchObject({ exit_code: 0, run: 3 })
  expect((await plan(db.url, profiles)).steps.map((step) => step.step)).toEqual(['keep'])
})

test('without a ledger there is nothing to roll back, and none is made', async () => {
  await using db = await testDatabase(schema)
  await expect(rollback(db.url)).rejects.toMatchObject({ code: 'NO_LEDGER' })
  expect(await db.sql`select 1 from pg_namespace where nspname = 'perfdb'`).toHaveLength(0)
})

test('--prune drops what perfdb built and no profile declares any more, and nothing else', async () => {
  await using db = await testDatabase(`${schema} create index foreigner on t (c)`)
  await apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }', '{ name: j, table: t, keys: [b] }']), {
    ledger: true,
  })
  const fewer = await profileOf(['{ name: j, table: t, keys: [b] }'])
  expect((await apply(db.url, fewer, { ledger: true })).result.steps.map((step) => step.outcome)).toEqual(['kept'])
  // Whoever asks is told: plan, verify, status and import.
  expect(await plan(db.url, fewer)).toMatchObject({
    notes: expect.arrayContaining([
      'public.i was built by perfdb for this profile and declared no more: --prune drops it',
    ]),
  })
  expect((await verify(db.url, fewer)).findings).toMatchObject([
    { code: 'UNDECLARED', index: 'foreigner' },
    { code: 'UNDECLARED', index: 'i', severity: 'info', hint: 'perfdb apply --prune drops it' },
  ])
  expect(await status(db.url)).toMatchObject({ owned: [{ profile: 'test', indexes: 2, gone: 0 }] })
  await using session = await connectTo(db.url, 'look')
  const { notes } = await runImport(session, { schemas: [], tables: [], indexes: [] })
  expect(notes).toMatchObject([{ code: 'OWNED', indexes: ['public.i', 'public.j'] }])
  const pruned = await apply(db.url, fewer, { ledger: true, prune: true })
  expect(pruned.result.steps.map((step) => [step.index, step.outcome])).toEqual([
    ['j', 'kept'],
    ['i', 'dropped'],
  ])
  expect((await plan(db.url, fewer)).notes ?? []).not.toContainEqual(expect.stringContaining('--prune'))
  await db.sql`drop index j`
  expect(await status(db.url)).toMatchObject({ owned: [{ profile: 'test', indexes: 1, gone: 1 }] })
  expect(await definitions(db.sql)).toEqual(['CREATE INDEX foreigner ON public.t USING btree (c)'])
})
