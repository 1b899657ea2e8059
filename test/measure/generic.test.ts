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
  expect(found?.message).toMatch(/does not use rare: cost [\d.]+ instead of [\d.]+/)
  expect(await session.query('select name from pg_catalog.pg_prepared_statements')).toEqual([])
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
