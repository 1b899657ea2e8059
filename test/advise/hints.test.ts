import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { explainResult } from '../../src/result/documents/result.js'
import { statisticsResult } from '../../src/result/documents/statistics-result.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { documentOf } from '../support/document.js'

let source: TestDatabase
let folder: string

const schema = `create table notes (id int primary key, kind int not null, at timestamptz not null, size int not null, body text not null);`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  source = await testDatabase(`${schema}
    insert into notes select n, n % 40, timestamptz '2025-01-01' + n * interval '1 min', n, md5(n::text) || md5((n + 1)::text) from generate_series(1, 60000) n;`)
  await source.sql.unsafe('vacuum analyze notes')
  await writeFile(
    join(folder, 'q.yaml'),
    `version: 1
profile: q
indexes:
  - { name: notes_size, table: notes, keys: [size], for: [within] }
queries:
  - { name: within, sql: "select id from notes where body ilike $1", params: ['%abcde%'] }
  - { name: summed, sql: "select sum(size) from notes where kind = 7" }
  - { name: tried, sql: "select count(*) from notes where abs(size) % 16 = 3" }
`,
  )
  await writeFile(join(folder, 'schema.sql'), schema)
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** By query the hint of its SEQ_SCAN. */
async function hints(...parameters: readonly string[]): Promise<Readonly<Record<string, string | undefined>>> {
  const { queries } = await documentOf(explainResult, source.url, folder, ...parameters)
  return Object.fromEntries(
    queries.map(({ name, findings }) => [name, findings.find(({ code }) => code === 'SEQ_SCAN')?.hint]),
  )
}

const falls = String.raw`\(tried on a twin: the cost of the query falls from [\d,]+ to [\d,]+\)$`

test('with --what-if the hints of explain are what advise would choose for the query alone', async () => {
  const plain = await hints('explain', 'q.yaml', '--samples', '3')
  expect(plain['within']).toContain('trigrams alone do (extension pg_trgm')
  expect(plain['within']).not.toContain('create index')
  expect(plain['summed']).toContain('create index on public.notes (kind) (tried on an empty copy')

  const found = await hints('explain', 'q.yaml', '--samples', '3', '--what-if', '--what-if-engine', 'twin')
  expect(found['within']).toMatch(
    new RegExp(
      String.raw`create extension pg_trgm \(this role, or .*\), then create index on public\.notes using gin \(body gin_trgm_ops\) ${falls}`,
    ),
  )
  // Wider than what serves the condition: the planner then need not read the table.
  expect(found['summed']).toMatch(
    new RegExp(String.raw`create index on public\.notes \(kind\) include \(size\) ${falls}`),
  )
})

test('explain of a statistics file names indexes that were tried on its twin', async () => {
  await documentOf(statisticsResult, source.url, folder, 'statistics', '--out', 'notes.json')
  const alone = ['--url', 'embedded', '--load', 'schema.sql', '--statistics', 'notes.json']
  const found = await hints('explain', 'q.yaml', ...alone)
  expect(found['summed']).toMatch(new RegExp(`^create index on public\\.notes \\(kind\\) include \\(size\\) ${falls}`))
})
