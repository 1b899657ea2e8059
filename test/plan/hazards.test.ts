import { expect, test } from 'vitest'
import { lookForDuplicates } from '../../src/build/check/duplicates.js'
import { apply, plan } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'
import { testRole } from '../support/roles.js'
import { slowTable, until } from '../support/slow.js'

/** A table whose updates are all HOT: a counter that no index knows, and room on each page. */
async function hotTable(): Promise<TestDatabase> {
  const db = await testDatabase(
    `create table t (id int primary key, counter int, email text) with (fillfactor = 50);
     insert into t select n, 0, 'e' || n from generate_series(1, 200) n;`,
  )
  for (let round = 0; round < 12; round += 1) {
    await db.sql`update t set counter = counter + 1`
    await db.sql`vacuum t`
  }
  await until('the statistics', async () => {
    const rows = await db.sql<{ n: number }[]>`select pg_stat_get_tuples_hot_updated('t'::regclass)::int as n`
    return (rows[0]?.n ?? 0) >= 1000
  })
  return db
}

test('HOT_LOSS: an index on what every update changes is a hazard, one on a quiet column is not', async () => {
  await using db = await hotTable()
  const profiles = await profileOf([
    '{ name: i_counter, table: t, keys: [counter] }',
    '{ name: i_email, table: t, keys: [email] }',
    '{ name: i_predicate, table: t, keys: [email, id], where: counter > 5 }',
  ])
  const planned = await plan(db.url, profiles)
  const hazards = new Map(planned.steps.map((step) => [step.index, step.hazards.map((hazard) => hazard.code)]))
  expect(hazards.get('i_counter')).toEqual(['HOT_LOSS'])
  expect(hazards.get('i_predicate')).toEqual(['HOT_LOSS'])
  expect(hazards.get('i_email')).not.toContain('HOT_LOSS')
  const refused = await apply(db.url, profiles, { allow: ['REDUNDANT'] })
  expect(refused.result).toMatchObject({ exit_code: 1, error: { code: 'HAZARD' } })
  expect(await db.sql`select 1 from pg_index where indrelid = 't'::regclass`).toHaveLength(1)
})

test('LARGE_BUILD: a prediction over --max-size is a hazard; the prediction is near the real size', async () => {
  await using db = await testDatabase(
    `create table t (a int, b text, s text);
     insert into t select n, 'some text ' || n, 'status' || n % 4 from generate_series(1, 50000) n; analyze t;`,
  )
  const profiles = await profileOf([
    '{ name: i_int, table: t, keys: [{ column: a, order: desc }] }',
    '{ name: i_text, table: t, keys: [b] }',
    '{ name: i_repeated, table: t, keys: [s] }',
    '{ name: i_two, table: t, keys: [a, s], include: [b], unique: true }',
    '{ name: i_hash, table: t, method: hash, keys: [a] }',
  ])
  const small = await apply(db.url, profiles, { maxSizeBytes: 100 })
  expect(small.result.steps.flatMap((step) => step.hazards.map((hazard) => hazard.code))).toEqual(
    Array.from({ length: 5 }, () => 'LARGE_BUILD'),
  )
  const { result } = await apply(db.url, profiles)
  expect(result.exit_code).toBe(0)
  for (const step of result.steps) {
    const ratio = (step.predicted_bytes ?? 0) / (step.size_bytes ?? 1)
    expect(
      [step.index, ratio > 0.5 && ratio < 2],
      `${step.index}: ${step.predicted_bytes} against ${step.size_bytes}`,
    ).toEqual([step.index, true])
  }
})

test('LONG_TRANSACTION: a snapshot older than --max-wait is a hazard that names its holder', async () => {
  await using db = await testDatabase('create table t (a int)')
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  const connection = await db.sql.reserve()
  await connection`begin isolation level repeatable read`
  await connection`select 1`
  const refused = await apply(db.url, profiles, { maxWaitMs: 1 })
  await connection`rollback`
  connection.release()
  expect(refused.result).toMatchObject({
    exit_code: 1,
    steps: [{ hazards: [{ code: 'LONG_TRANSACTION', message: expect.stringMatching(/pid \d+ holds a snapshot/) }] }],
  })
  await using session = await connectTo(db.url, 'look')
  expect(session.lost).toBe(false)
})

const duplicates =
  "create table t (a int, b text); insert into t select n, 'b' || n from generate_series(1, 3000) n; insert into t values (7, 'x'), (7, 'y');"

test('UNIQUE_BUILD: plan names the duplicates; apply fails that step before it begins and does the others', async () => {
  await using db = await testDatabase(duplicates)
  const profiles = await profileOf([
    '{ name: u, table: t, keys: [a], unique: true }',
    '{ name: u_both, table: t, keys: [a, b], unique: true }',
    '{ name: u_part, table: t, keys: [a], unique: true, where: a < 7 }',
    '{ name: plain, table: t, keys: [b] }',
  ])
  const hazards = (await plan(db.url, profiles)).steps.map((step) => [step.index, step.hazards])
  const message = 'u cannot be built, apply would do the rest: duplicate keys, the most frequent first: (7): 3 rows'
  expect(hazards).toEqual([
    ['plain', []],
    ['u', [{ code: 'UNIQUE_BUILD', message, told: true }]],
    ['u_both', []],
    ['u_part', []],
  ])
  const { result } = await apply(db.url, profiles, { allow: ['REDUNDANT'] })
  expect(result.exit_code).toBe(3)
  expect(result.steps).toMatchObject([
    { index: 'plain', outcome: 'built' },
    { index: 'u', outcome: 'failed', error: { code: 'DUPLICATE_KEYS' } },
    { index: 'u_both', outcome: 'built' },
    { index: 'u_part', outcome: 'built' },
  ])
})

test('UNIQUE_BUILD: where rows are hidden from the look the build must be allowed', async () => {
  await using db = await testDatabase(duplicates)
  await db.sql`delete from t where a = 7`
  await using role = await testRole(db)
  await db.sql.unsafe(`grant create on schema public to ${role.name}; alter table t owner to ${role.name};
    alter table t enable row level security; alter table t force row level security`)
  const profiles = await profileOf(['{ name: u, table: t, keys: [a], unique: true }'])
  const refused = await apply(role.url, profiles)
  expect(refused.result).toMatchObject({
    exit_code: 1,
    error: { code: 'HAZARD', hint: expect.stringContaining('--allow UNIQUE_BUILD') },
    steps: [{ outcome: 'refused', hazards: [{ message: expect.stringContaining('row-level security') }] }],
  })
  expect((await apply(role.url, profiles, { allow: ['UNIQUE_BUILD'] })).result).toMatchObject({
    exit_code: 0,
    steps: [{ outcome: 'built' }],
  })
})

test('UNIQUE_BUILD: a look that is ended by its time limit, and one that an expression fails in', async () => {
  await using db = await testDatabase(`${slowTable(500, 10)} insert into t values (0, 0, '')`)
  await using session = await connectTo(db.url, 'look')
  const look = async (key: string, timeoutMs: number) => {
    const [profile] = await profileOf([`{ name: u, table: t, keys: [{ expression: "${key}" }], unique: true }`])
    const definition = profile?.indexes[0]?.definition
    return definition === undefined ? undefined : lookForDuplicates(session, definition, timeoutMs)
  }
  expect(await look('public.slow(a)', 50)).toEqual({ found: 'unknown', reason: 'the look took longer than 30 s' })
  expect(await look('1 / a', 5000)).toBe(null)
  expect(await look('a + 1', 5000)).toEqual({ found: 'none' })
})

test('UNIQUE_BUILD: a signal ends the look, and the run as any other', async () => {
  await using db = await testDatabase(slowTable(1500, 10))
  const profiles = await profileOf([
    '{ name: i, table: t, keys: [b] }',
    '{ name: u, table: t, keys: [{ expression: public.slow(a) }], unique: true }',
  ])
  const abort = new AbortController()
  const running = apply(db.url, profiles, {
    signal: abort.signal,
    signalName: () => (abort.signal.aborted ? 'SIGINT' : undefined),
  })
  await until('the look', async () => {
    const rows = await db.sql`select 1 from pg_stat_activity where datname = current_database()
      and application_name = 'perfdb ddl' and query like '%having pg_catalog.count%' and state = 'active'`
    return rows.length > 0
  })
  abort.abort()
  const { result } = await running
  expect(result).toMatchObject({ exit_code: 130, steps: [{ outcome: 'not_reached' }, { outcome: 'not_reached' }] })
  expect(result.steps.flatMap((step) => step.hazards)).toEqual([])
})

test('where a plan touches two schemas, hazards and findings name the schema of each index', async () => {
  await using db =
    await testDatabase(`create schema a; create schema b; create table a.orders (ref int, x int); create table b.orders (ref int, x int);
    create index ref_key on a.orders (ref); create index ref_key on b.orders (ref); create index other on b.orders (x, ref)`)
  const both = await profileOf([
    '{ name: ref_key, table: a.orders, keys: [x] }',
    '{ name: ref_key, table: b.orders, keys: [x] }',
    '{ name: renamed, table: b.orders, keys: [x, ref] }',
  ])
  const { steps } = await plan(db.url, both)
  const said = steps.flatMap(({ hazards }) => hazards.map(({ message }) => message)).join('\n')
  expect(said).toMatch(/^a\.ref_key exists with another definition/m)
  expect(said).toMatch(/^b\.ref_key exists with another definition/m)
  expect(said).toMatch(/^b\.other would be renamed to renamed/m)
  const one = await profileOf(['{ name: ref_key, table: a.orders, keys: [x] }'])
  expect((await plan(db.url, one)).steps[0]?.hazards[0]?.message).toMatch(/^ref_key exists with another definition/)
})
