import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { loadResult, type LoadStep } from '../../src/result/documents/load-result.js'
import { applyResult } from '../../src/result/documents/result.js'
import { makeHistogram, percentile, record } from '../../src/commands/load/histogram.js'
import { build, ended, folder, perfdb, start } from '../cli/perfdb.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { ownServer } from '../support/server.js'

beforeAll(build)

const profile = `version: 1
queries:
  - { name: by-user, sql: 'select * from orders where user_id = $1', params: { often: [7], seldom: [77] }, weight: 3 }
  - { name: one, sql: select 1 }
  - { name: write, sql: 'delete from orders' }
  - { name: ddl, sql: create table t () }
  - { name: one-of, sql: 'select $1::int' }
  - { name: no-values, sql: 'select $1::int' }
`
const tables = `create table orders as select n as id, n % 100 as user_id from generate_series(1, 1000) n; analyze orders`
const ofBoth = ['--mix', 'by-user=3', '--mix', 'one=1']

test('steps at two rates: what was sent is answered, every time counted from its due moment, no session stays', async () => {
  await using database = await testDatabase(tables)
  const [first, second] = await stepsOf(database, ['--rate', '20,60', '--duration', '2s', ...ofBoth])
  expect([first?.offered, second?.offered]).toEqual([20, 60])
  expect(first).toMatchObject({ success: 1, errors: {}, late: 0, skipped: 0, saturated: false, cut_short: false })
  // A Poisson process of that rate: within five standard deviations of it.
  expect(Math.abs((second?.due ?? 0) - 120)).toBeLessThan(5 * Math.sqrt(120))
  const { p50, p95, p99, max } = second?.latency_ms ?? {}
  expect([p50, p95, p99, max].toSorted((one, other) => Number(one) - Number(other))).toEqual([p50, p95, p99, max])
  expect(await sessions(database)).toEqual([])
})

test('a profile says how it is loaded and what must hold; what does not is named, exit 1', async () => {
  await using database = await testDatabase(tables)
  const load = (sql: string, expected: string) => `${profile}load:
  mix: { by-user: 2, one-of: 1 }
  params: { by-user: { sql: "${sql}" }, one-of: { sql: select 1 as n union select 2 } }
  rates: [30/s]
  duration: 1s
  connections: 3
  expect: ${expected}
`
  const values = 'select distinct user_id from orders where user_id < 5'
  const good = await perfdbWith(database, load(values, '{ p99: 20s, success: 90%, rate: 30/s }'), ['--format', 'json'])
  expect(good.code, good.stderr).toBe(0)
  const result = loadResult.parse(JSON.parse(good.stdout))
  expect(result).toMatchObject({ connections: 3, duration_ms: 1000, unmet: [] })
  expect(result.mix.map(({ query, share }) => [query, Number(share.toFixed(2))])).toEqual([
    ['by-user', 0.67],
    ['one-of', 0.33],
  ])

  const bad = await perfdbWith(database, load(values, '{ p50: 1us, rate: 30/s }'), [])
  expect(bad.code).toBe(1)
  expect(bad.stdout).toMatch(/^1 step measured, 1 not as expected$/m)
  expect(bad.stdout).toMatch(/not as expected: 30\/s: p50 [\d.]+ ms, expected 0.001 ms/)
  expect(bad.stdout).toContain('no step answered 30/s with all else fulfilled')

  for (const [sql, message] of [
    ['select user_id from orders where false', 'params of by-user: the query returns no rows'],
    ['select user_id, id from orders', 'by-user: 2 values for 1 parameter'],
    ['delete from orders returning 1', 'params of by-user: DELETE changes or locks data'],
  ] as const) {
    const refused = await perfdbWith(database, load(sql, '{ p50: 1s }'), ['--format', 'json'])
    expect(refused.code).toBe(2)
    expect(JSON.parse(refused.stdout).error.message).toContain(message)
  }
})

test('apply --ramp: the same steps up and down before the builds and after them', async () => {
  await using database = await testDatabase(tables)
  const text = `version: 1
indexes: [{ name: o_user, table: orders, keys: [user_id] }]
queries: [{ name: by-user, sql: 'select * from orders where user_id = $1', params: [7] }]
`
  const load = 'load: { rates: [20/s, 40/s], duration: 1s, connections: 2 }\n'
  const args = ['apply', 'my.yaml', '--ramp', '--no-measure', '--format', 'json']
  const run = async (profileText: string, ...more: string[]) => {
    await using place = await folder({ 'my.yaml': profileText })
    return await perfdb([...args, ...more], { cwd: place.path, environment: { DATABASE_URL: database.url } })
  }
  const without = await run(text)
  expect(without.code).toBe(2)
  expect(JSON.parse(without.stdout).error.message).toBe('--ramp: no profile says how to load')
  const { code, stdout } = await run(text + load, '--allow', 'LOAD')
  expect(code, stdout).toBe(0)
  const { load: measured, steps } = applyResult.parse(JSON.parse(stdout))
  expect(steps[0]?.outcome).toBe('built')
  for (const side of [measured?.before, measured?.after])
    expect(side?.steps.map(({ offered, success }) => [offered, success])).toEqual([
      [20, 1],
      [40, 1],
      [40, 1],
      [20, 1],
    ])
})

test('a mix of a query that is not there: its place', async () => {
  await using place = await folder({ 'my.yaml': `${profile}load: { mix: { by-usr: 1 } }\n` })
  const { code, stderr } = await perfdb(['load', 'my.yaml', '--rate', '5'], { cwd: place.path })
  expect(code).toBe(2)
  expect(stderr).toMatch(
    /error\[UNKNOWN_REFERENCE\]: unknown query "by-usr": did you mean "by-user"\?\s+--> my.yaml:\d+:\d+/,
  )
})

test('users who think: each asks once in an answer and a thought', async () => {
  await using database = await testDatabase(tables)
  const [step] = await stepsOf(database, ['--users', '20', '--think', '100ms', '--duration', '2s', ...ofBoth])
  expect(step).toMatchObject({ offered: null, users: 20, success: 1, skipped: 0 })
  // 20 users, 100 ms of thought and a short answer: 200 a second at most, and not far below.
  expect(Number(step?.achieved)).toBeLessThan(260)
  expect(Number(step?.achieved)).toBeGreaterThan(60)
})

test('a server that stops is told by all who would have come meanwhile', async () => {
  await using database = await testDatabase(tables)
  const of = ['--rate', '50', '--mix', 'by-user', '--timeout', '20s']
  const [quiet] = await stepsOf(database, [...of, '--duration', '1s'])
  const running = stepsOf(database, [...of, '--duration', '4s'])
  await until(
    async () =>
      (
        await database.sql`select 1 from pg_stat_activity where application_name = 'perfdb load' and query like '%user_id%'`
      ).length > 0,
  )
  const stopped = 2000
  await database.sql.begin(async (sql) => {
    await sql`lock table orders in access exclusive mode`
    await pause(stopped)
  })
  const [held] = await running
  expect(held?.success).toBe(1)
  // What was due in the warm-up, half a second at most, is not counted.
  expect(Number(held?.latency_ms.max)).toBeGreaterThan(stopped * 0.6)
  expect(Number(held?.latency_ms.p95)).toBeGreaterThan(stopped * 0.3)
  expect(Number(quiet?.latency_ms.p50)).toBeLessThan(Number(held?.latency_ms.p95))
})

test.each<[string, readonly string[], string, RegExp]>([
  ['no rate', [], 'BAD_OPTION', /--rate is missing/],
  ['rate and users', ['--rate', '5', '--users', '5'], 'BAD_OPTION', /either --rate or --users/],
  ['users that are none', ['--users', '1.5'], 'BAD_OPTION', /--users 1.5: expected a whole number, up to 10000/],
  ['a rate besides --find', ['--rate', '5', '--find', '50ms'], 'BAD_OPTION', /--find looks for the rate itself/],
  ['a rate that is none', ['--rate', '0'], 'BAD_OPTION', /--rate 0: expected/],
  ['a query that changes data', ['--rate', '5', '--mix', 'write'], 'HAZARD', /WRITE_QUERY: write: DELETE changes/],
  ['what is no query', ['--rate', '5', '--mix', 'ddl'], 'BAD_SQL', /ddl: CREATE TABLE is not a query/],
  [
    'a query without values',
    ['--rate', '5', '--mix', 'no-values'],
    'BAD_VALUE',
    /no-values: 0 values|no values for \$1/,
  ],
  ['a query that is not there', ['--rate', '5', '--mix', 'two'], 'BAD_OPTION', /no query two/],
  ['weights of 0', ['--rate', '5', '--mix', 'one=0'], 'BAD_OPTION', /all weights are 0/],
  [
    'more connections than fit',
    ['--rate', '5', '--mix', 'one', '--connections', '490'],
    'BAD_OPTION',
    /the server has room for \d+ more/,
  ],
  ['a step without an end', ['--rate', '5', '--duration', '1h'], 'BAD_OPTION', /1s to 10min/],
])('%s: exit 2, and nothing is sent', async (_, args, code, message) => {
  await using database = await testDatabase(tables)
  const { code: exit, stdout } = await run(database, [...args, '--allow', 'LOAD', '--format', 'json'])
  expect(exit).toBe(2)
  const { error } = JSON.parse(stdout)
  expect(error.code).toBe(code)
  expect(error.message).toMatch(message)
  expect(
    await database.sql`select 1 from pg_stat_activity where application_name = 'perfdb load' and datname = current_database()`,
  ).toEqual([])
})

test('others are busy on the server: LOAD, which is allowed by name', async () => {
  await using database = await testDatabase(tables)
  const busy = database.sql`select pg_sleep(60)`.catch(() => undefined)
  await until(
    async () =>
      (await database.sql`select 1 from pg_stat_activity where query like '%pg_sleep(60)' and pid <> pg_backend_pid()`)
        .length > 0,
  )
  const refused = await run(database, ['--rate', '5', '--mix', 'one'])
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(/error\[HAZARD\]: LOAD: \d+ other sessions? (is|are) busy/)
  const [step] = await stepsOf(database, ['--rate', '5', '--duration', '1s', '--mix', 'one', '--allow', 'LOAD'])
  expect(step?.success).toBe(1)
  await database.sql`select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)' and pid <> pg_backend_pid()`
  await busy
})

test('WRITE_QUERY: what changes data is committed, and it says so', async () => {
  await using database = await testDatabase(tables)
  const args = ['--rate', '20', '--duration', '1s', '--mix', 'write', '--mix', 'one', '--allow', 'LOAD,WRITE_QUERY']
  const { code, stdout, stderr } = await run(database, args)
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('committed, each time: write')
  expect(await database.sql`select 1 from orders`).toEqual([])
})

test('a service of a pools file: a pool for each of its processes, dealt to two threads; a thread that cannot begin says why', async () => {
  await using database = await testDatabase(tables)
  const pools = `version: 1
kind: pools
servers: { main: { max_connections: 100 } }
services:
  web: { server: main, database: d, role: r, runtime: { kind: gunicorn, processes: 2, threads: 2 }, instances: 2, pool: { driver: psycopg2, max: 5 } }
  api: { server: main, via: http }
`
  const text = (service: string) =>
    `${profile}load: { mix: { by-user: 1 }, service: ${service}, pools: p/shop.pools.yaml, rates: [60/s], duration: 1s }\n`
  await using place = await folder({
    'p/shop.pools.yaml': pools,
    'my.yaml': text('web'),
    'wrong.yaml': text('wbe'),
    'http.yaml': text('api'),
  })
  const load = async (file: string, ...more: string[]) =>
    perfdb(['load', file, '--allow', 'LOAD', '--format', 'json', ...more], {
      cwd: place.path,
      environment: { DATABASE_URL: database.url },
    })
  const { code, stdout } = await load('my.yaml', '--threads', '2')
  expect(code, stdout).toBe(0)
  const { service, pools: count, connections, threads, load: measured } = loadResult.parse(JSON.parse(stdout))
  // Two instances of two processes, each with two threads that take a connection.
  expect({ service, count, connections, threads }).toEqual({ service: 'web', count: 4, connections: 8, threads: 2 })
  const [step] = measured.after.steps
  expect(step).toMatchObject({ success: 1, offered: 60 })
  expect(Math.abs(Number(step?.due) - 60)).toBeLessThan(5 * Math.sqrt(60))
  expect(await sessions(database)).toEqual([])
  const messages = ['wrong.yaml', 'http.yaml'].map(async (file) => {
    const refused = await load(file)
    expect(refused.code).toBe(2)
    return JSON.parse(refused.stdout).error.message
  })
  expect(await Promise.all(messages)).toEqual([
    'load.service: no service wbe in p/shop.pools.yaml',
    'load.service: api speaks HTTP and has no connections of its own',
  ])
})

test('requests that fail: exit 1, and how many met which SQLSTATE', async () => {
  await using database = await testDatabase(`create table orders (user_id int);
    create function broken(int) returns int language plpgsql stable as $$ begin raise sqlstate '42501'; end $$;
    create view failing as select broken(1)`)
  await using place = await folder({ 'my.yaml': profile.replace('select 1', 'select * from failing') })
  const args = ['load', 'my.yaml', '--rate', '50', '--duration', '1s', '--mix', 'one', '--allow', 'LOAD']
  const { code, stdout } = await perfdb(args, { cwd: place.path, environment: { DATABASE_URL: database.url } })
  expect(stdout).toMatch(/^1 step measured, 1 failed: \d+ x 42501$/m)
  expect(code).toBe(1)
})

test('Ctrl-C in a step: what was measured is printed, exit 130, no session stays', async () => {
  await using database = await testDatabase(tables)
  await using place = await folder({ 'my.yaml': profile })
  const args = ['load', 'my.yaml', '--rate', '50', '--duration', '5min', ...ofBoth, '--allow', 'LOAD']
  const child = start(args, { cwd: place.path, environment: { DATABASE_URL: database.url } })
  const end = ended(child)
  await until(
    async () =>
      (
        await database.sql`select 1 from pg_stat_activity where application_name = 'perfdb load' and query like '%user_id%'`
      ).length > 0,
  )
  child.kill('SIGINT')
  const { code, stdout } = await end
  expect(code).toBe(130)
  expect(stdout).toMatch(/^1 step measured, 1 ended early$/m)
  expect(stdout).toContain('cut short')
  expect(await sessions(database)).toEqual([])
})

test('the server tells what it counted of each query; it is killed in a step: what was measured is printed, exit 1', async () => {
  await using server = await ownServer({ shared_preload_libraries: 'pg_stat_statements' })
  await using place = await folder({
    'my.yaml': profile.replaceAll('orders', 'pg_class').replace('user_id', 'relpages'),
  })
  const of = ['load', 'my.yaml', ...ofBoth, '--format', 'json']
  const args = [...of, '--rate', '50,100', '--duration', '5min']
  const { default: postgres } = await import('postgres')
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  await sql`create extension pg_stat_statements`
  const environment = { DATABASE_URL: server.url }
  const seen = await perfdb([...of, '--rate', '50', '--duration', '1s'], { cwd: place.path, environment })
  const [first] = loadResult.parse(JSON.parse(seen.stdout)).load.after.steps
  const counted = (first?.server.queries ?? []).toSorted((one, other) => one.query.localeCompare(other.query))
  expect(counted.map(({ query }) => query)).toEqual(['by-user', 'one'])
  // Warm-up included.
  expect(counted.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThanOrEqual(Number(first?.due))
  expect(counted[1]?.rows).toBe(1)

  const end = ended(start(args, { cwd: place.path, environment }))
  // The first requests were answered: the step has begun.
  await until(
    async () =>
      (
        await sql`select 1 from pg_stat_activity where application_name = 'perfdb load' and state = 'idle' and query like '%relpages%'`
      ).length > 1,
  )
  await sql.end()
  await server.stop('immediate')
  const { code, stdout } = await end
  expect(code).toBe(1)
  const { steps } = loadResult.parse(JSON.parse(stdout)).load.after
  expect(steps).toHaveLength(1)
  expect(steps[0]).toMatchObject({ offered: 50, cut_short: true })
})

test('the histogram: every percentile within a thousandth of the exact one, from microseconds to an hour', () => {
  const histogram = makeHistogram()
  const times = Array.from({ length: 20_000 }, (_, at) => (0.001 * 1.0011 ** at) % 3_600_000)
  for (const time of times) record(histogram, time)
  const sorted = times.toSorted((one, other) => one - other)
  for (const share of [0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1]) {
    const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
    expect(Math.abs(Number(percentile(histogram, share)) - exact)).toBeLessThanOrEqual(Math.max(0.0006, exact * 0.001))
  }
  expect(percentile(makeHistogram(), 0.5)).toBeNull()
})

async function run(database: TestDatabase, args: readonly string[]) {
  await using place = await folder({ 'my.yaml': profile })
  return await perfdb(['load', 'my.yaml', ...args], { cwd: place.path, environment: { DATABASE_URL: database.url } })
}

async function perfdbWith(database: TestDatabase, text: string, args: readonly string[]) {
  await using place = await folder({ 'my.yaml': text })
  const all = ['load', 'my.yaml', '--allow', 'LOAD', ...args]
  return await perfdb(all, { cwd: place.path, environment: { DATABASE_URL: database.url } })
}

async function stepsOf(database: TestDatabase, args: readonly string[]): Promise<readonly LoadStep[]> {
  const { code, stdout, stderr } = await run(database, [...args, '--allow', 'LOAD', '--format', 'json'])
  expect(code, stderr + stdout).toBe(0)
  return loadResult.parse(JSON.parse(stdout)).load.after.steps
}

async function sessions(database: TestDatabase): Promise<readonly unknown[]> {
  return [
    ...(await database.sql`select application_name from pg_stat_activity where datname = current_database() and application_name like 'perfdb%'`),
  ]
}

async function until(so: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000
  while (!(await so())) {
    if (performance.now() > end) throw new Error('it never came')
    await pause(20)
  }
}
