import { expect, test } from 'vitest'
import { planFindings } from '../../src/measure/rules/findings.js'
import { readQueryPlan } from '../../src/measure/plan/query-plan.js'
import { until } from '../support/slow.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { shop } from './shop.js'

const place = { file: 'p.yaml', line: 3, column: 5 }

async function findings(database: TestDatabase, text: string, settings: Readonly<Record<string, string>> = {}) {
  const rows = await database.sql.begin(async (sql) => {
    for (const [name, value] of Object.entries(settings)) await sql`select set_config(${name}, ${value}, true)`
    return sql.unsafe(`explain (analyze, verbose, buffers, settings, format json) ${text}`)
  })
  const [{ num } = { num: 0 }] = await database.sql<
    { num: number }[]
  >`select current_setting('server_version_num')::int as num`
  const plan = readQueryPlan(rows[0]?.['QUERY PLAN'])
  if (plan === null) throw new Error('no query plan')
  const times = { medianPlanningMs: plan.planningMs, medianExecutionMs: plan.executionMs ?? 0 }
  return planFindings({ plan, versionNum: num, ...times }, { name: 'q', place })
}

const serial = { max_parallel_workers_per_gather: '0', jit: 'off' }

test('a selective sequential scan names table, columns and numbers', async () => {
  await using database = await testDatabase(shop)
  const [found, ...rest] = await findings(database, `select * from jobs where status = 'rare' and total < 300`, serial)
  expect(rest).toEqual([])
  expect(found).toMatchObject({ code: 'SEQ_SCAN', severity: 'warning', table: 'public.jobs', query: 'q', place })
  expect(found?.message).toMatch(/reads all of public\.jobs \(\d+ blocks, .* throws away 19,998 rows to keep 2: Filter/)
  expect(found?.hint).toContain('an index on public.jobs (status, total); not tried')
})

test('a sequential scan that keeps much, or of a small table, is said to be right', async () => {
  await using database = await testDatabase(shop)
  const [large, right, ...rest] = await findings(database, `select * from jobs where status = 'common'`, serial)
  expect(rest).toEqual([])
  expect(large).toMatchObject({ code: 'LARGE_RESULT', severity: 'info', message: '19,800 rows go to the client' })
  expect(right).toMatchObject({ code: 'SEQ_SCAN_OK', severity: 'info', table: 'public.jobs' })
  expect(right?.message).toBe('reading all of public.jobs is right: it gives 99 % of its rows')
  expect(await findings(database, `select * from customers where name = 'x'`, serial)).toMatchObject([
    { code: 'SEQ_SCAN_OK', hint: 'no index on public.customers would help this query' },
  ])
})

test('an expression and an OR get other advice than a column', async () => {
  await using database = await testDatabase(shop)
  const [expression] = await findings(database, `select * from jobs where upper(status) = 'RARE'`, serial)
  expect(expression?.hint).toContain('computes with status')
  const [either] = await findings(database, `select * from jobs where status = 'rare' or total = 7`, serial)
  expect(either?.hint).toContain('an index serves it only where it serves each of its arms')
})

test('rows removed behind an index', async () => {
  await using database = await testDatabase(`${shop} create index by_status on jobs (status); analyze jobs;`)
  const text = `select * from jobs where status = 'common' and total = 5`
  const found = await findings(database, text, { ...serial, enable_seqscan: 'off' })
  expect(found[0]).toMatchObject({ code: 'ROWS_REMOVED', index: 'by_status', table: 'public.jobs' })
  expect(found[0]?.hint).toContain('an index on public.jobs (status, total)')
})

test('sorts, hashes and aggregates that spill', async () => {
  await using database = await testDatabase(shop)
  const small = { ...serial, work_mem: '64kB', hash_mem_multiplier: '1' }
  const sort = await findings(database, 'select * from jobs order by note, total', small)
  expect(sort[0]).toMatchObject({ code: 'SPILL', severity: 'warning' })
  expect(sort[0]?.message).toMatch(/Sort did not fit in work_mem: [\d,]+ kB on disk/)
  expect(sort[0]?.hint).toContain('an index that gives the order (jobs.note, jobs.total), or work_mem of about')
  const hash = await findings(database, 'select count(*) from jobs a join jobs b using (total)', {
    ...small,
    enable_mergejoin: 'off',
  })
  expect(hash.map(({ code }) => code)).toContain('SPILL')
  const aggregate = await findings(database, 'select total, count(*) from jobs group by total', {
    ...small,
    enable_sort: 'off',
  })
  expect(aggregate.map(({ code }) => code)).toContain('SPILL')
})

test('correlated columns are misestimated, at the deepest node only', async () => {
  await using database = await testDatabase(
    `create table t as select n % 50 a, n % 50 b, n % 50 c, n from generate_series(1, 20000) n; analyze t`,
  )
  const found = await findings(
    database,
    'select x.n from t x join t y using (n) where x.a = 7 and x.b = 7 and x.c = 7',
    serial,
  )
  const wrong = found.filter(({ code }) => code === 'MISESTIMATE')
  expect(wrong).toHaveLength(1)
  expect(wrong[0]).toMatchObject({ table: 'public.t', severity: 'warning' })
  expect(wrong[0]?.message).toMatch(/expected 1 rows of Seq Scan t and got 400: 400 times too few/)
  expect(wrong[0]?.hint).toContain('create statistics on a, b, c from public.t')
  const limited = await findings(database, 'select n from t order by n limit 200', { ...serial, enable_sort: 'off' })
  expect(limited.filter(({ code }) => code === 'MISESTIMATE')).toEqual([])
})

test('heap fetches of an unvacuumed table', async () => {
  await using database = await testDatabase(
    `${shop} alter table jobs set (autovacuum_enabled = off); create index by_customer on jobs (customer_id)`,
  )
  const text = 'select customer_id from jobs where customer_id between 1 and 100'
  const settings = { ...serial, enable_seqscan: 'off', enable_bitmapscan: 'off' }
  expect((await findings(database, text, settings))[0]).toMatchObject({
    code: 'HEAP_FETCHES',
    severity: 'warning',
    index: 'by_customer',
  })
  // A snapshot that is about to end keeps pages from being marked.
  await until('every page to be all-visible', async () => {
    await database.sql.unsafe('vacuum jobs')
    const marked = await database.sql`select 1 from pg_class where oid = 'jobs'::regclass and relallvisible = relpages`
    return marked.length > 0
  })
  expect(await findings(database, text, settings)).toMatchObject([
    {
      code: 'SETTINGS',
      severity: 'warning',
      message: expect.stringContaining('enable_bitmapscan = off, enable_seqscan'),
    },
  ])
})

test('a bitmap that does not fit in work_mem', async () => {
  await using database = await testDatabase(
    `create table u (n int, pad text, half int); alter table u alter pad set storage plain;
     insert into u select n, repeat('x', 3000), n % 2 from generate_series(1, 6000) n;
     create index u_half on u (half); analyze u`,
  )
  const settings = { ...serial, work_mem: '64kB', enable_seqscan: 'off', enable_indexscan: 'off' }
  const found = await findings(database, 'select * from u where half = 1', settings)
  expect(found.map(({ code }) => code)).toContain('LOSSY_BITMAP')
})

test('a nested loop that scans its inner side again and again', async () => {
  await using database = await testDatabase(shop)
  const settings = {
    ...serial,
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
    enable_memoize: 'off',
    enable_material: 'off',
  }
  const found = await findings(
    database,
    'select count(*) from jobs j join customers c on c.email = j.status where j.id <= 1500',
    settings,
  )
  const loop = found.find(({ code }) => code === 'NESTED_LOOP')
  expect(loop?.message).toMatch(/runs Seq Scan customers 1,500 times/)
  expect(loop?.hint).toContain('public.customers (email)')
})

test('compiling and missing workers', async () => {
  await using database = await testDatabase(shop)
  const compiled = await findings(database, 'select sum(total), count(*) from jobs where id > 5', {
    jit_above_cost: '0',
    jit_optimize_above_cost: '0',
    jit_inline_above_cost: '0',
  })
  const [{ available } = { available: false }] = await database.sql<
    { available: boolean }[]
  >`select pg_jit_available() as available`
  expect(compiled.some(({ code }) => code === 'JIT')).toBe(available)
  const parallel = {
    min_parallel_table_scan_size: '0',
    parallel_setup_cost: '0',
    parallel_tuple_cost: '0',
    max_parallel_workers: '0',
    jit: 'off',
  }
  const alone = await findings(database, 'select count(*) from jobs', parallel)
  expect(alone[0]).toMatchObject({ code: 'WORKERS_MISSING', severity: 'warning' })
  expect(alone[0]?.message).toMatch(/planned \d workers and got 0/)
})

test('planning longer than execution, by the medians', () => {
  const plan = readQueryPlan([
    {
      Plan: { 'Node Type': 'Result', 'Actual Loops': 1, 'Actual Total Time': 1, 'Shared Hit Blocks': 0 },
      'Planning Time': 90,
      'Execution Time': 1,
    },
  ])
  if (plan === null) throw new Error('no query plan')
  const by = (medianPlanningMs: number, medianExecutionMs: number) =>
    planFindings({ plan, versionNum: 180_000, medianPlanningMs, medianExecutionMs }, { name: 'q', place }).map(
      ({ code }) => code,
    )
  expect(by(6, 5)).toEqual(['PLANNING_DOMINATES'])
  expect(by(4, 3)).toEqual([])
  expect(by(6, 7)).toEqual([])
})
