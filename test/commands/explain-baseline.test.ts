import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readBaseline, saveBaseline } from '../../src/commands/explain/explain-baseline.js'
import { runExplain } from '../../src/commands/explain/explain.js'
import { differingLines } from '../../src/measure/rules/regressed.js'
import { aQuery, sets } from '../measure/a-query.js'
import { openSession } from '../measure/open-session.js'
import { shop } from '../measure/shop.js'
import { testDatabase } from '../support/database.js'

const few = { samples: 3, allowWrites: false }
const query = aQuery('select * from jobs where customer_id = $1', {
  name: 'by ${customer}',
  parameters: sets({ one: ['7'] }),
})

test.each(['b.yaml', 'b.json'])('a dropped index is a regression, told with both query plans (%s)', async (name) => {
  await using database = await testDatabase(shop)
  await database.sql.unsafe('create index by_customer on jobs (customer_id)')
  await database.sql.unsafe('vacuum analyze jobs')
  await using session = await openSession(database.url)
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  try {
    const file = join(folder, name)
    const kept = await runExplain(session, [query], { ...few, keep: async (all) => saveBaseline(file, session, all) })
    expect(kept.exit_code).toBe(0)
    const text = await readFile(file, 'utf8')
    expect(text).toContain(
      name === 'b.yaml' ? '. Bitmap Index Scan on by_customer' : '\\n. Bitmap Index Scan on by_customer',
    )
    const baseline = await readBaseline(file, folder)
    expect(baseline).toMatchObject([
      {
        query: 'by ${customer}',
        params: 'one',
        rows: 20,
        temp_blocks: 0,
        samples: 3,
        plan: ['Bitmap Heap Scan jobs', '. Bitmap Index Scan on by_customer'],
      },
    ])
    const unchanged = await runExplain(session, [query], { ...few, baseline })
    expect(unchanged).toMatchObject({ exit_code: 0, findings: [] })
    expect(unchanged.queries[0]?.findings).toEqual([])
    await database.sql.unsafe('drop index by_customer')
    const worse = await runExplain(session, [query], { ...few, baseline })
    expect(worse.exit_code).toBe(1)
    expect(worse.queries[0]?.findings[0]).toMatchObject({ code: 'REGRESSED', severity: 'error', table: 'public.jobs' })
    expect(worse.queries[0]?.findings[0]?.message).toMatch(
      /^worse than the baseline \(one\): [\d,]+ buffers instead of \d+ \(tolerated: \d+\), it reads all of public\.jobs, the index by_customer on public\.jobs \(customer_id\) is gone; query plan: - Bitmap Heap Scan jobs; - Bitmap Index Scan on by_customer; \+ Seq Scan jobs; .* ms instead of .* ms$/,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('tables that grew are no regression; the same index under another name is none either', async () => {
  await using database = await testDatabase(`${shop} create index by_customer on jobs (customer_id); analyze jobs;`)
  await using session = await openSession(database.url)
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  try {
    const file = join(folder, 'b.yaml')
    const count = aQuery('select count(*) from jobs where total > 0', { name: 'count' })
    const queries = [query, count]
    await runExplain(session, queries, { ...few, keep: async (all) => saveBaseline(file, session, all) })
    const baseline = await readBaseline(file, folder)
    expect(baseline[0]).toMatchObject({ indexes: { by_customer: 'public.jobs (customer_id)' } })
    expect(Object.keys(baseline[1]?.tables ?? {})).toEqual(['public.jobs'])
    await database.sql.unsafe('alter index by_customer rename to other_name')
    const renamed = await runExplain(session, queries, { ...few, baseline })
    expect(renamed.queries.flatMap(({ findings }) => findings.map(({ code }) => code))).not.toContain('PLAN_CHANGED')
    await database.sql.unsafe(`
      insert into jobs select n, 1001 + n % 1000, 'new', n, repeat('x', 60), now() from generate_series(20001, 32000) n;
      analyze jobs`)
    const grown = await runExplain(session, queries, { ...few, baseline })
    expect(grown.queries.flatMap(({ findings }) => findings.map(({ code }) => code))).not.toContain('REGRESSED')
    expect(grown.exit_code).toBe(0)
    // Without the sizes (of an earlier version) there is nothing to judge by.
    const without = baseline.map((kept) => ({ ...kept, tables: undefined }))
    expect((await runExplain(session, queries, { ...few, baseline: without })).exit_code).toBe(1)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('another query plan that costs no more informs; a query that is gone is told', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const line = {
    params: null,
    rows: 1,
    buffers: 3,
    temp_blocks: 0,
    time_ms: { median: 1, low: 1, high: 1 },
    samples: 3,
  }
  const baseline = [
    { ...line, query: 'q', plan: ['Bitmap Heap Scan jobs', '. Bitmap Index Scan on jobs_pkey'] },
    { ...line, query: 'old', plan: [] },
  ]
  const result = await runExplain(session, [aQuery('select * from jobs where id = 5')], { ...few, baseline })
  expect(result).toMatchObject({ exit_code: 0, findings: [{ code: 'NOT_MEASURED', query: 'old' }] })
  expect(result.queries[0]?.findings).toMatchObject([
    {
      code: 'PLAN_CHANGED',
      severity: 'info',
      message:
        'another query plan than in the baseline, and no dearer: query plan: - Bitmap Heap Scan jobs; - Bitmap Index Scan on jobs_pkey; + Index Scan jobs using jobs_pkey',
    },
  ])
})

test('rows that grew may take buffers in proportion', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const all = { params: null, temp_blocks: 0, time_ms: { median: 1, low: 1, high: 1 }, samples: 3, query: 'q' }
  const scan = aQuery('select * from jobs where total > 0')
  const compared = async (rows: number, buffers: number) =>
    (await runExplain(session, [scan], { ...few, baseline: [{ ...all, rows, buffers, plan: ['Seq Scan jobs'] }] }))
      .exit_code
  const now = (await runExplain(session, [scan], few)).queries[0]?.after
  const blocks = (now?.buffers.hit ?? 0) + (now?.buffers.read ?? 0)
  expect(blocks).toBeGreaterThan(200)
  expect(await compared(20_000, Math.round(blocks / 2))).toBe(1)
  expect(await compared(10_000, Math.round(blocks / 2))).toBe(0)
  expect(await compared(20_000, Math.round(blocks / 1.2))).toBe(0)
})

test('a baseline that is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  try {
    const file = join(folder, 'b.yaml')
    await expect(readBaseline(file, folder)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    await writeFile(file, 'version: 1\nperfdb: x\nserver: y\nqueries: [{ query: q }]\n')
    await expect(readBaseline(file, folder)).rejects.toMatchObject({ code: 'BAD_VALUE' })
    await writeFile(join(folder, 'b.json'), '{ "version": 2 }')
    await expect(readBaseline('b.json', folder)).rejects.toMatchObject({ code: 'BAD_VALUE' })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('lines that differ', () => {
  expect(differingLines(['a', '. b', '. . c'], ['a', '. d', '. . c'])).toEqual(['- b', '+ d'])
  expect(differingLines([], ['a'])).toEqual(['+ a'])
  expect(differingLines(['a'], ['a'])).toEqual([])
})
