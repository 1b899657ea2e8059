import { expect, test } from 'vitest'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { aQuery, sets } from './a-query.js'
import { openSession } from './open-session.js'

const script = `
  create table t (a int); insert into t select generate_series(1, 100); create sequence s;
  create function writes() returns int language plpgsql volatile as $$ begin insert into t values (0); return 1; end $$;
`
const few = { samples: 3, allowWrites: false }

/** Everything a hostile text could have changed. */
async function state(database: TestDatabase) {
  const [row] =
    await database.sql`select (select count(*)::int from t) as rows, (select last_value::int from s) as sequence,
    (select count(*)::int from pg_class where relnamespace = 'public'::regnamespace) as relations,
    (select count(*)::int from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())) as locks,
    (select count(*)::int from pg_prepared_xacts) as prepared`
  return row
}

const hostile = [
  'insert into t values (1)',
  'create table copied as select * from t',
  'select * into copied from t',
  'create materialized view copied as select * from t',
  'select 1; insert into t values (1)',
  'select 1; commit; insert into t values (1); commit; begin',
  'commit',
  'rollback',
  'select * from t for update',
  'with gone as (delete from t returning *) select * from gone',
  'update t set a = 0',
  'explain analyze insert into t values (1)',
  'copy t to stdout',
  'do $$ begin insert into t values (1); end $$',
  'call pg_catalog.now()',
  "prepare transaction 'x'",
  'set statement_timeout = 0',
  'create index on t (a)',
  'analyze t',
  'drop table t -- select',
  '',
  '-- nothing',
  'select writes()',
  "select nextval('s')",
]

test.each(hostile)('refused and without effect: %s', async (sql) => {
  await using database = await testDatabase(script)
  await using session = await openSession(database.url)
  const before = await state(database)
  const [measured] = await measureQueries(session, [aQuery(sql)], few)
  expect(measured?.measurements).toHaveLength(1)
  expect(measured?.measurements[0]).toMatchObject({ status: 'refused', executionMs: [] })
  expect(measured?.measurements[0]?.reason).not.toBe('')
  expect(await state(database)).toEqual(before)
  // The session goes on.
  const [next] = await measureQueries(session, [aQuery('select count(*) from t')], few)
  expect(next?.measurements[0]).toMatchObject({ status: 'measured', rows: 1 })
})

test('a hostile parameter is a value and nothing else', async () => {
  await using database = await testDatabase(script)
  await using session = await openSession(database.url)
  const before = await state(database)
  const query = aQuery('select $1::text', { parameters: sets({ bad: ["x'; insert into t values (1); --"] }) })
  const [measured] = await measureQueries(session, [query], few)
  expect(measured?.measurements[0]).toMatchObject({ status: 'measured', rows: 1 })
  expect(await state(database)).toEqual(before)
})

test.each([
  ['select pg_advisory_lock(4711)', 'measured'],
  ['select pg_advisory_lock(4711), 1 / (a - a) from t', 'failed'],
  // Folded while planning: fails under plain EXPLAIN too.
  ['select locks_and_fails()', 'failed'],
])('an advisory lock that a query takes is let go: %s', async (sql, status) => {
  await using database = await testDatabase(
    `${script} create function locks_and_fails() returns int language plpgsql immutable
      as $$ begin perform pg_advisory_lock(4711); raise exception 'no'; end $$`,
  )
  await using session = await openSession(database.url)
  const [measured] = await measureQueries(session, [aQuery(sql)], few)
  expect(measured?.measurements[0]?.status).toBe(status)
  expect(await state(database)).toMatchObject({ locks: 0 })
})

test('a statement that writes runs when that is allowed, and is rolled back', async () => {
  await using database = await testDatabase(`${script} alter table t add primary key (a);`)
  await using session = await openSession(database.url)
  const query = aQuery('insert into t values ($1) returning a', { parameters: sets({ default: ['1000'] }) })
  const [measured] = await measureQueries(session, [query], { samples: 3, allowWrites: true })
  expect(measured?.measurements[0]).toMatchObject({ status: 'measured', rows: 1 })
  expect(measured?.measurements[0]?.executionMs).toHaveLength(3)
  expect(await state(database)).toMatchObject({ rows: 100 })
})

test('timeouts and errors say why, with a query plan that did not run', async () => {
  await using database = await testDatabase(script)
  await using session = await openSession(database.url)
  const options = { ...few, statementTimeoutMs: 200, lockTimeoutMs: 100 }
  const one = async (sql: string) => (await measureQueries(session, [aQuery(sql)], options))[0]?.measurements[0]
  const slow = await one('select pg_sleep(5) from t')
  expect(slow).toMatchObject({ status: 'not_measured', sqlstate: '57014', timedOutMs: 200 })
  expect(slow?.reason).toBe('stopped by statement_timeout after 200 ms')
  expect(slow?.plan).toMatchObject({ executionMs: null, signature: 'Seq Scan t' })
  expect(await one('select 1 / (a - a) from t')).toMatchObject({
    status: 'failed',
    sqlstate: '22012',
    reason: 'division by zero',
  })
  expect(await one('select * from missing')).toMatchObject({ status: 'failed', sqlstate: '42P01', plan: null })
  await database.sql.begin(async (sql) => {
    await sql`lock table t in access exclusive mode`
    expect(await one('select * from t')).toMatchObject({ status: 'not_measured', sqlstate: '55P03' })
  })
})

test('parameters that do not match the query', async () => {
  await using database = await testDatabase(script)
  await using session = await openSession(database.url)
  const texts = [
    aQuery('select * from t where a = $1', { parameters: sets({ one: ['1'], two: ['1', '2'] }) }),
    aQuery('select * from t where $1::uuid is not null'),
  ]
  const [some, none] = await measureQueries(session, texts, few)
  expect(some?.measurements.map(({ status }) => status)).toEqual(['measured', 'refused'])
  expect(some?.measurements[1]?.reason).toBe('the query has 1 parameter, params give (two) 2')
  expect(none?.measurements[0]).toMatchObject({ status: 'not_measured' })
  expect(none?.measurements[0]?.reason).toBe(
    'the query has 1 parameter without values, and the statistics know none for it: params of a profile gives them',
  )
  expect(none?.measurements[0]?.plan?.nodes.at(-1)?.type).toBe('Seq Scan')
})

test('an aborted signal cancels the statement and ends the run', async () => {
  await using database = await testDatabase(script)
  await using session = await openSession(database.url)
  const abort = new AbortController()
  const running = measureQueries(session, [aQuery('select pg_sleep(60)')], { ...few, signal: abort.signal })
  await untilActive(database, session.pid)
  abort.abort()
  await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' })
  await expect(measureQueries(session, [aQuery('select 1')], { ...few, signal: abort.signal })).rejects.toMatchObject({
    code: 'INTERRUPTED',
  })
  expect((await measureQueries(session, [aQuery('select 1')], few))[0]?.measurements[0]?.status).toBe('measured')
})

async function untilActive(database: TestDatabase, pid: number): Promise<void> {
  for (;;) {
    const [row] = await database.sql`select 1 from pg_stat_activity where pid = ${pid} and wait_event = 'PgSleep'`
    if (row !== undefined) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
