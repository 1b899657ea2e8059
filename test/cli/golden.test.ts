import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { masked } from './masked.js'
import { folder, perfdbHere, type Ended, type Folder } from './perfdb.js'

/*
 * The whole life of two indexes through the command line, in this order, on one database. Codes are asserted here; the
 * words are in test/golden/cli, written anew by `npx vitest run test/cli -u`.
 */

const profile = `version: 1
profile: shop
indexes:
  - name: idx_jobs_status_created_at
    table: jobs
    keys: [status, { column: created_at, order: desc }]
    for: [jobs-by-status]
    why: dashboard list by status, newest first
  - name: idx_customers_email_lower
    table: customers
    keys: [{ expression: lower(email) }]
queries:
  - name: jobs-by-status
    sql: select * from jobs where status = $1 order by created_at desc limit 50
    params: { rare: [on_hold] }
    expect: { uses: [idx_jobs_status_created_at] }
`

const pools = `kind: pools
version: 1
servers:
  main:
    max_connections: 40
services:
  api:
    server: main
    database: shop
    role: shop
    instances: 4
    pool: { max: 10 }
`

const tables = `
create table jobs (id int primary key, status text not null, created_at timestamptz not null);
create table customers (id int primary key, email text not null);
insert into jobs select n, case when n % 100 = 0 then 'on_hold' else 'active' end,
  timestamptz '2024-01-01' + n * interval '1 minute' from generate_series(1, 20000) n;
insert into customers select n, 'c' || n || '@example.com' from generate_series(1, 5000) n;
select pg_stat_force_next_flush();
vacuum (analyze) jobs, customers`

let database: TestDatabase
let home: Folder

beforeAll(async () => {
  database = await testDatabase()
  await database.sql.reserve().then(async (sql) => {
    for (const statement of tables.split(';')) await sql.unsafe(statement)
    sql.release()
  })
  home = await folder({ 'shop.yaml': profile, 'shop.pools.yaml': pools, 'report/.keep': '' })
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** Wide enough that no time, however long on a crowded machine, takes a column of a table away. */
async function run(...args: readonly string[]): Promise<Ended> {
  return perfdbHere(args, { cwd: home.path, environment: { DATABASE_URL: database.url, COLUMNS: '120' } })
}

async function golden(name: string, { stdout, stderr }: Ended): Promise<void> {
  const progress = stderr === '' ? '' : `--- stderr\n${masked(stderr)}`
  await expect(masked(stdout) + progress).toMatchFileSnapshot(`../golden/cli/${name}`)
}

test('plan: what would be done', async () => {
  const text = await run('plan', 'shop.yaml')
  expect(text.code).toBe(0)
  await golden('plan.txt', text)
  const json = await run('plan', 'shop.yaml', '--format', 'json')
  expect(json).toMatchObject({ code: 0, stderr: '' })
  await golden('plan.json', json)
  const script = await run('plan', 'shop.yaml', '--format', 'sql')
  expect(script.code).toBe(0)
  await golden('plan.sql', script)
  expect((await run('plan', 'shop.yaml', '--exit-code')).code).toBe(1)
})

test('verify before: what is missing', async () => {
  const text = await run('verify', 'shop.yaml')
  expect(text.code).toBe(1)
  await golden('verify.missing.txt', text)
})

test('apply: the result on stdout, the progress on stderr, the report in its file', async () => {
  const text = await run('apply', 'shop.yaml', '--no-measure', '--report', 'json=report/apply.json')
  expect(text.code).toBe(0)
  await golden('apply.txt', text)
  const again = await run('apply', 'shop.yaml', '--quiet')
  expect(again).toMatchObject({ code: 0, stderr: '' })
  await golden('apply.again.txt', again)
  expect((await run('plan', 'shop.yaml', '--exit-code')).code).toBe(0)
})

test('verify: as declared, and after a drift', async () => {
  const clean = await run('verify', 'shop.yaml')
  expect(clean.code).toBe(0)
  await golden('verify.txt', clean)
  await database.sql`drop index idx_customers_email_lower`
  await database.sql`create index idx_customers_email_lower on customers (email)`
  const drift = await run('verify', 'shop.yaml')
  expect(drift.code).toBe(1)
  await golden('verify.drift.txt', drift)
  const json = await run('verify', 'shop.yaml', '--format', 'json')
  expect(json).toMatchObject({ code: 1, stderr: '' })
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, exit_code: 1, findings: [{ code: 'DIFFERS' }] })
})

test('apply: a hazard that was not allowed', async () => {
  const refused = await run('apply', 'shop.yaml')
  expect(refused.code).toBe(1)
  await golden('apply.refused.txt', refused)
  expect((await run('apply', 'shop.yaml', '--no-measure', '--allow', 'REPLACE')).code).toBe(0)
})

test('status and rollback', async () => {
  const status = await run('status')
  expect(status.code).toBe(0)
  await golden('status.txt', status)
  const rollback = await run('rollback', '1')
  expect(rollback.code).toBe(0)
  await golden('rollback.txt', rollback)
  const nothing = await run('rollback', '99')
  expect(nothing.code).toBe(2)
  await golden('rollback.unknown.txt', nothing)
})

test('explain: findings, and the exit code of its expectation', async () => {
  const text = await run('explain', 'shop.yaml', '--samples', '5')
  expect(text.code).toBe(1)
  await golden('explain.txt', text)
  const json = await run('explain', '--query', 'select 1 as one', '--samples', '5', '--format', 'json')
  expect(json.code).toBe(0)
  expect(JSON.parse(json.stdout)).toMatchObject({ command: 'explain', exit_code: 0, queries: [{ name: 'query' }] })
})

test('check-pool', async () => {
  const text = await run('check-pool', 'shop.pools.yaml', '--offline')
  expect(text.code).toBe(1)
  await golden('check-pool.txt', text)
  const json = await run('check-pool', 'shop.pools.yaml', '--offline', '--format', 'json')
  expect(json).toMatchObject({ code: 1, stderr: '' })
  expect(JSON.parse(json.stdout)).toMatchObject({ command: 'check-pool', ok: false, exit_code: 1 })
})
