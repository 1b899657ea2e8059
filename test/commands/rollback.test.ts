import { expect, test } from 'vitest'
import { runRollback } from '../../src/commands/rollback.js'
import { runStatus } from '../../src/commands/status.js'
import type { ApplyResult } from '../../src/commands/result.js'
import type { ApplyOptions } from '../../src/commands/apply.js'
import { apply, plan } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
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
  expect(undone.steps.map((step) => [step.index, step.outcome])).toEqual([['j', 'dropped']])
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
  const pruned = await apply(db.url, fewer, { ledger: true, prune: true })
  expect(pruned.result.steps.map((step) => [step.index, step.outcome])).toEqual([
    ['j', 'kept'],
    ['i', 'dropped'],
  ])
  expect(await definitions(db.sql)).toEqual([
    'CREATE INDEX foreigner ON public.t USING btree (c)',
    'CREATE INDEX j ON public.t USING btree (b)',
  ])
})
