import { expect, test } from 'vitest'
import type { QueryMeasurement } from '../../src/measure/sample/measurement.js'
import { answerFindings, comparisons } from '../../src/measure/query/comparisons.js'
import { measureQueries } from '../../src/measure/query/rounds.js'
import type { Query } from '../../src/profile/profile.js'
import { compareRows, type Answering } from '../../src/measure/variants/variants-rows.js'
import type { Session } from '../../src/server/session/session.js'
import { testDatabase } from '../support/database.js'
import { proxyBefore } from '../support/network.js'
import { aQuery, sets } from './a-query.js'
import { openSession } from './open-session.js'
import { shop } from './shop.js'
import { limitsOf } from '../../src/measure/sample/limits.js'

const few = { samples: 5, timeBudgetMs: 2000, allowWrites: false }

function variants(written: Readonly<Record<string, readonly string[] | string>>, more: Partial<Query> = {}): Query {
  const { sql: _, ...rest } = aQuery('', more)
  const list = Object.entries(written).map(([name, statements]) => ({ name, statements: [statements].flat() }))
  return { ...rest, variants: list }
}

async function measured(session: Session, query: Query, more = {}): Promise<QueryMeasurement> {
  const [one] = await measureQueries(session, [query], { ...few, ...more })
  if (one === undefined) throw new Error('not measured')
  return one
}

const counts = [
  'select count(*) from jobs where status = $1',
  'select count(*) from customers',
  'select max(total) from jobs where status = $1 and customer_id < $2',
  'select min(created_at) from jobs',
  'select name from customers where id = 7',
]

test('one after another, in one pipeline, and over at most four connections that are closed again', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const pids: number[] = []
  const connect = async () => {
    const other = await openSession(database.url)
    pids.push(other.pid)
    return other
  }
  const query = variants(
    { five: counts, one: `select ${counts.map((text) => `(${text})`).join(', ')}` },
    { parameters: sets({ default: [`rare`, '500'] }) },
  )
  const result = await measured(session, query, { connect, timeBudgetMs: 30_000 })
  expect(result.measurements.map(({ status, reason }) => reason ?? status)).toEqual(Array(6).fill('measured'))
  const [five, one] = result.variants
  expect(five).toMatchObject({ name: 'five', statements: 5, connections: 4 })
  for (const time of [five?.elapsedMs, five?.pipelinedMs, five?.concurrentMs])
    expect(time).toMatchObject({ samples: 5 })
  expect(one).toMatchObject({ pipelinedMs: null, concurrentMs: null })
  expect(pids).toHaveLength(3)
  await expect
    .poll(async () => database.sql`select pid from pg_stat_activity where pid = any(${pids}::int[])`)
    .toEqual([])
  expect(await session.query('select name from pg_catalog.pg_prepared_statements')).toEqual([])
  const [document] = comparisons([result])
  expect(document?.variants[0]).toMatchObject({ pipelined_ms: {}, concurrent_ms: {}, connections: 4 })
  expect(document?.variants[1]).not.toHaveProperty('pipelined_ms')
  expect(document?.rows).toEqual([
    { variant: 'one', against: 'five', answer: 'same_values', reason: 'in rows of another shape' },
  ])
})

test('a pipeline waits for one round trip, whatever parameters its statements have', async () => {
  await using database = await testDatabase(shop)
  await using far = await proxyBefore(database.url, 30)
  await using session = await openSession(far.url)
  const query = variants({ five: counts }, { parameters: sets({ default: ['rare', '500'] }) })
  const { variants: found, roundTripMs } = await measured(session, query, { samples: 3 })
  expect(roundTripMs).toBeGreaterThanOrEqual(59)
  // Five round trips of 60 ms against one, each with what a busy machine adds to it.
  const { elapsedMs, pipelinedMs } = found[0] ?? {}
  expect(elapsedMs?.low).toBeGreaterThanOrEqual(297)
  expect(pipelinedMs?.low).toBeLessThan((elapsedMs?.low ?? 0) / 2)
})

test('concurrent statements run at once', async () => {
  await using database = await testDatabase()
  await using session = await openSession(database.url)
  const query = variants({ two: ['select pg_sleep(0.3)', 'select pg_sleep(0.3)'] })
  const running = measured(session, query, { samples: 1, connect: async () => openSession(database.url) })
  const napping = async () => database.sql<{ both: boolean }[]>`select count(*) = 2 as both from pg_stat_activity
    where datname = ${database.name} and wait_event = 'PgSleep' and query ~ 'pg_sleep'`
  const seen = expect.poll(async () => (await napping())[0]?.both, { timeout: 20_000, interval: 20 }).toBe(true)
  const [
    {
      variants: [two],
    },
  ] = await Promise.all([running, seen])
  expect(two).toMatchObject({ connections: 2, concurrentMs: { samples: 1 } })
})

test('without more connections the rest is measured all the same, and the reason told', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const query = variants({ two: ['select 1', 'select 2'], one: 'select 1, 2' })
  const refused = await measured(session, query, {
    connect: async () => openSession(`postgres://nobody_of_that_name@${new URL(database.url).host}/${database.name}`),
  })
  expect(refused.variants[0]).toMatchObject({ concurrentMs: null, pipelinedMs: { samples: 5 } })
  expect(comparisons([refused])[0]?.not_concurrent).toMatch(/nobody_of_that_name|password|authentication/)
  const unasked = await measured(session, query)
  expect(comparisons([unasked])[0]).not.toHaveProperty('not_concurrent')
})

test('statements that write are pipelined, not spread, and nothing of them stays', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const query = variants({ writes: ['update jobs set total = 0 where id = 1', 'delete from jobs where id = 2'] })
  const result = await measured(session, query, {
    allowWrites: true,
    connect: async () => {
      throw new Error('no connection is needed')
    },
  })
  expect(result.variants[0]).toMatchObject({ concurrentMs: null, connections: 0, pipelinedMs: { samples: 5 } })
  expect(await database.sql`select total from jobs where id in (1, 2) order by id`).toEqual([
    { total: '1' },
    { total: '2' },
  ])
})

const jobs = 'select id, status from jobs where id <= 5'

const cases = [
  ['in another order', { a: `${jobs} order by id`, b: `${jobs} order by id desc` }, 'same_rows', null],
  ['with other names', { a: jobs, b: jobs.replace('id,', 'id as number,') }, 'same_rows', null],
  ['a row twice', { a: jobs, b: `${jobs} union all select 1, 'common'` }, 'other_rows', '6 rows against 5'],
  ['another value', { a: jobs, b: jobs.replace('status', "'x'") }, 'other_rows', 'as many rows (5), not the same'],
  ['columns exchanged', { a: 'select 1, 2', b: 'select 2, 1' }, 'other_rows', 'as many rows (1), not the same'],
  ['none', { a: 'select 1 where false', b: 'select 2 where false' }, 'same_rows', 'neither gives a row'],
  ['none and one', { a: 'select 1 where false', b: 'select 1' }, 'other_rows', '1 row against 0'],
  ['null and empty', { a: 'select null', b: `select ''` }, 'other_rows', 'as many rows (1), not the same'],
  ['columns of one name', { a: 'select 1 as x, 2 as x', b: 'values (1, 2)' }, 'same_rows', null],
  [
    'two against their union',
    { a: ['select 1', 'select 2'], b: 'select 1 union all select 2' },
    'same_rows',
    'of all statements together',
  ],
  [
    'statements exchanged',
    { a: ['select 1', 'select 2'], b: ['select 2', 'select 1'] },
    'same_rows',
    'of all statements together',
  ],
  [
    'the second differs',
    { a: ['select 1', 'select 2'], b: ['select 1', 'select 3'] },
    'other_rows',
    'statement 2: as many rows (1), not the same',
  ],
  [
    'two against columns',
    { a: ['select 1', `select 'x'`], b: `select 1, 'x'` },
    'same_values',
    'in rows of another shape',
  ],
  [
    'a wrong column',
    { a: ['select 1', 'select 2'], b: 'select 1, 3' },
    'other_rows',
    'as many values (2), not the same',
  ],
  [
    'a label more',
    { a: ['select 1', 'select 2'], b: `select 1, 2, 'label'` },
    'not_comparable',
    'rows of another shape: 3 values against 2',
  ],
  [
    'lists in a document',
    {
      a: ['select id from jobs where id < 3', 'select 1.50'],
      b: `select json_build_object('ids', array[1, 2], 'n', '{"deep": [1.5]}'::json)`,
    },
    'same_values',
    'in rows of another shape',
  ],
  ['by chance', { a: 'select random()', b: 'select random()' }, 'not_comparable', 'a gives other rows each time'],
  ['a comment at its end', { a: 'select 1 -- one', b: 'select 1' }, 'same_rows', null],
] as const

test('the rows of variants, as multisets', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  for (const [name, { a, b }, answer, reason] of cases) {
    const answers = await compareRows(session, [answering('a', a), answering('b', b)], limitsOf(few))
    expect.soft(answers, name).toEqual([{ variant: 'b', against: 'a', answer, reason }])
  }
})

function answering(name: string, statements: string | readonly string[]): Answering {
  return { name, subjects: [statements].flat().map((text) => ({ text, values: [], writes: false })) }
}

test('other rows are a finding, the same are none', async () => {
  await using database = await testDatabase()
  await using session = await openSession(database.url)
  const answered = async (b: string) =>
    answerFindings([await measured(session, variants({ a: 'select 1', b }), { samples: 1 })])
  expect(await answered('values (1)')).toEqual([])
  expect(await answered('select 2')).toMatchObject([
    {
      code: 'OTHER_ROWS',
      severity: 'warning',
      message: 'q: b gives other rows than a: as many rows (1), not the same',
    },
  ])
})

test('rows are compared in one snapshot while others write', async () => {
  await using database = await testDatabase('create table t (n int); insert into t values (0)')
  await using session = await openSession(database.url)
  let stop = false
  const writing = (async () => {
    while (!stop) await database.sql`update t set n = n + 1`
  })()
  try {
    const slow = 'select n, pg_sleep(0.02)::text from t'
    const result = await measured(session, variants({ a: [slow, slow], b: [slow, slow] }), { samples: 1 })
    expect(result.answers).toMatchObject([{ answer: 'same_rows' }])
  } finally {
    stop = true
    await writing
  }
})

test('what cannot be compared is said with the reason, and the times stay', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const writes = variants({ a: 'delete from jobs where id = 1', b: 'delete from jobs where id < 2' })
  const written = await measured(session, writes, { allowWrites: true, samples: 1 })
  expect(written).toMatchObject({
    variants: [{}, {}],
    answers: [{ answer: 'not_comparable', reason: 'a statement changes data: its rows are not asked for' }],
  })
  const late = await compareRows(session, [answering('a', 'select pg_sleep(2)'), answering('b', 'select 1')], {
    ...limitsOf(few),
    statementTimeoutMs: 50,
  })
  expect(late).toEqual([
    { variant: 'b', against: 'a', answer: 'not_comparable', reason: 'stopped by statement_timeout after 50 ms' },
  ])
})
