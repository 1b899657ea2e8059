import { expect, test } from 'vitest'
import { measureQueries, withValuesOf } from '../../src/measure/query/rounds.js'
import type { QueryMeasurement } from '../../src/measure/sample/measurement.js'
import { toResultQueries } from '../../src/measure/query/result-queries.js'
import type { Query } from '../../src/profile/profile.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/slow.js'
import { aQuery } from './a-query.js'
import { openSession } from './open-session.js'
import { shop } from './shop.js'

const few = { samples: 3, timeBudgetMs: 500, allowWrites: false, control: null }

function variants(statements: readonly string[]): Query {
  const { sql: _, ...rest } = aQuery('')
  return { ...rest, variants: [{ name: 'some', statements }] }
}

function codes(measured: readonly QueryMeasurement[]): readonly string[] {
  return measured.flatMap(({ measurements }) =>
    measurements.flatMap(({ findings }) => findings.map(({ code }) => code)),
  )
}

test('statements that wait for each other over several connections lose that way alone, and no other query its numbers', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const holding = 'select pg_catalog.pg_advisory_xact_lock(7), pg_catalog.pg_sleep(0.2)'
  const measured = await measureQueries(session, [variants([holding, holding]), aQuery('select 1')], {
    ...few,
    samples: 1,
    lockTimeoutMs: 50,
    connect: async () => openSession(database.url),
  })
  expect(measured.map(({ measurements }) => measurements.map(({ status }) => status))).toEqual([
    ['measured', 'measured'],
    ['measured'],
  ])
  expect(measured[0]).toMatchObject({
    notConcurrent: 'waited for a lock longer than 50 ms',
    variants: [{ name: 'some', concurrentMs: null, pipelinedMs: { samples: 1 }, elapsedMs: { samples: 1 } }],
  })
})

test('another connection that is lost is told, and costs nothing but its own times', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const fatal = `select case when pg_catalog.pg_backend_pid() = ${session.pid} then true
    else pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()) end`
  const [measured] = await measureQueries(session, [variants([fatal, fatal])], {
    ...few,
    timeBudgetMs: 60_000,
    connect: async () => openSession(database.url),
  })
  expect(measured?.notConcurrent).toMatch(/lost/)
  expect(measured?.variants).toMatchObject([{ concurrentMs: null, elapsedMs: { samples: 3 } }])
})

test('an abort ends the statements of all connections', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const stop = new AbortController()
  const sleeping = () =>
    database.sql`select 1 from pg_stat_activity where datname = current_database() and query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()`
  const slowElsewhere = `select pg_catalog.pg_sleep(case when pg_catalog.pg_backend_pid() = ${session.pid} then 0 else 20 end)`
  const work = measureQueries(session, [variants([slowElsewhere, slowElsewhere])], {
    ...few,
    signal: stop.signal,
    connect: async () => openSession(database.url),
  })
  const ended = work.then(
    () => 'measured',
    (error: unknown) => String(error),
  )
  await until('another connection sleeps', async () => (await sleeping()).length > 0)
  const start = performance.now()
  stop.abort()
  expect(await ended).toContain('stopped')
  // Twenty seconds of sleep are left.
  expect(performance.now() - start).toBeLessThan(10_000)
  expect(await sleeping()).toHaveLength(0)
})

test('rows that Limit did not ask an aggregate in order for are no wrong estimate', async () => {
  await using database = await testDatabase(`${shop} create index by_customer on jobs (customer_id);`)
  await database.sql`vacuum analyze jobs`
  await using session = await openSession(database.url)
  const query = aQuery('select customer_id, count(*) from jobs group by customer_id order by customer_id limit 10')
  const measured = await measureQueries(session, [query], few)
  expect(measured[0]?.measurements[0]?.plan?.signature).toContain('GroupAggregate')
  expect(codes(measured)).not.toContain('MISESTIMATE')
})

test('blocks that a sub-query of the filter reads are not those of the table', async () => {
  await using database = await testDatabase(`${shop}
    create table small (id int); insert into small select n from generate_series(1, 2000) n; analyze small`)
  await using session = await openSession(database.url)
  const query = aQuery(
    'select id from small s where (select c.name from customers c where c.id = s.id + 990) is not null',
  )
  const measured = await measureQueries(session, [query], few)
  expect(measured[0]?.measurements[0]?.plan?.signature).toContain('Seq Scan small')
  expect(codes(measured)).not.toContain('SEQ_SCAN')
})

test('what the statistics gave for values before is measured after, too', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const query = aQuery('select sum(length(repeat(note, 20))) from jobs where id >= $1')
  const before = await measureQueries(session, [query], { ...few, samples: 21 })
  // With one bound the middle of the histogram is its end: one row instead of ten thousand.
  await database.sql.unsafe('alter table jobs alter id set statistics 1; analyze jobs')
  const other = await measureQueries(session, [query], { ...few, samples: 21 })
  expect(toResultQueries(before, other)[0]?.verdict).toBe('faster')
  const after = await measureQueries(session, withValuesOf(before, [query]), { ...few, samples: 21 })
  expect(toResultQueries(before, after)[0]).toMatchObject({ verdict: 'same' })
})

test('variants of too many rows to fetch are told as that', async () => {
  await using database = await testDatabase()
  await using session = await openSession(database.url)
  const [measured] = await measureQueries(session, [variants(['select n from generate_series(1, 100001) n'])], {
    ...few,
    samples: 1,
  })
  expect(measured).toMatchObject({ variants: [], roundTripMs: null })
  expect(measured?.measurements.at(-1)).toMatchObject({
    status: 'not_measured',
    reason: 'some: over 100,000 rows: too many to fetch again and again',
  })
})

test("values of the statistics are other people's: no report has them, and the reason stays", async () => {
  await using database = await testDatabase(`${shop}
    insert into customers select n, 'customer ' || n, 'c' || n || '@example.com' from generate_series(1001, 30000) n; analyze customers`)
  await using session = await openSession(database.url)
  const query = aQuery('select id from customers where email = $1 and name > $2')
  const measured = await measureQueries(session, [query], few)
  const [one] = measured[0]?.measurements ?? []
  expect(one?.status).toBe('measured')
  expect(codes(measured)).toContain('SEQ_SCAN')
  expect(JSON.stringify(toResultQueries(null, measured))).not.toMatch(/@example|customer \d/)
  expect(one?.plan?.nodes[0]?.filter).toContain('(customers.email = $1::text)')
  expect(one?.findings.find(({ code }) => code === 'SEQ_SCAN')?.hint).toMatch(/email/)
  // What a profile says itself is shown.
  const given = aQuery(`select id from customers where email = 'x@example.com'`)
  expect(JSON.stringify(toResultQueries(null, await measureQueries(session, [given], few)))).toContain('x@example.com')
})
