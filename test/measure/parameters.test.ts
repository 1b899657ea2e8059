import { expect, test } from 'vitest'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { testDatabase } from '../support/database.js'
import { aQuery } from './a-query.js'
import { openSession } from './open-session.js'
import { shop } from './shop.js'

const few = { samples: 3, allowWrites: false }

async function queryMeasured(script: string, sql: string) {
  await using database = await testDatabase(script)
  await using session = await openSession(database.url)
  const [one] = await measureQueries(session, [aQuery(sql)], few)
  return one
}

async function measured(script: string, sql: string) {
  return (await queryMeasured(script, sql))?.measurements ?? []
}

test('a query without values is measured with a common and a rare one', async () => {
  const script = `${shop} create index by_status on jobs (status); vacuum analyze jobs;`.replace('vacuum ', '')
  const one = await queryMeasured(script, 'select * from jobs where status = $1 and total > $2 limit $3')
  expect(one?.sampled?.map(({ values: [status] }) => status)).toEqual(['common', 'rare'])
  const [common, rare] = one?.measurements ?? []
  expect([common?.params, rare?.params]).toEqual(['common', 'rare'])
  const filters = (one: typeof common) =>
    one?.plan?.nodes.map(({ filter, indexCondition }) => `${indexCondition} ${filter}`).join(' ') ?? ''
  // The values themselves are nobody's to see.
  expect(filters(common)).toContain('(jobs.status = $1::text)')
  expect(common?.rows).toBe(10)
})

test('a value that is rare gets another query plan, which is told', async () => {
  const script = `create table t (kind int, pad text); insert into t select case when n % 1000 = 0 then n else 7 end, repeat('x', 200)
    from generate_series(1, 30000) n; create index by_kind on t (kind); analyze t;`
  const [common, rare] = await measured(script, 'select * from t where kind = $1')
  expect([common?.plan?.indexes, rare?.plan?.indexes]).toEqual([[], ['by_kind']])
  expect(common?.rows).toBe(29_970)
  const found = common?.findings.find(({ code }) => code === 'PARAMETER_SENSITIVE')
  expect(found?.message).toBe(
    'the query plan depends on the values: common: Seq Scan t; rare: Index Scan t using by_kind',
  )
})

test('the values of a list are others, each of the same column', async () => {
  const sql = 'select count(*) from jobs where status in ($1, $2) and customer_id not in ($3, $4)'
  const one = await queryMeasured(shop, sql)
  expect(one?.sampled?.map(({ values }) => values.slice(0, 2))).toEqual([
    ['common', 'rare'],
    ['rare', 'common'],
  ])
  for (const { values } of one?.sampled ?? []) expect(values[2]).not.toBe(values[3])
  expect(one?.measurements.map(({ status }) => status)).toEqual(['measured', 'measured'])
})

test('a range: half of the rows, and a twentieth', async () => {
  const [common, rare] = await measured(shop, 'select * from jobs where total > $1')
  expect(common?.rows).toBeGreaterThan(9000)
  expect(common?.rows).toBeLessThan(11_000)
  expect(rare?.rows).toBeGreaterThan(500)
  expect(rare?.rows).toBeLessThan(1500)
})

test('joins, lists, patterns, intervals and a table without statistics', async () => {
  const joined = await measured(
    shop,
    `select * from jobs j join customers c on c.id = j.customer_id
     where c.email = $1 and j.status = any ($2) and j.note like $3 and j.created_at > '2024-01-05'::timestamptz - $4::interval`,
  )
  expect(joined.map(({ status }) => status)).toEqual(['measured', 'measured'])
  const script = 'create table u (a int, b text); insert into u values (5, $$x$$)'
  const sampled = await measured(script, 'select * from u where b = $1')
  expect(sampled).toMatchObject([{ status: 'measured', rows: 1, params: 'common' }])
})

test('a parameter that nothing is known of', async () => {
  const [one] = await measured(shop, 'select count(*) from jobs where $1::uuid is null')
  expect(one).toMatchObject({
    status: 'not_measured',
    reason:
      'the query has 1 parameter without values, and the statistics know none for it: params of a profile gives them',
  })
})

test('a parameter that decides on no row may be anything', async () => {
  const sql = `select count(*) filter (where status = $1) from jobs where total > $2`
  const [one] = await measured(shop, sql)
  expect(one).toMatchObject({ status: 'measured', rows: 1 })
  const [deciding] = await measured(shop, 'select count(*) from jobs group by status = $1, coalesce($2::text, note)')
  expect(deciding).toMatchObject({
    status: 'not_measured',
    reason:
      'the query has 2 parameters without values, and the statistics know none for each of them: params of a profile gives them',
  })
})
