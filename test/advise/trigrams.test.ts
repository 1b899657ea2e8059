import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adviseResult } from '../../src/result/documents/advise-result.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { documentOf, jsonOf } from '../support/document.js'

let source: TestDatabase
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  source =
    await testDatabase(`create table notes (id int primary key, body text not null, title varchar not null, number text not null);
    insert into notes select n, md5(n::text) || md5((n + 1)::text), md5((n * 7)::text), 'J-' || 2000 + n % 20 || '-' || lpad(n::text, 6, '0') from generate_series(1, 40000) n; analyze notes`)
  const queries = [
    `{ name: within, sql: "select * from notes where body ilike $1", params: ['%abcde%'] }`,
    `{ name: regular, sql: "select id from notes where title ~ 'cafe[0-9]'" }`,
  ]
  await writeFile(
    join(folder, 'q.yaml'),
    `version: 1\nprofile: q\nqueries:\n${queries.map((one) => `  - ${one}\n`).join('')}`,
  )
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function advise(...parameters: readonly string[]) {
  return documentOf(adviseResult, source.url, folder, 'advise', ...parameters)
}

async function extensions(): Promise<readonly string[]> {
  const rows = await source.sql<{ name: string }[]>`select extname as name from pg_extension where extname = 'pg_trgm'`
  return rows.map(({ name }) => name)
}

test('--prove tries no trigrams where it may not create the extension, and says so', async () => {
  const proof = await advise('q.yaml', '--prove')
  expect(proof.advice).toEqual([])
  expect(proof.findings.find(({ code }) => code === 'TRIGRAMS_UNTRIED')?.message).toMatch(
    /^an index of pg_trgm might serve a pattern \(public\.notes gin .*, and 1 more\), and was not tried: --prove creates no extension/,
  )
  expect(await extensions()).toEqual([])
})

test('of two that save about as much the one that needs no extension is taken, though the other is smaller', async () => {
  const { advice } = await advise('--query', `select * from notes where number like 'J-2004-0%'`)
  const [first] = advice
  expect([advice.length, first?.index.definition]).toEqual([1, 'btree (number text_pattern_ops)'])
  const gin = first?.rejected.find(({ definition }) => definition === 'gin (number gin_trgm_ops)')
  expect(gin?.size_bytes).toBeLessThan(first?.size_bytes ?? 0)
  expect(gin?.share).toBeGreaterThan(0.9 * (first?.share ?? 1))
})

test('trigrams are tried on the twin where the server could have pg_trgm, which perfdb does not create', async () => {
  const { advice, findings } = await advise('q.yaml', '--out', 'advised.yaml')
  expect(findings).toEqual([])
  expect(await extensions()).toEqual([])
  expect(Object.fromEntries(advice.map(({ index, serves }) => [index.definition, serves[0]?.query]))).toEqual({
    'gin (body gin_trgm_ops)': 'within',
    'gin (title gin_trgm_ops)': 'regular',
  })
  expect(advice[0]?.needs).toMatchObject({
    sql: 'create extension pg_trgm',
    by: 'this role, or a role with CREATE on the database, or a superuser',
  })
  expect(await readFile(join(folder, 'advised.yaml'), 'utf8')).toContain('extensions: [pg_trgm]')
  const plan = async (...parameters: readonly string[]) =>
    (await jsonOf(source.url, folder, 'plan', 'advised.yaml', ...parameters)).document
  expect(await plan()).toMatchObject({ error: { code: 'NO_EXTENSION' } })
  expect(await plan('--allow', 'CREATE_EXTENSION')).toMatchObject({ steps: [{ step: 'create' }, { step: 'create' }] })

  // In truth as on the twin.
  await source.sql.unsafe('create extension pg_trgm')
  for (const { index } of advice) await source.sql.unsafe(index.sql.replace(' concurrently', ''))
  for (const where of [`body ilike '%abcde%'`, `title ~ 'cafe[0-9]'`])
    expect(JSON.stringify(await source.sql.unsafe(`explain select * from notes where ${where}`))).toContain(
      'idx_notes_',
    )
})
