import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adviseResult, type AdviseResult } from '../../src/result/documents/advise-result.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { documentOf, jsonOf } from '../support/document.js'

let source: TestDatabase
let folder: string

/** Nine queries that an index would help, by name what it must begin with (either needs two at once); and seven that none would. */
const wanted: Readonly<Record<string, { readonly sql: string; readonly params?: string; readonly keys: string }>> = {
  equality: { sql: 'select * from orders where customer_id = $1', params: '[77]', keys: 'customer_id' },
  ordered: {
    sql: `select * from orders where state = $1 order by placed desc limit 20`,
    params: '[rare]',
    keys: 'state',
  },
  range: { sql: `select * from visits where at between '2025-03-01' and '2025-03-01 01:00'`, keys: 'at' },
  two: { sql: 'select * from visits where page = 7 and visitor = 70', keys: 'visitor' },
  expression: { sql: `select * from customers where lower(email) = 'c70@example.com'`, keys: 'lower(email)' },
  document: { sql: `select * from orders where doc @> '{"k": 77}'`, keys: 'doc' },
  joined: {
    sql: 'select c.email, v.at from customers c join visits v on v.visitor = c.id where c.id between 5 and 9',
    keys: 'visitor',
  },
  either: { sql: 'select * from pairs where a = 7 or b = 8', keys: 'btree' },
  tags: { sql: `select * from customers where tags @> array['t7']`, keys: 'tags' },
}
const content: Readonly<Record<string, string>> = {
  key: 'select * from orders where id = 77',
  whole: 'select state, sum(total) from orders group by state',
  most: `select * from orders where state <> 'rare'`,
  small: `select * from states where label = 'rare'`,
  served: 'select * from orders where placed > now()',
  everything: 'select * from visits',
  // The planner has no statistics of an index that is not there, and guesses one of 200: it is one of three.
  modulo: 'select * from orders where id % 3 = 1',
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  source = await testDatabase(`
    create table states (id int primary key, label text not null);
    create table customers (id bigint primary key, email text not null, tags text[] not null);
    create table orders (id bigint primary key, customer_id bigint not null, state text not null, placed timestamptz not null,
      total numeric not null, doc jsonb not null, note text not null);
    create table visits (id bigint, at timestamptz not null, page int not null, visitor bigint not null) partition by range (at);
    create table visits_1 partition of visits for values from ('2025-01-01') to ('2025-07-01');
    create table visits_2 partition of visits for values from ('2025-07-01') to ('2026-01-01');
    create table pairs (a int not null, b int not null, filler text not null);
    insert into states values (1, 'rare'), (2, 'usual');
    insert into customers select n, 'C' || n || '@Example.com', array['t' || n % 200] from generate_series(1, 20000) n;
    insert into orders select n, 1 + n % 20000, case n % 400 when 0 then 'rare' else 'usual' end, timestamptz '2025-01-01' + n * interval '5 min', n % 900,
      jsonb_build_object('k', n % 300), repeat('x', 60) from generate_series(1, 60000) n;
    insert into visits select n, timestamptz '2025-01-01' + n * interval '5 min', n % 40, n % 15000 from generate_series(1, 100000) n;
    insert into pairs select n % 300, n % 300, repeat('y', 100) from generate_series(1, 40000) n;
    create index orders_placed on orders (placed);
    create statistics pairs_ab (dependencies) on a, b from pairs;`)
  await source.sql.unsafe('analyze')
  const line = ([name, { sql, params }]: readonly [string, { readonly sql: string; readonly params?: string }]) =>
    `  - { name: ${name}, sql: ${JSON.stringify(sql)}${params === undefined ? '' : `, params: ${params}`} }`
  const all = [
    ...Object.entries(wanted),
    ...Object.entries(content).map(([name, sql]) => [name, { sql }] as const),
    ['dependent', { sql: 'select * from pairs where a = 5 and b = 5' }] as const,
    ['broken', { sql: 'select nope from orders' }] as const,
  ]
  await writeFile(join(folder, 'q.yaml'), `version: 1\nprofile: q\nqueries:\n${all.map(line).join('\n')}\n`)
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function advise(...parameters: readonly string[]): Promise<AdviseResult> {
  return documentOf(adviseResult, source.url, folder, 'advise', ...parameters)
}

test('each piece of advice was tried: PostgreSQL builds it, the planner of the server takes it, and it is not there yet', async () => {
  const {
    advice,
    queries,
    cost,
    not_judged: left,
    exit_code: code,
  } = await advise('q.yaml', '--out', 'advised.yaml', '--max-indexes', '20', '--exit-code')
  expect(code).toBe(1)
  expect(queries).toBe(18)
  expect(cost.after).toBeLessThan(cost.before * 0.8)
  expect(left.map(({ query }) => query).toSorted()).toEqual(['broken', 'dependent'])
  expect(left.find(({ query }) => query === 'dependent')?.reason).toContain('does not plan it as the server does')

  const served = new Map(advice.flatMap(({ index, serves }) => serves.map(({ query }) => [query, index] as const)))
  for (const [name, { keys }] of Object.entries(wanted)) expect(served.get(name)?.definition, name).toContain(keys)
  // Nothing for those that are content, but what reads an index instead of a table on the way.
  for (const name of ['key', 'most', 'small', 'served', 'everything', 'modulo'])
    expect(served.has(name), name).toBe(false)
  expect(new Set(advice.map(({ index }) => index.name)).size).toBe(advice.length)

  // The profile of it is one that plan takes as it stands.
  expect(await readFile(join(folder, 'advised.yaml'), 'utf8')).toContain('for: [')
  const planned = await jsonOf(source.url, folder, 'plan', 'advised.yaml')
  expect(planned.document).toMatchObject({
    ok: true,
    steps: advice.map(() => ({ step: 'create' })),
    findings: [],
  })
  const before = new Set(
    (await source.sql<{ name: string }[]>`select relname as name from pg_class`).map(({ name }) => name),
  )
  for (const { index } of advice) {
    expect(before.has(index.name)).toBe(false)
    await source.sql.unsafe(index.sql.replace(/ concurrently/, ''))
  }
  await source.sql.unsafe('analyze')
  for (const { index, serves } of advice)
    for (const { query } of serves) {
      const text = (wanted[query]?.sql ?? content[query] ?? '').replace(
        '$1',
        `'${/\[(.*)\]/.exec(wanted[query]?.params ?? '')?.[1] ?? ''}'`,
      )
      const lines = JSON.stringify(await source.sql.unsafe(`explain ${text}`))
      const parts = await source.sql<
        { name: string }[]
      >`select c.relname as name from pg_partition_tree(${`${index.schema}.${index.name}`}::regclass) p join pg_class c on c.oid = p.relid`
      expect(
        [index.name, ...parts.map(({ name }) => name)].some((name) => lines.includes(name)),
        `${query}: ${lines}`,
      ).toBe(true)
    }

  const nothing = await advise('--query', 'select * from nowhere')
  expect(nothing).toMatchObject({ exit_code: 2, judged: 0, advice: [], not_judged: [{ query: 'query' }] })

  const again = await advise('q.yaml', '--exit-code')
  expect(again.advice.map(({ index }) => index.definition)).toEqual([])
  expect(again.exit_code).toBe(0)
}, 300_000)
