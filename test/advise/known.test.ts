import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adviseResult } from '../../src/result/documents/advise-result.js'
import { statisticsResult } from '../../src/result/documents/statistics-result.js'
import { parseStatistics } from '../../src/twin/statistics.js'
import { perfdbHere } from '../cli/perfdb.js'
import { documentOf, jsonOf } from '../support/document.js'
import { onServer, ownServer, type OwnServer } from '../support/server.js'

const schema =
  'create table people (id bigint primary key, email text not null, state text not null, town text not null)'
const state: { server?: OwnServer } = {}
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  state.server = await ownServer({ shared_preload_libraries: 'pg_stat_statements' })
  await onServer(state.server?.url ?? '', async (sql) => {
    await sql.unsafe(`create extension pg_stat_statements; ${schema};
      insert into people select n, 'mail' || n, 'state' || n % 400, 'town' || n % 300 from generate_series(1, 30000) n; analyze`)
    await sql.unsafe(`select * from people where email = 'whispered77'`)
    await sql.unsafe('select * from people where state in ($1, $2)', ['murmured1', 'murmured2'])
    await sql.unsafe(`create role spoken login password 'hushed88'`)
  })
  await writeFile(join(folder, 'schema.sql'), schema)
})

afterAll(async () => {
  await state.server?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function take(url: string, file: string) {
  return documentOf(statisticsResult, url, folder, 'statistics', '--out', file)
}

async function advise(queries: readonly string[], file: string, ...parameters: readonly string[]) {
  await writeFile(join(folder, 'branch.sql'), `${queries.join(';\n')};\n`)
  const alone = ['--url', 'embedded', '--load', 'schema.sql', '--exit-code', '--baseline', file]
  return perfdbHere(['advise', 'branch.sql', ...alone, ...parameters], { cwd: folder, environment: { NO_COLOR: '1' } })
}

const known = [
  '-- name: by_mail\nselect * from public.people where email = $1',
  `-- name: states\nselect * from people where state in ('state5', 'state6', 'state7')`,
]

test('advise --baseline warns of queries that are new; of those that the server runs the file has neither texts nor constants', async () => {
  const taken = await take(state.server?.url ?? '', 'main.json')
  // The INSERT too; no utility statement, and none of perfdb's own.
  expect(taken.counts.statements).toBe(3)
  expect(taken.findings.map(({ code }) => code)).toEqual(['HOLDS_VALUES'])
  expect(await readFile(join(folder, 'main.json'), 'utf8')).not.toMatch(/whispered|murmured|hushed|spoken|select /i)

  // In other words and with other constants: told, and nothing to warn of.
  const { code, stdout } = await advise(known, 'main.json')
  expect(code).toBe(0)
  const told = stdout.replaceAll(/\s+/g, ' ')
  expect(told).toContain('2 queries run on the server of the statistics file already')
  expect(told).toContain('by_mail (common), runs already')

  const more = await advise(
    [...known, '-- name: by_town\nselect * from people where town = $1'],
    'main.json',
    '--format=github',
  )
  expect(more.code).toBe(1)
  expect(more.stdout.match(/^::warning file=branch\.sql,line=\d+/gm)).toEqual(['::warning file=branch.sql,line=6'])
})

test('where a file knows no statements each query counts, and that is said', async () => {
  const url = state.server?.url ?? ''
  const hidden = await take(url.replace(/\/\/[^@]+@/, '//spoken:hushed88@'), 'hidden.json')
  expect(hidden.findings.find(({ code }) => code === 'NO_STATEMENTS')?.message).toContain('to spoken')
  await onServer(state.server?.url ?? '', async (sql) => sql.unsafe('drop extension pg_stat_statements'))
  const { counts, findings } = await take(url, 'none.json')
  expect(counts.statements).toBeUndefined()
  expect(findings.map(({ code }) => code)).toContain('NO_STATEMENTS')
  const { stdout } = await advise(known.slice(0, 1), 'none.json', '--format=json')
  const all = adviseResult.parse(JSON.parse(stdout))
  expect([all.exit_code, all.known]).toEqual([1, undefined])
  expect(all.findings.map(({ message }) => message)).toEqual([
    'none.json does not say which queries its server runs: each counts as new',
  ])
})

test('the ledger of perfdb is in no statistics file, and nobody is told that the schema of the branch lacks it', async () => {
  const url = state.server?.url ?? ''
  const index = 'indexes: [{ name: people_state, table: people, keys: [state] }]'
  await writeFile(join(folder, 'people.yaml'), `version: 1\nprofile: people\n${index}\n`)
  const applied = await jsonOf(url, folder, 'apply', 'people.yaml', '--no-measure')
  expect(applied.code, applied.stderr).toBe(0)
  await onServer(state.server?.url ?? '', async (sql) => {
    expect(await sql`select from pg_tables where schemaname = 'perfdb'`).not.toHaveLength(0)
    await sql.unsafe('analyze')
  })
  await take(url, 'ledger.json')
  const { relations } = parseStatistics(await readFile(join(folder, 'ledger.json'), 'utf8'), 'ledger.json')
  expect(relations.map(({ schema: name }) => name)).not.toContain('perfdb')
  const { stdout } = await advise(known.slice(0, 1), 'ledger.json', '--format=json')
  const { findings, twin } = adviseResult.parse(JSON.parse(stdout))
  expect([findings.filter(({ code }) => code === 'TWIN_PARTIAL'), twin.gaps]).toEqual([[], undefined])
})
