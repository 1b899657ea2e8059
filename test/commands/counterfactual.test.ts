import { expect, test } from 'vitest'
import { newArm, takeTurns } from '../../src/measure/query/arms.js'
import { interleave } from '../../src/measure/query/counterfactual.js'
import { hiddenRuns, readHideable } from '../../src/measure/query/hidden.js'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { limitsOf } from '../../src/measure/sample/limits.js'
import { aQuery } from '../measure/a-query.js'
import { openSession } from '../measure/open-session.js'
import { shop } from '../measure/shop.js'
import { apply } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { openTransaction } from '../support/leftover.js'
import { profilesOf } from '../support/profile.js'

const limits = limitsOf({ allowWrites: false })

test('a hidden index is hidden from this session alone, and only until the transaction ends', async () => {
  await using db = await testDatabase(
    `${shop} create index by_customer on jobs (customer_id); create unique index by_total on jobs (total); analyze jobs;`,
  )
  await using session = await openSession(db.url)
  await using other = await openSession(db.url)
  const [hidden, unique] = await readHideable(
    session,
    [
      { schema: 'public', name: 'by_customer' },
      { schema: 'public', name: 'by_total' },
      { schema: 'public', name: 'jobs_pkey' },
    ],
    limits,
  )
  expect(unique?.reason).toBe('it is unique')
  const subject = { text: 'select * from jobs where customer_id = 7', values: [], writes: false }
  const seen: (readonly string[])[] = []
  const looks = async (oids: readonly number[]) =>
    hiddenRuns(session, subject, oids, 'plain', 1, limits, (plan) => seen.push(plan.indexes) > 0)
  const oids = hidden?.leaves.map(({ oid }) => oid) ?? []
  await looks([])
  await looks(oids)
  // The other one writes and plans as before, while the index is hidden here.
  await hiddenRuns(session, subject, oids, 'plain', 1, limits, () => true)
  const during = hiddenRuns(
    session,
    { ...subject, text: 'select pg_sleep(0.3), count(*) from jobs where customer_id = 7' },
    oids,
    'sample',
    1,
    limits,
    (plan) => seen.push(plan.indexes) > 0,
  )
  await other.query("update jobs set note = 'n' where id = 7")
  const lines = await other.query<{ 'QUERY PLAN': string }>(`explain ${subject.text}`)
  expect(lines.map((line) => line['QUERY PLAN']).join('\n')).toContain('by_customer')
  await during
  await looks([])
  expect(seen).toEqual([['by_customer'], [], [], ['by_customer']])
  // What is unique is never hidden, whoever asks.
  expect(await looks(unique?.leaves.map(({ oid }) => oid) ?? [])).toBe(false)
  expect((await db.sql`select count(*)::int as n from pg_index where not indisvalid`)[0]).toEqual({ n: 0 })
})

test('leaves of a partitioned index are hidden one by one, and nothing while an index is built', async () => {
  await using db = await testDatabase(`
    create table parts (id int not null, at date not null, pad text) partition by range (at);
    create table parts_1 partition of parts for values from ('2024-01-01') to ('2024-07-01');
    create table parts_2 partition of parts for values from ('2024-07-01') to ('2025-01-01');
    insert into parts select n, '2024-01-01'::date + n % 360, repeat('x', 50) from generate_series(1, 20000) n;
    create index by_id on parts (id); analyze parts;
  `)
  await using session = await openSession(db.url)
  const [index] = await readHideable(session, [{ schema: 'public', name: 'by_id' }], limits)
  expect(index?.leaves.map(({ table }) => table).toSorted()).toEqual(['public.parts_1', 'public.parts_2'])
  const built = [{ schema: 'public', name: 'by_id' }]
  const query = aQuery('select * from parts where id = 77')
  const options = { samples: 21, timeBudgetMs: 1000, allowWrites: false }
  const after = await measureQueries(session, [query], options)
  const found = await interleave(session, built, after, after, options)
  expect(found.without.map(({ index: { name }, comparison: { verdict } }) => [name, verdict])).toEqual([
    ['by_id', 'faster'],
  ])
  expect(found.stopped).toBeNull()
})

const profile = `version: 1
profile: apart
indexes:
  - { name: i_customer, table: jobs, keys: [customer_id] }
  - { name: i_customer_total, table: jobs, keys: [total, customer_id] }
queries:
  - { name: both, sql: "select * from jobs where customer_id = 7 or total = 12", expect: { speedup: 1.5, uses: [i_customer, i_customer_total] } }
  - { name: one, sql: select * from jobs where customer_id = 9 }
  - { name: neither, sql: "select status, count(*) from jobs group by status" }
`

test('each index is left out in turn: a bitmap that needs both pays for both, and what only one uses for one', async () => {
  await using db = await testDatabase(shop)
  const profiles = await profilesOf(profile)
  const { result } = await apply(db.url, profiles, { measure: true, counterfactual: 'on' })
  expect(result).toMatchObject({ exit_code: 0, counterfactual: { on: true }, weights: 'equal' })
  const both = result.queries.find(({ name }) => name === 'both')
  expect(both?.counterfactual?.without.map(({ indexes, verdict }) => [indexes, verdict]).toSorted()).toEqual([
    [['i_customer'], 'faster'],
    [['i_customer_total'], 'faster'],
  ])
  expect(both).toMatchObject({ verdict: 'faster', before: { indexes: [] } })
  expect(result.queries.map(({ verdict }) => verdict)).toEqual(['faster', 'faster', 'same'])
  expect(result.prices?.map(({ index, verdict }) => [index, verdict]).toSorted()).toEqual([
    ['i_customer', 'pays'],
    ['i_customer_total', 'pays'],
  ])
  expect(result.noise?.pairs).toBeGreaterThan(0)
  expect(result.noise?.in_turns?.floor).toBeGreaterThanOrEqual(1)
  expect(result.build_ms).toBeGreaterThan(0)
  expect(result.measure_ms).toBeGreaterThan(0)
})

test('without hiding, indexes of one query plan are credited together', async () => {
  await using db = await testDatabase(shop)
  const { result } = await apply(db.url, await profilesOf(profile), { measure: true, samples: 21 })
  expect(result.counterfactual).toMatchObject({ on: false, reason: expect.stringContaining('--counterfactual on') })
  expect(result.prices?.find(({ index }) => index === 'i_customer_total')?.reason).toMatch(
    /^i_customer_total and i_customer together: both [\d.]+x faster$/,
  )
  expect(result.queries[0]).not.toHaveProperty('counterfactual')
  expect(result.queries.map(({ verdict }) => verdict)).toEqual(['faster', 'faster', 'same'])
})

test('a role that is no superuser: on is refused before anything, allowed says why not', async () => {
  await using db = await testDatabase(
    `${shop} create role plain_measurer login password 'secret-word'; grant all on schema public to plain_measurer; grant plain_measurer to current_user;
     alter table jobs owner to plain_measurer; alter table customers owner to plain_measurer;`,
  )
  const url = new URL(db.url)
  url.username = 'plain_measurer'
  url.password = 'secret-word'
  try {
    const profiles = await profilesOf(profile)
    await expect(apply(url.href, profiles, { measure: true, counterfactual: 'on', samples: 3 })).rejects.toMatchObject({
      code: 'PRIVILEGE',
    })
    expect(await db.sql`select indexname from pg_indexes where indexname like 'i\\_%'`).toHaveLength(0)
    const { result } = await apply(url.href, profiles, { measure: true, counterfactual: 'allowed', samples: 21 })
    expect(result).toMatchObject({
      exit_code: 0,
      measured_as: 'plain_measurer',
      counterfactual: { on: false, reason: 'indexes were not hidden to compare: plain_measurer is not a superuser' },
    })
  } finally {
    await db.sql.unsafe(
      'reassign owned by plain_measurer to current_user; drop owned by plain_measurer; drop role plain_measurer',
    )
  }
})

test('why nothing could be hidden is told, and the sides of before stay', async () => {
  await using db = await testDatabase(`${shop} create index by_customer on jobs (customer_id); analyze jobs;`)
  await using session = await openSession(db.url)
  const options = { samples: 7, timeBudgetMs: 1000, lockTimeoutMs: 200, allowWrites: false }
  const after = await measureQueries(session, [aQuery('select * from jobs where customer_id = 7')], options)
  await using other = await openTransaction(db.sql, 'begin', 'lock table pg_catalog.pg_index in access exclusive mode')
  const built = [{ schema: 'public', name: 'by_customer' }]
  const found = await interleave(session, built, after, after, options)
  await other.end()
  expect(found.stopped).toBe('the indexes to hide could not be looked up: waited for a lock longer than 200 ms')
  expect(found.after).toEqual(after)
})

test('a query that fails in its turns is named, and the others are measured in turns', async () => {
  await using db = await testDatabase(
    'create table many as select n as id, n as other from generate_series(1, 2000) n; analyze many;',
  )
  await using session = await openSession(db.url)
  const queries = [
    { ...aQuery('select * from many where pg_sleep(0.001) is not null and id = 7'), name: 'sleeps' },
    { ...aQuery('select * from many where other = 7'), name: 'reads' },
  ]
  const options = { samples: 7, timeBudgetMs: 1000, allowWrites: false }
  const before = await measureQueries(session, queries.slice(1), { ...options, samples: 1 })
  await db.sql.unsafe('create index by_id on many (id); create index by_other on many (other)')
  const after = await measureQueries(session, queries, options)
  const built = ['by_id', 'by_other'].map((name) => ({ schema: 'public', name }))
  const found = await interleave(session, built, before, after, { ...options, statementTimeoutMs: 500 })
  expect(found.stopped).toBe('not measured in turns: sleeps (stopped by statement_timeout after 500 ms)')
  expect([...found.interleaved].map(({ query }) => query.name)).toEqual(['reads'])
})

test('sides that lie far apart end with ten samples in rounds enough for an interval, sides that do not go on to the usual number', async () => {
  await using db = await testDatabase(
    `create table many as select n as id, repeat('x', 60) as pad from generate_series(1, 100000) n; create index by_id on many (id); analyze many;`,
  )
  await using session = await openSession(db.url)
  const [index] = await readHideable(session, [{ schema: 'public', name: 'by_id' }], limits)
  const subject = { text: 'select * from many where id = 7', values: [], writes: false }
  const samplesOf = async (...hidden: readonly (readonly number[])[]) => {
    const arms = hidden.map(newArm)
    const counts = () => arms.map(({ rounds }) => rounds.length)
    expect(await takeTurns(session, subject, arms, 60_000, limits)).toBe(true)
    const first = counts()
    expect(await takeTurns(session, subject, arms, 60_000, limits)).toBe(true)
    // What held in the time of one visit alone is not all that is known.
    for (const [at, count] of counts().entries()) expect(count - (first[at] ?? 0)).toBeGreaterThanOrEqual(3)
    expect(Math.min(...counts())).toBeGreaterThanOrEqual(6)
    return arms.map(({ rounds }) => rounds.flat().length)
  }
  const [quick = 0, slow = 0] = await samplesOf([], index?.leaves.map(({ oid }) => oid) ?? [])
  expect(quick).toBeGreaterThanOrEqual(10)
  expect(slow).toBeGreaterThanOrEqual(10)
  expect(slow).toBeLessThan(limits.leastSamples)
  const near = await samplesOf([], [])
  expect(near.filter((count) => count < limits.leastSamples)).toEqual([])
})
