import { expect, test } from 'vitest'
import { compare } from '../../src/measure/sample/compare.js'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { testDatabase } from '../support/database.js'
import { aQuery, sets } from './a-query.js'
import { openSession } from './open-session.js'
import { shop } from './shop.js'

const quick = { samples: 21, timeBudgetMs: 1000, allowWrites: false }

const queries = [
  aQuery('select * from jobs where customer_id = $1', { name: 'lookup', parameters: sets({ default: ['7'] }) }),
  aQuery('select status, count(*) from jobs group by status', { name: 'groups' }),
  aQuery('select c.name, sum(j.total) from jobs j join customers c on c.id = j.customer_id group by 1', {
    name: 'join',
  }),
  aQuery('select * from jobs where id = 4711', { name: 'point' }),
]

test('what did not change is never faster or slower', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  let before = await measureQueries(session, queries, quick)
  for (let repeat = 0; repeat < 4; repeat += 1) {
    const after = await measureQueries(session, queries, quick)
    for (const [at, measured] of after.entries()) {
      const other = before[at]
      const verdict = other === undefined ? undefined : compare(other, measured)?.verdict
      expect(['same', 'inconclusive']).toContain(verdict)
    }
    before = after
  }
})

test('a real index is faster, and a dropped one slower', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const [lookup] = queries
  if (lookup === undefined) throw new Error('no query')
  const [before] = await measureQueries(session, [lookup], quick)
  await database.sql.unsafe('create index by_customer on jobs (customer_id); analyze jobs')
  const [after] = await measureQueries(session, [lookup], quick)
  if (before === undefined || after === undefined) throw new Error('not measured')
  expect(compare(before, after)).toMatchObject({ verdict: 'faster' })
  expect(compare(after, before)).toMatchObject({ verdict: 'slower' })
  expect(after.measurements[0]?.plan?.indexes).toEqual(['by_customer'])
  expect(before.measurements[0]?.findings.map(({ code }) => code)).toEqual(['SEQ_SCAN'])
})

test('parameters are planned as constants, each set for itself', async () => {
  await using database = await testDatabase(
    `${shop} create index rare on jobs (total) where status = 'rare'; analyze jobs;`,
  )
  await using session = await openSession(database.url)
  const query = aQuery('select * from jobs where status = $1 and total < $2', {
    parameters: sets({ hot: ['common', '50'], rare: ['rare', '150'] }),
  })
  const [measured] = await measureQueries(session, [query], { ...quick, samples: 3 })
  const [hot, rare] = measured?.measurements ?? []
  expect([hot?.params, rare?.params]).toEqual(['hot', 'rare'])
  expect(rare?.plan?.indexes).toEqual(['rare'])
  expect(hot?.plan?.indexes).toEqual([])
  expect(hot?.plan?.nodes[0]?.filter).toContain("'common'::text")
  expect([hot?.rows, rare?.rows]).toEqual([49, 1])
})

test('parameters are text of any type', async () => {
  await using database = await testDatabase(
    `create table t (b bool, at timestamptz, day date, doc jsonb, list int[], raw bytea, n numeric, big int8);
     insert into t values (true, '2024-01-01 12:00+02', '2024-01-01', '{"k": "v"}', '{1,2}', '\\x00ff', 1.50, 9007199254740993)`,
  )
  await using session = await openSession(database.url)
  const query = aQuery(
    `select * from t where b = $1 and at = $2 and day = $3 and doc = $4 and list = $5 and raw = $6 and n = $7 and big = $8
      and $9::text is null`,
    {
      parameters: sets({
        default: [
          'yes',
          '2024-01-01 12:00+02',
          '2024-01-01',
          '{"k":"v"}',
          '{1,2}',
          '\\x00ff',
          '1.5',
          '9007199254740993',
          null,
        ],
      }),
    },
  )
  const [measured] = await measureQueries(session, [query], { ...quick, samples: 3 })
  expect(measured?.measurements[0]).toMatchObject({ status: 'measured', rows: 1 })
})

test('the search path of the database is the one the query gets', async () => {
  await using database = await testDatabase('create schema app; create table app.things (a int)')
  await database.sql.unsafe(`alter database ${database.name} set search_path = app`)
  await using session = await openSession(database.url)
  const [measured] = await measureQueries(session, [aQuery('select * from things')], { ...quick, samples: 3 })
  expect(measured?.measurements[0]?.plan?.nodes[0]).toMatchObject({ schema: 'app', relation: 'things' })
})

test('samples stop at the most that are allowed, with the control in each round', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const done: string[] = []
  const measured = await measureQueries(session, queries.slice(0, 2), {
    ...quick,
    samples: 8,
    onMeasured: (one, at, total) => done.push(`${one.query.name} ${at}/${total}`),
  })
  expect(measured.map(({ measurements }) => measurements[0]?.executionMs.length)).toEqual([8, 8])
  expect(measured[0]?.measurements[0]?.controlMs.length).toBeGreaterThanOrEqual(2)
  expect(done).toEqual(['lookup 1/2', 'groups 2/2'])
})

test('a spent time budget leaves a sample for each query', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const [measured] = await measureQueries(session, queries, { samples: 101, timeBudgetMs: 0, allowWrites: false })
  expect(measured?.measurements[0]).toMatchObject({ status: 'measured' })
  expect(measured?.measurements[0]?.executionMs).toHaveLength(1)
})

test('a budget of all queries is shared by those that are left', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const slow = Array.from({ length: 3 }, (_, at) => aQuery('select pg_sleep(0.05)', { name: `q${at}` }))
  const samples = async (totalBudgetMs: number) =>
    (await measureQueries(session, slow, { allowWrites: false, totalBudgetMs })).map(
      ({ measurements }) => measurements[0]?.executionMs.length ?? 0,
    )
  // 300 ms each at least, a sample takes 50.
  for (const taken of await samples(0)) expect(taken).toBeLessThanOrEqual(7)
  // 5 s for each, the most of one query.
  expect((await samples(30_000))[0]).toBeGreaterThan(7)
})

test('a control query of the profile is admitted as any other', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const control = 'delete from jobs'
  await expect(measureQueries(session, queries, { ...quick, control })).rejects.toMatchObject({ code: 'BAD_SQL' })
})

test('what a write leaves in the log is that of the sample in the middle, not of one run that had more to do', async () => {
  await using database = await testDatabase(`create table w (a int); create table more (a int); create sequence runs;
    create function at_last() returns trigger language plpgsql as $$ begin
      if nextval('runs') >= 7 then perform pg_sleep(0.02); insert into more select generate_series(1, 500); end if; return new; end $$;
    create trigger at_last before insert on w for each row execute function at_last()`)
  await using session = await openSession(database.url)
  const [measured] = await measureQueries(session, [aQuery('insert into w values (1)')], {
    samples: 5,
    allowWrites: true,
    control: null,
  })
  // A warm-up, five samples, the timed run: the seventh has the rows, and so have two more, as its trigger takes over 1 ms.
  expect(await database.sql`select last_value::int as runs from runs`).toEqual([{ runs: 9 }])
  const { plan, buffers } = measured?.measurements[0] ?? {}
  expect(plan?.triggers[0]?.calls).toBe(1)
  expect(plan?.wal.records).toBeLessThan(20)
  expect(plan?.wal.records).toBeGreaterThan(0)
  expect(buffers?.hit).toBeLessThan(100)
})
