import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readProfiles } from '../../src/profile/read/read.js'
import { adviseResult, type AdviseResult } from '../../src/result/documents/advise-result.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { perfdbHere } from '../cli/perfdb.js'
import { documentOf, jsonOf } from '../support/document.js'
import { serverMajor } from '../support/major.js'

let source: TestDatabase
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  source = await testDatabase(`
    create table orders (id bigint primary key, customer_id bigint not null, state text not null, placed timestamptz not null, note text not null);
    create table visits (id bigint primary key, page int not null, at timestamptz not null, note text not null);
    insert into orders select n, 1 + n % 20000, case n % 400 when 0 then 'rare' else 'usual' end, timestamptz '2025-01-01' + n * interval '5 min',
      repeat('x', 60) from generate_series(1, 60000) n;
    insert into visits select n, n % 5000, timestamptz '2025-01-01' + n * interval '5 min', repeat('x', 60) from generate_series(1, 60000) n;`)
  await source.sql.unsafe('analyze')
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

type Statement = readonly [text: string, values?: readonly (string | number)[]]

/** What auto_explain says of these statements, as it stands in a server's log. */
async function logged(format: 'text' | 'json', statements: readonly Statement[], analyze = 'on'): Promise<string> {
  const lines: string[] = []
  const sql = postgres(source.url, {
    max: 1,
    onnotice: ({ message = '' }) =>
      lines.push(`2026-01-01 10:00:00.123 UTC [7] LOG:  ${message.replaceAll('\n', '\n\t')}`),
  })
  try {
    await sql.unsafe(`load 'auto_explain'; set auto_explain.log_format = '${format}'; set auto_explain.log_analyze = ${analyze};
      set client_min_messages = log; set auto_explain.log_min_duration = 0`)
    for (const [text, values = []] of statements) await sql.unsafe(text, [...values])
  } finally {
    await sql.end()
  }
  return `${lines.filter((line) => line.includes('duration: ')).join('\n')}\n`
}

async function advise(...parameters: readonly string[]): Promise<AdviseResult> {
  return documentOf(adviseResult, source.url, folder, 'advise', ...parameters)
}

const served = ({ advice }: AdviseResult) =>
  advice.map(({ index, serves }) => [index.definition, serves.map(({ query }) => query)])

const ofCustomer = 'select * from orders where customer_id = $1'

test('a log of auto_explain: each statement as often as it is there, with the values that were logged', async () => {
  const log = await logged('text', [
    [ofCustomer, [77]],
    [ofCustomer, [77]],
    [ofCustomer, [78]],
    ...[1, 2, 3, 4, 5].map((page) => [`select id from visits where page = ${page}`] as const),
    ['select count(*) from pg_class'],
    ['select * from orders where id = 5'],
  ])
  await writeFile(join(folder, 'server.log'), log)
  const found = await advise('server.log', '--out', 'advised.yaml')
  expect(served(found)).toEqual([
    [
      'btree (page)',
      [
        'select id from visits where page = 1',
        'select id from visits where page = 2',
        'select id from visits where page = 3',
      ],
    ],
    // Once for each set of values.
    ['btree (customer_id)', serverMajor < 16 ? [ofCustomer] : [ofCustomer, ofCustomer]],
  ])
  expect(found.not_judged).toEqual([
    { query: 'select count(*) from pg_class', reason: expect.stringContaining('no table of the application') },
  ])
  expect(found.advice[1]?.serves[0]?.place).toMatchObject({ file: 'server.log' })

  const [profile] = await readProfiles(['advised.yaml'], { cwd: folder, environment: {} })
  const weights = Object.fromEntries(profile?.queries.map(({ name, weight }) => [name, weight]) ?? [])
  // Five calls, of which three are kept.
  expect(weights).toEqual({
    [ofCustomer]: 3,
    ...Object.fromEntries([1, 2, 3].map((page) => [`select id from visits where page = ${page}`, 1.667])),
  })
  // 14 and 15 log none.
  expect(profile?.queries.find(({ name }) => name === ofCustomer)?.parameters.map(({ values }) => values)).toEqual(
    serverMajor < 16 ? [] : [['77'], ['78']],
  )
  const planned = await jsonOf(source.url, folder, 'plan', 'advised.yaml')
  expect(planned.document).toMatchObject({ ok: true, steps: [{ step: 'create' }, { step: 'create' }] })
}, 300_000)

test('no predicate is made of a value that was logged for $1, nor values of one that was cut off', async () => {
  const rare = `select * from orders where state = $1 and placed < $2`
  const statements: readonly Statement[] = [
    [rare, ['rare', '2025-02-01']],
    ['select id from orders where state <> $1 and customer_id = $2', ['usual', 7]],
  ]
  const log = await logged('json', statements)
  await writeFile(join(folder, 'json.log'), log)
  const { advice, not_judged: left } = await advise('json.log')
  expect(left).toEqual([])
  expect(advice).not.toEqual([])
  const definitions = advice.flatMap(({ index, rejected }) => [
    index.definition,
    ...rejected.map(({ definition }) => definition),
  ])
  expect(definitions.filter((one) => one.includes('where'))).toEqual([])

  // As auto_explain.log_parameter_max_length = 2 leaves it: no date.
  await writeFile(join(folder, 'cut.log'), log.replace(/\$2 = '20[^']*'/, `$2 = '20...'`))
  const cut = await advise('cut.log')
  expect(cut.not_judged).toEqual([])
  expect(cut.judged).toBeGreaterThan(0)
}, 300_000)

test('a query plan without its text is told, and the rest goes on; nothing else is an error before a server is asked', async () => {
  const [explained] = await source.sql.unsafe('explain (format json) select * from orders where customer_id = 5')
  await writeFile(join(folder, 'plan.json'), JSON.stringify(explained?.['QUERY PLAN'], null, 1))
  const log = await logged('json', [['select * from visits where page = 7']], 'off')
  await writeFile(join(folder, 'one.log'), log)
  await writeFile(join(folder, 'slow.sql'), 'select * from orders where customer_id = 5;\n')
  const found = await advise('plan.json', 'one.log', 'slow.sql', '--query', 'select * from gone')
  expect(served(found)).toEqual([
    ['btree (customer_id)', ['slow.sql:1']],
    ['btree (page)', ['select * from visits where page = 7']],
  ])
  expect(found.not_judged).toEqual([{ query: 'query', reason: expect.stringContaining('gone') }])
  expect(found.findings.filter(({ code }) => code === 'NO_QUERY_TEXT')).toEqual([
    {
      code: 'NO_QUERY_TEXT',
      severity: 'warning',
      message: 'plan.json holds a query plan without the text of the query: nothing can be tried for it',
      hint: expect.stringContaining('perfdb advise queries.sql'),
      place: { file: 'plan.json', line: 1, column: 1 },
    },
  ])

  const nowhere = 'postgres://nobody@127.0.0.1:1/none'
  const { code, document } = await jsonOf(nowhere, folder, 'advise', 'plan.json')
  expect(code).toBe(2)
  expect(document).toMatchObject({
    error: { code: 'BAD_VALUE', hint: expect.stringContaining('--query'), place: { file: 'plan.json', line: 1 } },
  })
}, 300_000)

test('several statements in one text and names that are gone are named, of stdin too', async () => {
  await source.sql.unsafe('create table gone as select 1 as id')
  const log = await logged('text', [
    ['select * from gone'],
    ['select 1 from visits limit 1; select 2 from visits limit 1'],
    ['select * from visits where page = 7'],
  ])
  await source.sql.unsafe('drop table gone')
  const { stdout } = await perfdbHere(['advise', '-', '--format', 'json'], {
    cwd: folder,
    environment: { PERFDB_URL: source.url },
    stdin: log,
  })
  const found = adviseResult.parse(JSON.parse(stdout))
  expect(served(found)).toEqual([['btree (page)', ['select * from visits where page = 7']]])
  const reasons = new Map(found.not_judged.map(({ query, reason }) => [query, reason]))
  expect([...reasons.keys()]).toHaveLength(2)
  expect(reasons.get('select 1 from visits limit 1; select 2 from visits limit 1')).toContain(
    'expected one statement, found 2 (stdin:',
  )
  expect(reasons.get('select * from gone')).toContain('does not exist')
}, 300_000)
