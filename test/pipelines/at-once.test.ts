import { execFileSync, spawnSync } from 'node:child_process'
import { beforeAll, expect, test } from 'vitest'
import { build, perfdb } from '../cli/perfdb.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { openTransaction } from '../support/leftover.js'
import { inPhase, invalidIndexes, slowIndex, slowTable, until } from '../support/slow.js'
import { actionStep, project, send } from './runner.js'

const files = {
  'perfdb.yaml': 'version: 1\nprofiles: [p.yaml]\n',
  'p.yaml': `version: 1\nindexes:\n  - ${slowIndex}\n`,
}

beforeAll(build)

const outcomes = async (db: TestDatabase) =>
  (await db.sql`select outcome from perfdb.runs order by id`).map(({ outcome }) => outcome)

test.each(['', '--plan plan.json'])(
  'two jobs at once, apply %s: one builds, one that waits finds it done, one that does not is told who',
  async (saved) => {
    await using db = await testDatabase(slowTable(50, 20))
    await using home = await project(files)
    await using second = await project(files)
    for (const { path } of saved === '' ? [] : [home, second])
      await perfdb(['plan', '--out', 'plan.json'], { cwd: path, environment: { DATABASE_URL: db.url } })
    const job = async (at: typeof home, more: string) =>
      actionStep(at, { command: 'apply', url: db.url, arguments: `${saved} ${more}` })
    // The build ends when this lets it, however long the other jobs take to start.
    await using writer = await openTransaction(db.sql, 'begin', 'lock table t in row exclusive mode')
    const building = await job(home, '')
    await until('the build', inPhase(db.sql, 'waiting for writers before build'))
    const refused = await (await job(second, '')).done
    expect(refused).toMatchObject({ code: 2, output: 'exit-code=2\n', stdout: expect.stringContaining('LOCK_HELD') })
    const waiting = await job(second, '--lock-wait 1min')
    await writer.end()
    expect((await building.done).code).toBe(0)
    expect(await waiting.done).toMatchObject({ code: 0, output: 'exit-code=0\n' })
    expect(await db.sql`select 1 from pg_class where relname like 'i_slow%'`).toHaveLength(1)
    expect(await invalidIndexes(db.sql)).toEqual([])
  },
)

test('a clean-up that outlasts the runner’s ten seconds is killed with the job, and the next job heals what is left', async () => {
  await using db = await testDatabase(slowTable(100, 20))
  await using home = await project(files)
  const { child, done } = await actionStep(home, { command: 'apply', url: db.url })
  await until('the build', inPhase(db.sql, 'building index'))
  // DROP INDEX CONCURRENTLY waits for whoever reads the table; the build does not.
  await using reader = await openTransaction(db.sql, 'begin', 'lock table t in access share mode')
  // What GitHub's runner sends to a cancelled step: SIGINT, SIGTERM after 7.5 s, SIGKILL 2.5 s later.
  send(child, 'SIGINT', 'shell')
  await until('the clean-up to wait', async () => {
    const rows =
      await db.sql`select 1 from pg_stat_activity where datname = current_database() and query ilike '%drop index concurrently%' and wait_event_type = 'Lock'`
    return rows.length > 0
  })
  // With the step itself GitHub ends what the step left behind.
  const left = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' })
  // The shell first: one whose command has just died may end by itself before it is killed.
  send(child, 'SIGKILL', 'group')
  spawnSync('kill', ['-9', ...(left.match(/\d+/g) ?? [])])
  expect((await done).signal).toBe('SIGKILL')
  await reader.end()
  const again = await (await actionStep(home, { command: 'apply', url: db.url, arguments: '--lock-wait 1min' })).done
  expect(again).toMatchObject({ code: 0, output: 'exit-code=0\n' })
  expect(await invalidIndexes(db.sql)).toEqual([])
  expect(await db.sql`select 1 from pg_class where relname = 'i_slow'`).toHaveLength(1)
  expect((await outcomes(db)).at(-1)).toBe('done')
})
