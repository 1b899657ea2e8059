import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adviseResult } from '../../src/result/documents/advise-result.js'
import { explainResult } from '../../src/result/documents/result.js'
import { documentOf } from '../support/document.js'
import { onServer, ownServer, type OwnServer } from '../support/server.js'

const state: { server?: OwnServer } = {}
let folder: string

/** As the application says it: three of four rows are closed. */
const overdue = `select id, owner from tickets where state not in ('done', 'dropped') and due < '2025-02-01' order by due limit 50`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  state.server = await ownServer({ shared_preload_libraries: 'pg_stat_statements' })
  await onServer(state.server?.url ?? '', async (sql) => {
    await sql.unsafe(`create extension pg_stat_statements;
      create table tickets (id bigint primary key, state text not null, owner int not null, closed boolean not null, due date not null, note text not null);
      insert into tickets select n, case when n % 40 = 1 then 'open' when n % 3 = 0 then 'dropped' else 'done' end, n % 900, n % 40 <> 1,
        date '2025-01-01' + n % 700, repeat('x', 90) from generate_series(1, 40000) n;
      select pg_stat_statements_reset()`)
    await sql.unsafe('vacuum analyze tickets')
    for (let call = 0; call < 7; call += 1) await sql.unsafe(overdue)
  })
  await writeFile(join(folder, 'overdue.sql'), `-- name: overdue\n${overdue};\n`)
})

afterAll(async () => {
  await state.server?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function advise(...parameters: readonly string[]) {
  return documentOf(adviseResult, state.server?.url ?? '', folder, 'advise', ...parameters)
}

/** Every definition that was chosen, or tried and not. */
function definitions({ advice }: Awaited<ReturnType<typeof advise>>): readonly string[] {
  return advice.flatMap(({ index, rejected }) => [index.definition, ...rejected.map(({ definition }) => definition)])
}

test('no predicate is made of values: neither of the statistics, nor of those that a profile gives for $1', async () => {
  const counted = await advise('--top', '5')
  expect(counted.queries).toBe(1)
  expect(counted.advice).not.toEqual([])
  expect(definitions(counted).filter((one) => one.includes('where'))).toEqual([])
  expect(counted.findings.find(({ code }) => code === 'CONSTANTS_UNKNOWN')?.message).toMatch(
    /leaves rows out for values that the text does not say \(state\)/,
  )

  // A list of several, a boolean that is printed without its value, and a date that is printed as another text.
  const given: readonly (readonly [string, string])[] = [
    ['select id from tickets where state not in ($1, $2) and owner = 5', '[done, dropped]'],
    ['select id from tickets where closed = $1 and owner = 7', '[false]'],
    ['select id from tickets where due <> $1 and owner = 9', `['2025-1-7']`],
  ]
  const lines = given.map(([sql, params], at) => `  - { name: q${at}, sql: ${JSON.stringify(sql)}, params: ${params} }`)
  await writeFile(join(folder, 'q.yaml'), `version: 1\nprofile: q\nqueries:\n${lines.join('\n')}\n`)
  const asked = await advise('q.yaml')
  expect(asked.advice).not.toEqual([])
  expect(definitions(asked).filter((one) => one.includes('where'))).toEqual([])

  const url = state.server?.url ?? ''
  const { queries } = await documentOf(explainResult, url, folder, 'explain', 'q.yaml', '--samples', '3')
  const hints = queries.flatMap(({ findings }) => findings.map(({ hint }) => hint))
  expect(hints.filter((hint) => hint?.includes('create index') === true)).not.toEqual([])
  expect(hints.filter((hint) => hint?.includes(' where ') === true)).toEqual([])
})

test('a query with its constants stands for the counted one: with its calls, and an index on the other rows alone', async () => {
  const { queries, advice, findings, cost } = await advise('overdue.sql', '--top', '5')
  expect(queries).toBe(1)
  expect(findings.map(({ code }) => code)).not.toContain('CONSTANTS_UNKNOWN')
  const [first] = advice
  expect(first?.index.definition).toMatch(/^btree \(due.* where .*state/)
  expect(first?.serves.map(({ query }) => query)).toEqual(['overdue'])
  expect(cost.before).toBeCloseTo(7 * (first?.serves[0]?.cost_before ?? 0), 0)
})

test('statements that write are counted too: they look for rows, and pay; without any that is said', async () => {
  await onServer(state.server?.url ?? '', async (sql) => sql`select pg_stat_statements_reset()`)
  const none = await advise('--top', '5')
  expect([none.queries, none.findings.map(({ code }) => code)]).toEqual([0, ['NO_STATEMENTS']])

  await onServer(state.server?.url ?? '', async (sql) => {
    for (const owner of [5, 6, 7]) await sql`update tickets set note = 'z' where owner = ${owner}`
    await sql`insert into tickets values (${900_001}, ${'open'}, ${5}, ${false}, ${'2025-01-01'}, ${'z'})`
  })
  const { queries, not_judged: left, advice, findings } = await advise('--top', '5')
  expect([queries, left, findings]).toEqual([2, [], []])
  expect(advice.map(({ index }) => index.definition)).toEqual(['btree (owner)'])
  expect(advice[0]?.writes_share).toBeGreaterThan(0)
  await writeFile(
    join(folder, 'broken.sql'),
    'select id from tickets where owner = 5;\n-- name: odd\nselect from where;\n',
  )
  expect((await advise('broken.sql')).not_judged).toEqual([
    { query: 'odd', reason: 'syntax error at or near "where" (broken.sql:3:13)' },
  ])
})

test('a query of a log beside --top: the counted one that it equals gives its calls, one that begins as it does keeps its own', async () => {
  const begins = 'select id, owner, closed, due, state, note from tickets where '
  const [same, other] = [`${begins}owner = $1`, `${begins}due = $1 and state = $2`]
  await onServer(state.server?.url ?? '', async (sql) => {
    await sql`select pg_stat_statements_reset()`
    for (const owner of [5, 6, 7]) await sql.unsafe(same, [owner])
  })
  const plan = (text: string) =>
    JSON.stringify({ 'Query Text': text, Plan: { 'Node Type': 'Seq Scan', 'Relation Name': 'tickets' } })
  const costs = async (text: string) => {
    await writeFile(join(folder, 'plan.json'), plan(text))
    const { queries, advice, cost } = await advise('plan.json', '--top', '5')
    return { queries, before: cost.before, serves: advice.flatMap(({ serves }) => serves) }
  }
  const own = await costs(same)
  expect(own.queries).toBe(1)
  expect(own.before).toBeCloseTo(3 * (own.serves[0]?.cost_before ?? 0), 0)

  const both = await costs(other)
  const names = both.serves.map(({ query }) => query)
  expect(both.queries).toBe(2)
  expect(new Set(names).size).toBe(2)
  expect(names).toContain(`${begins.slice(0, 57)}... (pg_stat_statements)`)
  const once = new Map(both.serves.map(({ query, cost_before: cost }) => [query.endsWith(')'), cost]))
  expect(both.before).toBeCloseTo(3 * (once.get(true) ?? 0) + (once.get(false) ?? 0), 0)
})
