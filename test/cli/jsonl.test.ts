import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { until } from '../support/slow.js'
import { z } from '../../src/yaml/schema.js'
import { build, ended, folder, perfdbHere, start, type Folder } from './perfdb.js'

const line = z.looseObject({ type: z.string(), event: z.string().optional() })
let database: TestDatabase
let home: Folder

beforeAll(async () => {
  await build()
  database = await testDatabase(
    'create table t (a int, b int); insert into t select n, n from generate_series(1, 100) n',
  )
  home = await folder({
    'one.yaml':
      'version: 1\nprofile: one\nindexes: [{ name: i, table: t, keys: [a] }]\nqueries: [{ name: q, sql: select * from t where a = 1 }]\n',
  })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

function lines(text: string) {
  return text
    .split('\n')
    .slice(0, -1)
    .map((each) => line.parse(JSON.parse(each)))
}

test('events are written while the run goes, the lines of the result after them', async () => {
  const holder = await database.sql.reserve()
  await holder`begin isolation level repeatable read`
  await holder`select pg_catalog.count(*) from t`
  const child = start(['apply', 'one.yaml', '--format', 'jsonl', '--time-budget', '100ms'], {
    cwd: home.path,
    environment: { DATABASE_URL: database.url },
  })
  let written = ''
  child.stdout?.on('data', (chunk: Buffer) => (written += chunk.toString()))
  const outcome = ended(child)
  // The build cannot end before the transaction does: whatever stands there now was written on the way.
  await until(
    'the event of the wait',
    () => written.includes('"event":"step_progress"') && written.includes('"blocker":"'),
  )
  const early = lines(written)
  expect(early.every(({ type }) => type === 'progress')).toBe(true)
  expect(early).toContainEqual(
    expect.objectContaining({ event: 'step_started', step: 'create', index: 'i', number: 1, of: 1 }),
  )
  await holder`commit`
  holder.release()
  const { code, stdout } = await outcome
  expect(code).toBe(0)
  const all = lines(stdout)
  const result = all.filter(({ type }) => type !== 'progress')
  expect(all.slice(-result.length)).toEqual(result)
  expect(result.map(({ type }) => type)).toEqual(expect.arrayContaining(['start', 'step', 'query', 'end']))
  expect(result[0]).toMatchObject({ type: 'start', command: 'apply' })
  expect(result.at(-1)).toMatchObject({ type: 'end', ok: true, exit_code: 0 })
  const done = all.find(({ event }) => event === 'step_done')
  expect(done).toMatchObject({ index: 'i', outcome: 'built', duration_ms: expect.any(Number), at: expect.any(String) })
  // For whom it waited is in the result, too.
  expect(result.find(({ type }) => type === 'step')).toMatchObject({
    waited_for: [expect.stringMatching(/^pid \d+, .*idle in transaction/)],
    place: { file: 'one.yaml', line: 3 },
  })
})

test('quiet: the lines of the result alone; so in a report file', async () => {
  const options = { cwd: home.path, environment: { DATABASE_URL: database.url } }
  const quiet = await perfdbHere(['verify', 'one.yaml', '--format', 'jsonl', '--quiet'], options)
  expect(lines(quiet.stdout).map(({ type }) => type)).toEqual(['start', 'step', 'end'])
  const told = await perfdbHere(['explain', 'one.yaml', '--format', 'jsonl', '--time-budget', '50ms'], options)
  expect(lines(told.stdout)[0]).toMatchObject({ type: 'progress', event: 'measured', query: 'q', number: 1, of: 1 })
})

test('a reader that leaves early stops no build', async () => {
  await using other = await testDatabase('create table t (a int, b int)')
  const child = start(['apply', 'one.yaml', '--format', 'jsonl', '--no-measure'], {
    cwd: home.path,
    environment: { DATABASE_URL: other.url },
  })
  child.stdout?.destroy()
  const { code, stderr } = await ended(child)
  expect({ code, error: stderr.includes('error') }).toEqual({ code: 0, error: false })
  expect(await other.sql`select 1 from pg_catalog.pg_indexes where indexname = 'i'`).toHaveLength(1)
})
