import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { build, ended, folder, start } from '../cli/perfdb.js'
import { openTransaction } from '../support/leftover.js'
import { testDatabase } from '../support/database.js'
import { building, gatedTable, inPhase, invalidIndexes, slowIndex, slowTable, until } from '../support/slow.js'

const program = join(import.meta.dirname, '../../bin/perfdb.js')
const profile = `version: 1\nindexes:\n  - ${slowIndex}\n  - { name: after, table: t, keys: [b], where: a > 0 }\n`

beforeAll(build)

test('SIGHUP, once and again as a closing terminal sends it, cleans up as SIGINT does: exit 129', async () => {
  await using db = await testDatabase(slowTable(400, 20))
  await using home = await folder({ 'p.yaml': profile })
  const running = start(['apply', 'p.yaml', '--format', 'json'], {
    cwd: home.path,
    environment: { DATABASE_URL: db.url },
  })
  const outcome = ended(running)
  await until('the build', building(db.sql, 'i_slow'))
  running.kill('SIGHUP')
  running.kill('SIGHUP')
  const { code, stdout } = await outcome
  expect(code).toBe(129)
  expect(JSON.parse(stdout)).toMatchObject({
    exit_code: 129,
    steps: expect.arrayContaining([expect.objectContaining({ index: 'i_slow', state: 'missing' })]),
  })
  expect(await invalidIndexes(db.sql)).toEqual([])
  expect(await db.sql`select outcome from perfdb.runs`).toMatchObject([{ outcome: 'interrupted' }])
})

test('SIGHUP while a build waits for a transaction at its end, and while only a query is measured', async () => {
  await using db = await testDatabase('create table t (a int); insert into t values (1)')
  await using home = await folder({
    'p.yaml': 'version: 1\nindexes:\n  - { name: i, table: t, keys: [a] }\n',
    'slow.sql': 'select pg_sleep(60);',
  })
  const where = { cwd: home.path, environment: { DATABASE_URL: db.url } }
  await using reader = await openTransaction(db.sql, 'begin isolation level repeatable read', 'select 1')
  const running = start(['apply', 'p.yaml'], where)
  const outcome = ended(running)
  await until('the wait', inPhase(db.sql, 'waiting for old snapshots'))
  running.kill('SIGHUP')
  expect(await outcome).toMatchObject({ code: 129 })
  await reader.end()
  expect(await invalidIndexes(db.sql)).toEqual([])
  const explain = start(['explain', 'slow.sql'], where)
  const explained = ended(explain)
  await until('the query', async () => {
    return (
      (
        await db.sql`select 1 from pg_stat_activity where datname = current_database() and query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()`
      ).length > 0
    )
  })
  explain.kill('SIGHUP')
  expect((await explained).code).toBe(129)
})

test('with CI set the end of the process that started perfdb counts as SIGTERM; without CI it builds on', async () => {
  for (const [ci, outcome, left] of [
    ['true', 'interrupted', 1],
    ['', 'done', 2],
  ] as const) {
    // What is to be cut short has not ended before, however late the signal is.
    await using db = await testDatabase(ci === '' ? slowTable(100, 20) : gatedTable)
    await using home = await folder({ 'p.yaml': profile })
    const env = { PATH: process.env['PATH'], HOME: home.path, DATABASE_URL: db.url, CI: ci }
    const script = `"${process.execPath}" "${program}" apply p.yaml >out 2>err & wait`
    const parent = spawn('bash', ['-c', script], { cwd: home.path, env, stdio: 'ignore' })
    await until('the build', building(db.sql, 'i_slow'))
    parent.kill('SIGKILL')
    await until('the end of the run', async () => {
      return (await db.sql`select 1 from perfdb.runs where finished_at is not null`).length > 0
    })
    expect(await db.sql`select outcome from perfdb.runs`).toMatchObject([{ outcome }])
    expect(await invalidIndexes(db.sql)).toEqual([])
    expect(await db.sql`select 1 from pg_class where relname in ('i_slow', 'after')`).toHaveLength(left)
  }
})
