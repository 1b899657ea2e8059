import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { costAtWorst } from '../../src/advise/at-worst.js'
import { readQueryPlan } from '../../src/measure/plan/query-plan.js'
import { adviseResult } from '../../src/result/documents/advise-result.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { documentOf } from '../support/document.js'

let source: TestDatabase
let folder: string

/** What is old is done: open rows come last in the order of due. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  source = await testDatabase(`
    create table jobs (id bigint primary key, state text not null, kind int not null, due date not null, title text not null);
    insert into jobs select n, case when n % 30 = 0 then 'held' when n < 36000 then 'done' else 'open' end, n % 50,
      date '2020-01-01' + n / 20, repeat('x', 90) from generate_series(1, 40000) n;
    create table kinds (id int primary key, label text not null);
    insert into kinds select n, 'k' || n from generate_series(0, 49) n;`)
  await source.sql.unsafe('vacuum analyze')
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function advise(queries: Readonly<Record<string, readonly [sql: string, params?: string]>>) {
  const lines = Object.entries(queries).map(
    ([name, [sql, params]]) =>
      `  - { name: ${name}, sql: ${JSON.stringify(sql)}${params === undefined ? '' : `, params: ${params}`} }`,
  )
  await writeFile(join(folder, 'q.yaml'), `version: 1\nprofile: q\nqueries:\n${lines.join('\n')}\n`)
  return documentOf(adviseResult, source.url, folder, 'advise', 'q.yaml')
}

const page = `select id, title from jobs where state not in ('done', 'held') and due < '2025-06-01' order by due limit 50`
const counted = `select count(*) from jobs where state = 'held' and due < '2021-06-01'`

test('an index on the rows that pass alone is taken before one that rests on where they lie', async () => {
  const { advice, findings } = await advise({ page: [page], counted: [counted] })
  const own = advice.find(({ serves }) => serves.some(({ query }) => query === 'page'))
  expect(own?.index.definition).toMatch(/^btree \(due.*where .*state/)
  expect(own?.serves.find(({ query }) => query === 'page')).not.toHaveProperty('cost_at_worst')
  expect(findings.map(({ code }) => code)).not.toContain('LIMIT_GUESS')

  await source.sql.unsafe(own?.index.sql ?? '')
  const removed = JSON.stringify(await source.sql.unsafe(`explain (analyze, format json) ${page}`))
  await source.sql.unsafe(`drop index ${own?.index.name ?? ''}`)
  expect(removed).not.toContain('Rows Removed by Filter')
}, 300_000)

test('where the constants are not known the gain is told as a guess, with what it costs at worst', async () => {
  const { advice, findings } = await advise({
    page: [
      'select id, title from jobs where state not in ($1, $2) and due < $3 order by due limit 50',
      '[done, held, "2025-06-01"]',
    ],
    first: ['select id, title from jobs where due < $1 order by due limit 50', '["2025-06-01"]'],
  })
  const serves = advice.flatMap((one) => one.serves)
  const of = (name: string) => serves.find(({ query }) => query === name)
  expect(of('page')?.cost_at_worst).toBeGreaterThan(of('page')?.cost_before ?? Infinity)
  expect(of('first')?.cost_after).toBeGreaterThan(0)
  expect(of('first')).not.toHaveProperty('cost_at_worst')
  expect(findings.find(({ code }) => code === 'LIMIT_GUESS')?.message).toMatch(
    /^page: .* It costs [\d,]+ if they are evenly spread, up to [\d,]+ if they come last, [\d,]+ now$/,
  )
}, 300_000)

test('the cost at worst is that of all rows, where LIMIT ends what leaves rows out', async () => {
  await source.sql.unsafe('create index jobs_due on jobs (due)')
  await source.sql.unsafe('analyze jobs')
  const planOf = async (sql: string, settings = '') => {
    const rows = await source.sql.begin(async (one) => {
      await one.unsafe(`set local max_parallel_workers_per_gather = 0; ${settings}`)
      return one.unsafe(`explain (format json) ${sql}`)
    })
    const plan = readQueryPlan(rows[0]?.['QUERY PLAN'])
    if (plan === null) throw new Error('no query plan')
    return plan
  }
  const guesses: readonly (readonly [sql: string, settings?: string])[] = [
    [`select * from jobs where kind = 7 order by due limit 10`, 'set local enable_sort = off'],
    [`select * from jobs where kind = 7 limit 10`],
    [`select min(due) from jobs where kind = 7`, 'set local enable_seqscan = off; set local enable_bitmapscan = off'],
    [
      `select * from jobs j join kinds k on k.id = j.kind and k.label = 'k7' order by j.due limit 10`,
      'set local enable_sort = off; set local enable_hashjoin = off; set local enable_mergejoin = off',
    ],
  ]
  for (const [sql, settings] of guesses) {
    const plan = await planOf(sql, settings)
    expect(costAtWorst(plan), JSON.stringify(plan.nodes.map(({ type }) => type))).toBeGreaterThan(plan.cost * 1.5)
  }
  const sure: readonly (readonly [sql: string, settings?: string])[] = [
    [`select * from jobs order by due limit 10`],
    [`select * from jobs where kind = 7 order by title limit 10`],
    [`select * from jobs where kind = 7`],
    [`select kind, count(*) from jobs where title = 'x' group by kind limit 10`, 'set local enable_sort = off'],
  ]
  for (const [sql, settings] of sure) {
    const plan = await planOf(sql, settings)
    expect(costAtWorst(plan), sql).toBe(plan.cost)
  }
}, 300_000)
