import { expect, test } from 'vitest'
import { apply, plan } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'
import { until } from '../support/slow.js'

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
