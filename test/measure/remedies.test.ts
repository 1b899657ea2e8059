import { afterAll, beforeAll, expect, test } from 'vitest'
import { measureQueries } from '../../src/measure/query/rounds.js'
import type { Finding } from '../../src/plan/plan.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { aQuery, sets } from './a-query.js'
import { openSession } from './open-session.js'

/*
 * What explain advises is tried: an index that PostgreSQL takes and the planner searches, a rewrite that gave the same rows. Each case has what
 * must be said and what must not.
 */
const script = `
  create table events (id bigint primary key, created timestamptz not null, at timestamptz not null, status text not null, kind int not null,
    user_id int not null, total numeric not null, code varchar(20) not null, meta jsonb not null, tags int[] not null, note text not null);
  insert into events select n, '2024-01-01'::timestamptz + n / 3 * interval '1 minute', '2024-01-01'::timestamptz + n * interval '1 minute',
    case when n % 25 = 0 then 'open' else 'done' end, n % 500, n % 3000, n % 977, 'C' || n % 5000, jsonb_build_object('plan', 'p' || n % 1000, 'k', n),
    array[n % 700, n % 11], repeat('x', 60) || n from generate_series(1, 30000) n;
  create index events_created_id on events (created, id); create index events_at on events (at);
  create table refs (id int primary key, ref text not null); insert into refs select n, (n * 20)::text from generate_series(1, 300) n;
  create table parts (id int, at timestamptz not null, v int) partition by range (at);
  create table parts_1 partition of parts for values from ('2024-01-01') to ('2024-02-01');
  create table parts_2 partition of parts for values from ('2024-02-01') to ('2024-03-01');
  create table parts_3 partition of parts for values from ('2024-03-01') to ('2024-04-01');
  insert into parts select n, '2024-01-01'::timestamptz + n * interval '2 minutes', n % 10 from generate_series(1, 60000) n order by n * 7919 % 60000;
  create index parts_at on parts (at);
  create table cor as select n % 200 a, n % 200 b, n % 200 c, repeat('y', 50) pad from generate_series(1, 30000) n;
  analyze events; analyze refs; analyze parts; analyze cor;
`
let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase(script)
  await database.sql.unsafe(`alter database ${database.name} set max_parallel_workers_per_gather = 0`)
  await database.sql.unsafe(`alter database ${database.name} set jit = off`)
})
afterAll(async () => database[Symbol.asyncDispose]())

async function found(sql: string, values: readonly string[] = [], allowWrites = false): Promise<readonly Finding[]> {
  await using session = await openSession(database.url)
  const query = aQuery(sql, values.length === 0 ? {} : { parameters: sets({ default: values }) })
  const [measured] = await measureQueries(session, [query], { samples: 3, allowWrites })
  return measured?.measurements[0]?.findings ?? []
}

/** The hint of the first finding that is about an index or a rewrite. */
async function hint(sql: string, values: readonly string[] = []): Promise<string> {
  const codes = ['SEQ_SCAN', 'ROWS_REMOVED', 'TOPN_SORT', 'NOT_PRUNED', 'JOIN_CAST', 'MISESTIMATE']
  return (await found(sql, values)).find(({ code }) => codes.includes(code))?.hint ?? ''
}

const tried = '(tried on an empty copy: the planner takes it)'

test('an OR that a row comparison says: the rewrite, with the same rows, and not the index that exists', async () => {
  const sql = `select id from events where created > $1 or (created = $1 and id > $2) order by created, id limit 10`
  const text = await hint(sql, ['2024-01-06 22:00+00', '25000'])
  expect(text).toContain('write (created, id) > ($1, $2) instead')
  expect(text).toContain('the same rows by digest')
  expect(text).not.toContain('create index')
})

test.each([
  [
    'equality and the order of the index that is read',
    `select * from events where status = 'nothing' and kind = 7 order by id desc limit 1`,
    `create index on public.events (status, kind, id desc) ${tried}`,
  ],
  [
    'containment',
    `select * from events where meta @> '{"plan": "p7"}'`,
    `create index on public.events using gin (meta jsonb_path_ops) ${tried}`,
  ],
  [
    'a key of a document',
    `select * from events where meta ? 'absent'`,
    `create index on public.events using gin (meta) ${tried}`,
  ],
  [
    'a value of a document',
    `select * from events where meta ->> 'plan' = 'p7'`,
    `create index on public.events ((meta ->> 'plan')) ${tried}`,
  ],
  [
    'overlap of arrays',
    `select * from events where tags && array[699]`,
    `create index on public.events using gin (tags) ${tried}`,
  ],
  [
    'what few rows are not',
    `select * from events where status <> 'done' and kind = 3`,
    `create index on public.events (kind) where status <> 'done'::text ${tried}`,
  ],
  [
    'few of the rows beside some of them',
    `select * from events where tags && array[699] and kind < 100`,
    `create index on public.events using gin (tags) ${tried}`,
  ],
  [
    'the first of an order beside few of the rows',
    `select * from events where tags && array[699] and note <> '' order by total limit 20`,
    `create index on public.events using gin (tags) ${tried}`,
  ],
  [
    'what few rows are not, alone',
    `select * from events where status <> 'done'`,
    `create index on public.events (status) where status <> 'done'::text ${tried}`,
  ],
  [
    'a function of a column',
    `select * from events where lower(code) = 'c77'`,
    `create index on public.events (lower(code)) ${tried}`,
  ],
  [
    'equality and order',
    `select * from events where status = 'open' order by total desc limit 20`,
    `create index on public.events (status, total desc) ${tried}`,
  ],
  [
    'most rows, and the first of an order',
    `select * from events where status = 'done' order by total desc limit 5`,
    `create index on public.events (status, total desc) ${tried}`,
  ],
  [
    'a document before a seventh of the rows',
    `select * from events where id % 7 = 3 and meta @> '{"plan": "p7"}'`,
    `create index on public.events using gin (meta jsonb_path_ops) ${tried}`,
  ],
  [
    'a column beside one that is computed with',
    `select * from events where kind * 2 = 76 and user_id = 5`,
    `create index on public.events (user_id) ${tried}`,
  ],
  [
    'a prefix',
    `select * from events where code like 'C77%'`,
    `create index on public.events (code varchar_pattern_ops) ${tried}`,
  ],
])('%s', async (_, sql, text) => {
  expect(await hint(sql)).toContain(text)
})

test.each([
  [
    'a day',
    `select count(*) from events where date_trunc('day', at) = '2024-01-05'`,
    `at >= ('2024-01-05')::timestamp with time zone and at <`,
  ],
  [
    'a date',
    `select count(*) from events where at::date = '2024-01-05'`,
    `at >= ('2024-01-05')::date and at < ('2024-01-05')::date + 1`,
  ],
])('%s of a timestamp is a range, and no index on what is not immutable', async (_, sql, text) => {
  const told = await hint(sql)
  expect(told).toContain(`write ${text}`)
  expect(told).toContain('the same rows by digest')
  expect(told).not.toContain('create index')
})

test.each([
  [
    'a cast',
    `select * from events where id::text = '777'`,
    'give the value the type of the column, bigint, and compare id itself',
  ],
  ['a sum', `select * from events where id + 0 = 777`, 'compare id itself, with the computation on the other side'],
  [
    'a sum of a column without an index',
    `select * from events where kind + 1 = 77`,
    'compare kind itself, with the computation on the other side, and an index on it would serve',
  ],
  [
    'a condition that most rows meet',
    `select * from events where id::text = '777' and kind > 3`,
    'give the value the type of the column, bigint, and compare id itself',
  ],
])('%s that the query can say otherwise: no index beside it', async (_, sql, text) => {
  const told = await hint(sql)
  expect(told).toContain(text)
  expect(told).not.toContain('create index')
})

test('a parameter is no predicate', async () => {
  expect(await hint(`select * from events where status <> $1`, ['done'])).not.toContain('create index')
})

test.each([
  [
    'a list of what few rows are not, beside some of them',
    `select * from events where status not in ('done', 'gone') and kind < 50`,
    `create index on public.events (kind) where status <> ALL ('{done,gone}'::text[]) ${tried}`,
  ],
  [
    'few values of a list, and the first of an order',
    `select * from events where status in ('open', 'none') order by total desc limit 5`,
    `create index on public.events (total desc, status) ${tried}`,
  ],
  [
    'parts of a date',
    `select * from events where extract(day from at at time zone 'UTC') = 40 and kind = 3`,
    `create index on public.events (kind, extract(day from timezone('UTC', at))) ${tried}`,
  ],
])('%s: the index', async (_, sql, text) => {
  expect(await hint(sql)).toContain(text)
})

test('partitions whose index is rightly not read: never said to be wrong, and one that serves the other condition too', async () => {
  const text = await hint(`select * from parts where v = 3 and id % 100 = 3 and at >= '2024-01-02'`)
  // Beside busy neighbours it may be that nothing can be told of runs of 5 ms; both-ways.test.ts has what is told of which times.
  expect(text).toMatch(
    /^the planner could use parts_\d_at_idx and (?:rightly does not|does not .*; which is quicker cannot be told):/,
  )
  expect(text).toContain(`; create index on public.parts (v, (id % 100), at) ${tried}`)
})

test('an aggregate of two columns of most rows: not said that no index would help', async () => {
  const codes = (await found(`select max(total) from events where status = 'done'`)).map(({ code }) => code)
  expect(codes).not.toContain('SEQ_SCAN_OK')
})

test('what most rows are not is no predicate', async () => {
  expect(await hint(`select * from events where status <> 'open' and note ilike '%77%7'`)).not.toContain('create index')
})

test('a join by a range: an index of the larger side, which the planner looks up for each row of the other', async () => {
  const findings = await found(
    'select count(*), max(e.note) from refs r join events e on e.total > r.id + 0.1 and e.total < r.id + 0.3 where r.id < 20',
  )
  expect(findings.find(({ code }) => code === 'JOIN_FILTER')).toMatchObject({
    table: 'public.events',
    hint: `create index on public.events (total) ${tried}`,
  })
})

test('a page far behind: the row to go on from has the primary key, and so has the index', async () => {
  const told = (await found('select note from events order by at desc offset 20000 limit 10')).find(
    ({ code }) => code === 'LARGE_OFFSET',
  )
  expect(told?.hint).toContain('where (at, id) < (last at, last id) order by at desc, id desc limit n')
  expect(told?.hint).toContain(`with create index on public.events (at desc, id desc) ${tried}`)
  const here = (await found('select note from events order by created, id offset 20000 limit 10')).find(
    ({ code }) => code === 'LARGE_OFFSET',
  )
  expect(here?.hint).toContain('where (created, id) > (last created, last id)')
  expect(here?.hint).not.toContain('create index')
})

test('a foreign key that deletes look up without an index, and with one', async () => {
  await database.sql.unsafe(
    'create table kids (id int, ref_id int references refs); insert into kids select n, 1 + n % 100 from generate_series(1, 20000) n',
  )
  const remove = 'delete from refs where id > 280'
  const hintOf = async () => (await found(remove, [], true)).find(({ code }) => code === 'TRIGGER_TIME')?.hint
  expect(await hintOf()).toBe('create index on public.kids (ref_id): without it each call reads the whole table')
})

test('triggers that took the time of one run alone are none that take it', async () => {
  // A sequence goes on where a transaction is rolled back: every third run is slow, whichever of them is looked at.
  await database.sql.unsafe(`create table late (n int); create sequence runs;
    create function slow_now() returns trigger language plpgsql as $$ begin
      if nextval('runs') % tg_argv[0]::int = 0 then perform pg_sleep(0.02); end if; return new; end $$;
    create trigger late before insert on late for each row execute function slow_now(3)`)
  const codes = async () => (await found('insert into late values (1)', [], true)).map(({ code }) => code)
  for (let shift = 0; shift < 3; shift += 1) {
    await database.sql`select setval('runs', ${3 + shift})`
    expect(await codes()).not.toContain('TRIGGER_TIME')
  }
  await database.sql.unsafe(`drop trigger late on late;
    create trigger late before insert on late for each row execute function slow_now(1)`)
  expect(await codes()).toContain('TRIGGER_TIME')
})

test('a pattern that begins with a wildcard, without trigrams: no index is promised', async () => {
  const text = await hint(`select * from events where note ilike '%77%7'`)
  expect(text).not.toContain('create index')
})

test('the order of an aggregate: no index', async () => {
  const findings = await found(
    'select user_id, note, sum(total) from events group by 1, 2 order by sum(total) desc limit 10',
  )
  expect(findings.find(({ code }) => code === 'TOPN_SORT')?.hint).toContain(
    'no index gives the order of what is computed over groups',
  )
})

test('most of a table for the first of an order: not said to be right', async () => {
  const codes = (await found(`select * from events where status = 'done' order by total desc limit 5`)).map(
    ({ code }) => code,
  )
  expect(codes).not.toContain('SEQ_SCAN_OK')
  expect(codes).toContain('TOPN_SORT')
})

test('partitions that are not pruned: one finding, about the table', async () => {
  const findings = await found(`select count(*) from parts where date_trunc('day', at) = '2024-02-05'`)
  expect(findings.filter(({ code }) => ['SEQ_SCAN', 'ROWS_REMOVED', 'NOT_PRUNED'].includes(code))).toMatchObject([
    {
      code: 'NOT_PRUNED',
      table: 'public.parts',
      message: expect.stringContaining('3 partitions (parts_1 to parts_3)'),
      hint: expect.stringContaining('write at >='),
    },
  ])
})

test('a CTE that is computed twice and filtered outside', async () => {
  const text = await hint(
    'with x as (select id, kind, note from events) select (select count(*) from x where id = 5), (select max(note) from x where id = 6)',
  )
  expect(text).toContain('as not materialized')
})

test.each(['as the table was filled', 'after VACUUM, when the primary key alone can be read'])(
  'a cast in a join defeats the primary key, %s',
  async (when) => {
    if (when.startsWith('after')) await database.sql.unsafe('vacuum events')
    const findings = await found('select count(*) from refs b join events a on a.id::text = b.ref')
    expect(findings.find(({ code }) => code === 'JOIN_CAST')).toMatchObject({
      table: 'public.events',
      message: expect.stringContaining('a.id cast to text'),
    })
    const benign = await found('select count(*) from events a join events b on a.code = b.note')
    expect(benign.filter(({ code }) => code === 'JOIN_CAST')).toEqual([])
  },
)

test('columns that depend on one another, with fresh statistics: tried, and nothing left', async () => {
  const text = await hint('select * from cor where a = 7 and b = 7 and c = 7')
  expect(
    await found('select pad from cor x where a = 7 and b = 7 and c = 7').then(
      (all) => all.find(({ code }) => code === 'MISESTIMATE')?.hint,
    ),
  ).toMatch(
    /create statistics public\.cor_a_b_c \(dependencies\) on a, b, c from public\.cor; analyze public\.cor \(tried: the planner then expects 150 rows\)/,
  )
  expect(text).toContain('create index on public.cor (a, b, c)')
  // The same where two processes share the scan, each with a part of the rows.
  await database.sql.unsafe(
    `alter table cor set (parallel_workers = 2); alter database ${database.name} set max_parallel_workers_per_gather = 2; alter database ${database.name} set parallel_setup_cost = 0`,
  )
  const parallel = await found('select sum(length(pad)) from cor x where a = 7 and b = 7 and c = 7')
  await database.sql.unsafe(
    `alter database ${database.name} set max_parallel_workers_per_gather = 0; alter database ${database.name} reset parallel_setup_cost`,
  )
  expect(parallel.find(({ code }) => code === 'MISESTIMATE')?.hint).toMatch(/150 rows/)
  expect(await database.sql`select 1 from pg_statistic_ext`).toHaveLength(0)
})

test('a query that does not end in time is judged by what the planner expects', async () => {
  await using session = await openSession(database.url)
  const query = aQuery('select * from events where user_id = 7 and pg_sleep(0.1) is not null')
  const [measured] = await measureQueries(session, [query], { samples: 3, allowWrites: false, statementTimeoutMs: 400 })
  expect(measured?.measurements[0]).toMatchObject({ status: 'not_measured', timedOutMs: 400 })
  expect(measured?.measurements[0]?.findings).toMatchObject([
    {
      code: 'SEQ_SCAN',
      table: 'public.events',
      message: expect.stringContaining('would read all of public.events'),
      hint: expect.stringContaining(`create index on public.events (user_id) ${tried}`),
    },
  ])
  const join = aQuery(
    'select count(*) from events a join events b on a.total > b.user_id and a.total < b.user_id + 0.5',
  )
  const [endless] = await measureQueries(session, [join], { samples: 3, allowWrites: false, statementTimeoutMs: 300 })
  expect(endless?.measurements[0]?.findings).toMatchObject([
    { code: 'JOIN_FILTER', hint: `create index on public.events (total) ${tried}` },
  ])
})
