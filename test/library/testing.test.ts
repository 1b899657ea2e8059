import { AssertionError } from 'node:assert'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assertQuery } from '../../src/library/testing.js'
import { build, folder } from '../cli/perfdb.js'
import { testDatabase, type TestDatabase } from '../support/database.js'

/* `import { assertQuery } from 'perfdb/testing'`, here under vitest and, in a program of its own, under node:test. */

let db: TestDatabase
let at: { readonly url: string; readonly environment: Readonly<Record<string, string>> }

beforeAll(async () => {
  db =
    await testDatabase(`create table jobs (id int, status text, at timestamptz default now(), more jsonb default '{"a": 1}');
    insert into jobs select n, 's' || n % 5000 from generate_series(1, 50000) n;
    create index i_status on jobs (status); create index i_id on jobs (id); analyze jobs;
    create table few (id int, note text); create index i_few on few (id); insert into few values (1), (2); analyze few;`)
  at = { url: db.url, environment: {} }
})

afterAll(async () => {
  await db[Symbol.asyncDispose]()
})

const byStatus = 'select * from jobs where status = $1'

test('uses the index, under so many buffers, without a sequential scan: what was measured comes back', async () => {
  const query = await assertQuery(byStatus, {
    ...at,
    params: ['s1'],
    uses: 'i_status',
    buffers: 40,
    forbid: 'SEQ_SCAN',
  })
  expect(query.after).toMatchObject({ rows: 10, indexes: ['i_status'] })
  expect(query.expectations.map((one) => one.met)).toEqual([true, true, true])
})

test('what is missed is told with the query plan, in few lines', async () => {
  const error = await thrown(
    assertQuery('select * from jobs where  status || $1 = $2', {
      ...at,
      params: ['', 's1'],
      uses: ['i_status'],
      buffers: 40,
      forbid: ['SEQ_SCAN', 'SPILL'],
    }),
  )
  expect(error).toBeInstanceOf(AssertionError)
  const { message } = Object(error)
  const lines = String(message).split('\n')
  expect(lines[0]).toBe('this query is not what is expected of it')
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}expected index i_status, got no index/))
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}expected at most 40 buffers, got \d+ buffers/))
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}expected no SEQ_SCAN, got /))
  expect(lines).toContain('  select * from jobs where status || $1 = $2')
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}Seq Scan.* \(rows 10, estimated \d+, buffers \d+\)/))
  expect(message).not.toContain('SPILL')
  expect(lines.length).toBeLessThan(25)
})

test('the error points at the test', async () => {
  const failing = async () => {
    await assertQuery(byStatus, { ...at, params: ['s1'], buffers: 0 })
  }
  const frames = String(Object(await thrown(failing())).stack).split('\n')
  expect(frames.filter((line) => /^ +at (async )?failing .*testing\.test\.ts/.test(line))).toHaveLength(1)
})

test('a table that is too small to tell is judged without sequential scans', async () => {
  await assertQuery('select * from few where id = 1', { ...at, uses: 'i_few' })
  const error = await thrown(assertQuery('select * from few where id + 1 = 2', { ...at, uses: 'i_few' }))
  expect(Object(error).message).toContain('expected index i_few')
})

test('parameters of every kind', async () => {
  const params = [1, 10n, new Date(0), true, null, ['s1', 's2'], { a: 1 }]
  const sql = `select * from jobs where id >= $1 and id < $2 and at > $3 and $4::bool and $5::text is null
    and status = any ($6) and more = $7::jsonb`
  expect((await assertQuery(sql, { ...at, params })).after?.rows).toBe(2)
})

test('a statement that changes data runs only when that is allowed, and is rolled back', async () => {
  const sql = 'delete from jobs where id = 1'
  const error = await thrown(assertQuery(sql, { ...at, uses: 'i_id' }))
  expect(error).toBeInstanceOf(AssertionError)
  expect(Object(error).message).toMatch(/expected index i_id, got DELETE changes data.*allowWrites: true/s)
  await assertQuery(sql, { ...at, uses: 'i_id', allowWrites: true })
  expect(await db.sql`select count(*)::int as n from jobs where id = 1`).toEqual([{ n: 1 }])
})

test('a query that fails is an assertion that fails; one that cannot be asked is a PerfdbError', async () => {
  const error = await thrown(assertQuery('select 1 / (id - id) from jobs where id = 1', at))
  expect(error).toBeInstanceOf(AssertionError)
  expect(Object(error).message).toMatch(/^this query could not be measured: .*division by zero/)
  expect(await thrown(assertQuery('selct 1', at))).toMatchObject({ message: expect.stringContaining('syntax error') })
  const nowhere = { url: 'postgres://me@127.0.0.1:1/db', environment: {} }
  expect(await thrown(assertQuery('select 1', nowhere))).toMatchObject({ code: 'CONNECTION_REFUSED' })
})

test('a time: with a median of several runs', async () => {
  const query = await assertQuery(byStatus, { ...at, params: ['s1'], timeMs: 20_000 })
  expect(query.after?.samples).toBeGreaterThan(1)
  expect(await thrown(assertQuery('select pg_sleep(0.02)', { ...at, timeMs: 5 }))).toBeInstanceOf(AssertionError)
})

test('under node:test, from the built package', async () => {
  await build()
  const built = join(import.meta.dirname, '..', '..', 'dist', 'testing.cjs')
  await using place = await folder({
    'query.test.mjs': `import { test } from 'node:test'
import { assertQuery } from ${JSON.stringify(built)}
const sql = ${JSON.stringify(byStatus)}
test('good', () => assertQuery(sql, { params: ['s1'], uses: 'i_status', buffers: 40 }))
test('bad', () => assertQuery(sql, { params: ['s1'], uses: 'i_id' }))
`,
  })
  // Without what vitest tells its own children; node --test would report to it.
  const env = { PATH: process.env['PATH'], HOME: place.path, DATABASE_URL: db.url }
  const { code, stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap'], {
    cwd: place.path,
    env,
  }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: unknown) => ({ code: Number(Object(error).code), stdout: String(Object(error).stdout) }),
  )
  expect(stdout).toMatch(/^ *ok \d+ - good$/m)
  expect(stdout).toMatch(/^ *not ok \d+ - bad$/m)
  expect(stdout).toContain('expected index i_id, got i_status')
  expect(stdout).toContain("name: 'AssertionError'")
  expect(code).toBe(1)
})

async function thrown(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}
