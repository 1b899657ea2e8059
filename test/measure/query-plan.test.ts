import { describe, expect, test } from 'vitest'
import { readQueryPlan, type QueryPlan } from '../../src/measure/plan/query-plan.js'
import { testDatabase } from '../support/database.js'
import { shop } from './shop.js'

const parallel = `set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0;
  set min_parallel_index_scan_size = 0; alter table jobs set (parallel_workers = 2); set jit = off;`

const shapes: Readonly<Record<string, string>> = {
  'seq scan': `select * from jobs where status = 'rare'`,
  'sort and limit': 'select * from jobs order by total desc limit 10',
  'hash join': "select count(*) from jobs j join customers c on c.id = j.customer_id where c.name like '%1'",
  'nested loop':
    'set enable_mergejoin = off; set enable_hashjoin = off; set enable_memoize = off; select * from customers c join lateral (select * from jobs j where j.id = c.id) x on true where c.id < 50',
  'correlated sub-query':
    'select c.id, (select count(*) from jobs j where j.customer_id = c.id) from customers c where id < 20',
  'hashed sub-query': `select * from jobs where customer_id not in (select id from customers where name like '%9')`,
  'materialized CTE read twice': `with slow as materialized (select customer_id, count(*) n from jobs group by 1)
    select a.customer_id from slow a join slow b using (customer_id) where a.n = 20`,
  'CTE in CTE': `with a as materialized (select * from jobs), b as materialized (select customer_id from a where total > 5)
    select count(*) from b, (select max(total) m from a) x`,
  'recursive CTE': `with recursive r(n) as (select 1 union all select n + 1 from r where n < 3000) select count(*) from r`,
  'InitPlan in a filter': 'select * from jobs where total > (select avg(total) from jobs)',
  'InitPlan in the output': 'select id, (select max(total) from jobs) from customers limit 5',
  'InitPlan in an index condition': 'select * from jobs where id = (select max(customer_id) from jobs)',
  'window and set operation': `select id, rank() over (order by total) from jobs union all select id, 1 from customers`,
  memoize: `set enable_hashjoin = off; set enable_mergejoin = off; select count(*) from jobs j join customers c on c.id = j.customer_id`,
  'parallel aggregate': `${parallel} select status, sum(total) from jobs group by status`,
  'parallel with InitPlan': `${parallel} select count(*) from jobs where total > (select avg(total) from jobs)`,
  'parallel hash join': `${parallel} select count(*) from jobs a join jobs b on a.id = b.customer_id`,
  'no rows executed': 'select * from jobs where false',
}

async function plans(): Promise<ReadonlyMap<string, QueryPlan>> {
  await using database = await testDatabase(shop)
  const found = new Map<string, QueryPlan>()
  for (const [name, text] of Object.entries(shapes)) {
    const statements = text.split(';')
    const query = statements.pop()
    const rows = await database.sql.begin(async (sql) => {
      for (const setting of statements) await sql.unsafe(setting.replace(/^\s*set /, 'set local '))
      return sql.unsafe(`explain (analyze, verbose, buffers, settings, format json) ${query}`)
    })
    const plan = readQueryPlan(rows[0]?.['QUERY PLAN'])
    if (plan !== null) found.set(name, plan)
  }
  return found
}

describe('on the real server', async () => {
  const read = await plans()

  test.each(Object.keys(shapes))('%s: self times add up to the time of the root', (name) => {
    const plan = read.get(name)
    const root = plan?.nodes[0]
    if (plan === undefined || root === undefined) throw new Error(`no query plan of ${name}`)
    const total = plan.nodes.reduce((sum, node) => sum + node.selfMs, 0)
    // The server rounds each loop's time to a microsecond.
    const rounding = plan.nodes.reduce((sum, node) => sum + 0.0005 * (node.loops + 1), 0)
    expect(Math.abs(total - root.wallMs)).toBeLessThanOrEqual(rounding + root.wallMs * 0.02)
  })

  test('signatures name node types, relations and indexes, and no numbers', () => {
    expect(Object.fromEntries([...read].map(([name, plan]) => [name, plan.signature]))).toMatchInlineSnapshot(`
      {
        "CTE in CTE": "Aggregate (CTE a: Seq Scan jobs, CTE b: CTE Scan a, Nested Loop (Aggregate > CTE Scan a, CTE Scan b))",
        "InitPlan in a filter": "Seq Scan jobs > InitPlan: Aggregate > Seq Scan jobs",
        "InitPlan in an index condition": "Index Scan jobs using jobs_pkey > InitPlan: Aggregate > Seq Scan jobs",
        "InitPlan in the output": "Limit (InitPlan: Aggregate > Seq Scan jobs, Seq Scan customers)",
        "correlated sub-query": "Index Only Scan customers using customers_pkey > SubPlan: Aggregate > Seq Scan jobs",
        "hash join": "Aggregate > Hash Join (Seq Scan jobs, Hash > Seq Scan customers)",
        "hashed sub-query": "Seq Scan jobs > SubPlan: Seq Scan customers",
        "materialized CTE read twice": "Hash Join (CTE slow: HashAggregate > Seq Scan jobs, CTE Scan slow, Hash > CTE Scan slow)",
        "memoize": "Aggregate > Nested Loop (Seq Scan jobs, Memoize > Index Only Scan customers using customers_pkey)",
        "nested loop": "Nested Loop (Index Scan customers using customers_pkey, Index Scan jobs using jobs_pkey)",
        "no rows executed": "Result",
        "parallel aggregate": "Finalize GroupAggregate > Gather Merge > Sort > Partial HashAggregate > Parallel Seq Scan jobs",
        "parallel hash join": "Finalize Aggregate > Gather > Partial Aggregate > Parallel Hash Join (Parallel Seq Scan jobs, Parallel Hash > Parallel Seq Scan jobs)",
        "parallel with InitPlan": "Finalize Aggregate (InitPlan: Finalize Aggregate > Gather > Partial Aggregate > Parallel Seq Scan jobs, Gather > Partial Aggregate > Parallel Seq Scan jobs)",
        "recursive CTE": "Aggregate (CTE r: Recursive Union (Result, WorkTable Scan r), CTE Scan r)",
        "seq scan": "Seq Scan jobs",
        "sort and limit": "Limit > Sort > Seq Scan jobs",
        "window and set operation": "Append (Subquery Scan > WindowAgg > Sort > Seq Scan jobs, Subquery Scan > Seq Scan customers)",
      }
    `)
  })

  test('times of a CTE are charged to its scans, of an InitPlan to the node that asks', () => {
    const cte = read.get('materialized CTE read twice')?.nodes ?? []
    const scans = cte.filter((node) => node.type === 'CTE Scan')
    expect(scans).toHaveLength(2)
    const subplan = cte.find((node) => node.subplanName === 'CTE slow')?.wallMs ?? 0
    const scanned = scans.reduce((sum, scan) => sum + scan.wallMs, 0)
    const charged = scans.reduce((sum, scan) => sum + scan.selfMs, 0)
    expect(scanned - charged).toBeCloseTo(subplan, 1)

    const filter = read.get('InitPlan in a filter')?.nodes[0]
    expect(filter?.type).toBe('Seq Scan')
    const init = read.get('InitPlan in a filter')?.nodes[1]
    expect(filter?.selfMs).toBeCloseTo((filter?.wallMs ?? 0) - (init?.wallMs ?? 0), 2)
  })

  test('rows are totals over loops, indexes are those that were read', () => {
    const nested = read.get('nested loop')
    const inner = nested?.nodes.find((node) => node.relation === 'jobs')
    expect(inner?.loops).toBe(49)
    expect(inner?.rows).toBe(49)
    expect(nested?.indexes).toEqual(['customers_pkey', 'jobs_pkey'])
    expect(read.get('seq scan')?.rows).toBe(200)
    expect(read.get('seq scan')?.nodes[0]?.removedByFilter).toBe(19_800)
    expect(read.get('no rows executed')?.rows).toBe(0)
  })

  test('workers, buffers and settings are read', () => {
    const plan = read.get('parallel aggregate')
    expect(plan?.nodes.find((node) => node.workers !== null)?.workers?.planned).toBe(2)
    expect(plan?.settings).toMatchObject({ parallel_setup_cost: '0', jit: 'off' })
    expect((plan?.buffers.hit ?? 0) + (plan?.buffers.read ?? 0)).toBeGreaterThan(100)
  })
})

test('what is no query plan reads as null', () => {
  for (const value of [null, 1, 'null', [], {}, [{ Plan: 1 }]]) expect(readQueryPlan(value)).toBeNull()
})

test('waiting for the workers of an InitPlan to end, after its value was used, is time of the node below which it is listed', () => {
  const node = (type: string, totalMs: number, more: object = {}) => ({
    'Node Type': type,
    'Actual Total Time': totalMs,
    'Actual Loops': 1,
    ...more,
  })
  // As a server of 18 printed it beside others that took its workers: 31 ms until there was a row, and 25 until the workers were gone.
  const init = node('Aggregate', 53.092, { 'Parent Relationship': 'InitPlan', 'Subplan Name': 'InitPlan 1' })
  const scan = node('Seq Scan', 2.613, { 'Parent Relationship': 'Outer', Filter: '(total > (InitPlan 1).col1)' })
  const gather = node('Gather', 31.182, { 'Parent Relationship': 'Outer', 'Workers Launched': 0, Plans: [scan] })
  const plan = readQueryPlan([{ Plan: node('Aggregate', 56.366, { Plans: [init, gather] }) }])
  const [root = 0, ...below] = plan?.nodes.map(({ selfMs }) => selfMs) ?? []
  expect([root, ...below].reduce((sum, one) => sum + one)).toBeCloseTo(56.366, 6)
  expect(root).toBeCloseTo(56.366 - 53.092 - 2.613, 6)
})

test('times of PostgreSQL 14 to 16 name InitPlans by parameter', () => {
  const plan = readQueryPlan([
    {
      Plan: {
        'Node Type': 'Seq Scan',
        'Relation Name': 't',
        'Actual Rows': 1,
        'Actual Loops': 1,
        'Actual Total Time': 10,
        Filter: '(a > $0)',
        Plans: [
          {
            'Node Type': 'Result',
            'Parent Relationship': 'InitPlan',
            'Subplan Name': 'InitPlan 1 (returns $0)',
            'Actual Loops': 1,
            'Actual Total Time': 7,
          },
        ],
      },
      'Planning Time': 0.1,
      'Execution Time': 11,
    },
  ])
  expect(plan?.nodes.map((node) => node.selfMs)).toEqual([3, 7])
  expect(plan?.signature).toBe('Seq Scan t > InitPlan: Result')
})
