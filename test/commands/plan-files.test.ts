import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runCompare } from '../../src/commands/explain/compare.js'
import { explainPlanFiles } from '../../src/commands/explain/plan-files.js'
import { holdsPlans, linesOf, linesOfText, peek } from '../../src/commands/explain/plan-sources.js'
import { openSession } from '../measure/open-session.js'
import { testDatabase } from '../support/database.js'
import type { ExplainResult } from '../../src/result/documents/result.js'

/*
 * Five query plans of PostgreSQL 16 (and 18) in every form: as psql -At and psql print them, and as auto_explain wrote them to the three logs of one
 * server, in text, JSON, YAML and XML one after the other.
 */
const plans = fileURLToPath(new URL('../fixtures/plans', import.meta.url))
const path = (name: string) => join(plans, name)
const audit = async (name: string) => explainPlanFiles([{ name, lines: () => linesOf(name, plans) }], {})
const ofText = async (text: string) => explainPlanFiles([{ name: 'stdin', lines: () => linesOfText(text) }], {})
const told = ({ queries }: ExplainResult) =>
  queries
    .map(({ findings }) =>
      findings
        .map(({ code, table }) => `${code} ${table ?? ''}`)
        .toSorted()
        .join(),
    )
    .toSorted()

describe('the same query plans in another form have the same findings', async () => {
  const json = await audit('json.txt')

  test('those of JSON', () => {
    expect(json).toMatchObject({ ok: true, exit_code: 0 })
    expect(json.queries).toHaveLength(5)
    expect(told(json).join()).toContain('SEQ_SCAN public.jobs')
  })
  test.each(['text.txt', 'yaml.txt', 'psql-text.txt', 'psql-json.txt', 'stderr.log', 'csvlog.csv', 'jsonlog.log'])(
    '%s',
    async (name) => {
      expect(await holdsPlans(path(name))).toBe(true)
      expect(told(await audit(name))).toEqual(told(json))
    },
  )
  test('of 18', async () => {
    const [text, of18] = [await audit('text-18.txt'), await audit('json-18.txt')]
    expect(told(text)).toEqual(told(of18))
    // Of what was kept on disk 18 says how much, behind another word.
    const onDisk = ({ queries }: ExplainResult) =>
      queries.flatMap(({ findings }) => findings.filter(({ code }) => code === 'SPILL').map(({ message }) => message))
    expect(onDisk(text).join()).toContain('6,211 kB on disk')
    expect(onDisk(text)).toEqual(onDisk(of18))
  })
})

test('a log says the statements and how often, and XML is refused by its line while the rest goes on', async () => {
  const { queries, findings } = await audit('stderr.log')
  const found = queries.find(({ sql }) => sql?.includes("status = 'rare' and total < 300"))
  expect(found).toMatchObject({ calls: 3, status: 'measured', place: { file: 'stderr.log' } })
  expect(found?.name).toContain('select * from jobs where status')
  expect(queries.reduce((sum, { share }) => sum + (share ?? 0), 0)).toBeCloseTo(1, 1)
  expect(findings).toHaveLength(5)
  expect(findings[0]).toMatchObject({ code: 'PLAN_UNREADABLE', place: { file: 'stderr.log' } })
  expect(findings[0]?.message).toContain('EXPLAIN (FORMAT XML)')
  // The duration is the execution time, of which the sub-query has its share.
  const lines = [
    '2026-01-01 10:00:00.123 UTC [7] LOG:  duration: 100.500 ms  plan:',
    'Query Text: select id, (select count(*) from k where k.id <> c.id) from c',
    'Seq Scan on public.c  (cost=0.00..900.00 rows=400 width=12) (actual time=0.300..100.000 rows=400 loops=1)',
    '  Output: c.id, (SubPlan 1)',
    '  SubPlan 1',
    '    ->  Aggregate  (cost=20.00..20.01 rows=1 width=8) (actual time=0.240..0.240 rows=1 loops=400)',
    '          Output: count(*)',
    '          ->  Seq Scan on public.k  (cost=0.00..18.00 rows=999 width=0) (actual time=0.010..0.150 rows=999 loops=400)',
    '                Output: k.id',
    '                Filter: (k.id <> c.id)',
    '                Rows Removed by Filter: 1',
  ]
  expect(told(await ofText(lines.join('\n\t'))).join()).toContain('CORRELATED_SUBPLAN')
})

test('what is cut off, what is foreign, and what is none', async () => {
  const text = await readFile(path('json.txt'), 'utf8')
  const cut = await ofText(text.slice(0, text.length - 300))
  expect(cut.queries).toHaveLength(4)
  expect(cut.findings).toMatchObject([
    { code: 'PLAN_UNREADABLE', message: expect.stringContaining('it ends in the middle') },
  ])
  await expect(ofText('[{"Plans": 1}]')).rejects.toMatchObject({
    code: 'BAD_VALUE',
    message: expect.stringContaining('expected an object with "Plan"'),
  })
  await expect(ofText('id;select_type;table\n1;SIMPLE;t')).rejects.toMatchObject({
    code: 'BAD_VALUE',
    message: 'there is no query plan in stdin',
  })
})

test('no verdict without its option: the option is named', async () => {
  const bare = await ofText(` Seq Scan on jobs  (cost=0.00..1500.00 rows=5 width=4) (actual rows=2 loops=1)
   Filter: (total = 5)
   Rows Removed by Filter: 20000
 Planning Time: 0.1 ms
 Execution Time: 9.5 ms`)
  expect(bare.queries[0]?.findings.map(({ code, message }) => `${code} ${message.split(':')[0]}`)).toEqual([
    'MISSING_OPTION EXPLAIN without TIMING',
    'MISSING_OPTION EXPLAIN without BUFFERS',
  ])
  const large =
    await ofText(` Seq Scan on jobs  (cost=0.00..1500.00 rows=5 width=4) (actual time=0.1..9.0 rows=2 loops=1)
   Filter: (total = 5)
   Rows Removed by Filter: 200000
 Execution Time: 9.5 ms`)
  expect(large.queries[0]?.findings[0]).toMatchObject({ code: 'SEQ_SCAN', table: 'jobs' })
  expect(large.queries[0]?.findings[0]?.message).not.toContain('0 blocks')
  const nothing = await ofText('Seq Scan on jobs  (cost=0.00..1500.00 rows=5 width=4)\n  Filter: (total = 5)')
  expect(nothing.queries[0]).toMatchObject({ status: 'not_measured', findings: [{ code: 'MISSING_OPTION' }] })
})

test('with a server its catalog is asked, and nothing of the file is run', async () => {
  await using database = await testDatabase()
  await using session = await openSession(database.url)
  await session.query('create table wide as select n as id, n % 5000 as total from generate_series(1, 200000) as g (n)')
  const plan = ` Seq Scan on wide  (cost=0.00..3500.00 rows=5 width=4) (actual time=0.1..9.0 rows=2 loops=1)
   Filter: (total = 5)
   Rows Removed by Filter: 200000
   Buffers: shared hit=900
 Execution Time: 9.5 ms`
  const told = async () => {
    const sources = [{ name: 'plan.txt', lines: () => linesOfText(plan) }]
    const { queries } = await explainPlanFiles(sources, { session })
    return queries[0]?.findings.find(({ code }) => code === 'SEQ_SCAN')?.hint
  }
  expect(await told()).toContain(
    'no index of public.wide begins with total; create index on public.wide (total) (not tried: its conditions',
  )
  await session.query('create index on wide (total)')
  expect(await told()).not.toContain('create index')
})

test('two files side by side', async () => {
  const same = await runCompare('json.txt', 'text.txt', plans)
  expect(same.queries).toHaveLength(5)
  expect(same.queries.every((one) => one.same_shape)).toBe(true)
  const other = await runCompare('text.txt', 'text-18.txt', plans)
  expect(other).toMatchObject({ command: 'compare', exit_code: 0, only: { before: [], after: [] } })
  expect(other.queries[0]).toMatchObject({
    cost: { before: expect.any(Number), after: expect.any(Number) },
    rows: { before: 2 },
  })
})

test('stdin is read as far as it takes to see what it holds, and then as it is asked for', async () => {
  const plan = await readFile(path('stderr.log'), 'utf8')
  const other = '2026-11-29 10:00:00.123 UTC [7] LOG:  checkpoint starting: time\n'.repeat(1000)
  let given = 0
  const stream = async function* (last: string) {
    for (given = 1; given <= 100; given += 1) yield Buffer.from(other)
    yield Buffer.from(last)
  }
  // The first query plan of a log may be far down.
  const log = await peek(stream(plan))
  expect(log.plans).toBe(true)
  expect(given).toBeLessThan(10)
  expect((await explainPlanFiles([{ name: 'stdin', lines: log.lines }], {})).queries).toHaveLength(5)
  const sql = await peek(
    (async function* () {
      yield Buffer.from('-- the QUERY PLAN of monday\nselect \u00fc')
      yield Buffer.from(' from t')
    })(),
  )
  expect(sql.plans).toBe(false)
  expect(await sql.text()).toBe('-- the QUERY PLAN of monday\nselect \u00fc from t')
})
