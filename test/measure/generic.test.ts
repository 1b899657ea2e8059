import { expect, test } from 'vitest'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { testDatabase } from '../support/database.js'
import { aQuery, sets } from './a-query.js'
import { openSession } from './open-session.js'
import { shop } from './shop.js'

const few = { samples: 3, allowWrites: false }

test('a partial index that the generic query plan loses', async () => {
  await using database = await testDatabase(
    `${shop} create index rare on jobs (total) where status = 'rare'; analyze jobs;`,
  )
  await using session = await openSession(database.url)
  const sql = 'select * from jobs where status = $1 and total < $2'
  const [measured] = await measureQueries(
    session,
    [aQuery(sql, { parameters: sets({ default: ['rare', '500'] }) })],
    few,
  )
  const found = measured?.measurements[0]?.findings.find(({ code }) => code === 'GENERIC_PLAN')
  expect(found).toMatchObject({ index: 'rare', query: 'q', severity: 'info' })
  expect(found?.message).toMatch(
    /does not use rare: cost [\d.]+ instead of [\d.]+, [\d.,]+ m?s instead of [\d.,]+ ms \(\d+ runs each, in turns\)/,
  )
  expect(found?.hint).toContain('do not force generic query plans for it')
  expect(await session.query('select name from pg_catalog.pg_prepared_statements')).toEqual([])
})

test('a generic query plan that is the better one, as running both shows, is not advised against', async () => {
  // A value that ANALYZE has not seen: the custom query plan expects one row of it and looks each of 20,000 up; the generic one expects as many as of any other.
  await using database = await testDatabase(
    `create table l (k int not null, v int not null) with (autovacuum_enabled = off);
    insert into l select n % 3, n from generate_series(1, 30000) n; analyze l;
    insert into l select 9, n from generate_series(1, 20000) n;
    create table r (id int primary key, x int not null, pad text not null) with (autovacuum_enabled = off);
    insert into r select n, n, repeat('x', 100) from generate_series(1, 30000) n; analyze r;`,
  )
  await using session = await openSession(database.url)
  const query = aQuery('select sum(r.x) from l join r on r.id = l.v where l.k = $1', {
    parameters: sets({ default: ['9'] }),
  })
  const [measured] = await measureQueries(session, [query], few)
  const found = measured?.measurements[0]?.findings.find(({ code }) => code === 'GENERIC_PLAN')
  expect(found).toMatchObject({ severity: 'info', index: 'r_pkey' })
  expect(found?.hint).not.toContain('do not force')
})

test('an index that both query plans use is no finding, and a query without parameters has no generic query plan', async () => {
  await using database = await testDatabase(`${shop} create index by_customer on jobs (customer_id); analyze jobs;`)
  await using session = await openSession(database.url)
  const queries = [
    aQuery('select * from jobs where customer_id = $1', { parameters: sets({ default: ['5'] }) }),
    aQuery('select * from jobs where customer_id = 5'),
  ]
  const measured = await measureQueries(session, queries, few)
  expect(measured.map(({ measurements }) => measurements[0]?.findings)).toEqual([[], []])
})

test('PREPARE that fails leaves nothing behind', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const query = aQuery('select $1::int / (id - id) from jobs', { parameters: sets({ default: ['1'] }) })
  for (let repeat = 0; repeat < 2; repeat += 1) {
    const [measured] = await measureQueries(session, [query], few)
    expect(measured?.measurements[0]).toMatchObject({ status: 'failed', sqlstate: '22012' })
  }
  expect(await session.query('select name from pg_catalog.pg_prepared_statements')).toEqual([])
})
