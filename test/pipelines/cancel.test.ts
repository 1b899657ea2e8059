import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { build } from '../cli/perfdb.js'
import { testDatabase } from '../support/database.js'
import { inPhase, invalidIndexes, slowIndex, slowTable, until } from '../support/slow.js'
import { actionStep, gitlabJob, project, send } from './runner.js'

const files = {
  'perfdb.yaml': 'version: 1\nprofiles: [p.yaml]\n',
  'p.yaml': `version: 1\nindexes:\n  - ${slowIndex}\n`,
}
const small = { ...files, 'p.yaml': 'version: 1\nindexes: [{ name: i, table: t, keys: [a] }]\n' }

beforeAll(build)

describe('a cancelled job reaches perfdb, which cleans up', () => {
  test.each([
    ['action', 'SIGINT', 'shell', 130],
    ['action', 'SIGTERM', 'group', 143],
    ['gitlab', 'SIGTERM', 'shell', 143],
  ] as const)('%s, %s to the %s: exit %i', async (what, signal, to, code) => {
    await using db = await testDatabase(slowTable(400, 20))
    await using home = await project(files)
    const step =
      what === 'action'
        ? await actionStep(home, { command: 'apply', url: db.url })
        : await gitlabJob(home, 'perfdb:apply', { DATABASE_URL: db.url })
    await until('the build', inPhase(db.sql, 'building index'))
    send(step.child, signal, to)
    const done = await step.done
    expect([done.code, done.stderr]).toEqual([code, expect.stringContaining('stopping')])
    if ('output' in done && 'summary' in done) {
      expect(done).toMatchObject({ output: `exit-code=${code}\n`, stdout: expect.stringContaining('::error ') })
      expect(done.summary).not.toBe('')
    }
    expect(await invalidIndexes(db.sql)).toEqual([])
    expect(await db.sql`select outcome from perfdb.runs`).toMatchObject([{ outcome: 'interrupted' }])
  })

  test('a shell that is killed leaves no build behind', async () => {
    await using db = await testDatabase(slowTable(400, 20))
    await using home = await project(files)
    const { child, done } = await actionStep(home, { command: 'apply', url: db.url })
    await until('the build', inPhase(db.sql, 'building index'))
    send(child, 'SIGKILL', 'group')
    await until('the end of the run', async () => {
      return (await db.sql`select 1 from perfdb.runs where finished_at is not null`).length > 0
    })
    expect(await invalidIndexes(db.sql)).toEqual([])
    await done
  })
})

describe('could not start is 2, with an annotation and the output', () => {
  test.each([
    ['nothing installed', {}, true, 'npm install --save-dev perfdb'],
    ['a version that is not there', { version: '99.0.0' }, true, 'cannot be installed'],
    ['no folder for the reports', { reports: 'p.yaml/reports' }, false, 'folder for the reports'],
    ['no working directory', { 'working-directory': 'nowhere' }, false, 'working-directory'],
    ['an option that is not there', { arguments: '--alow DROP' }, false, 'there is no option --alow'],
    ['a file that is not there', { arguments: 'nowhere.yaml' }, false, 'nowhere.yaml'],
    ['a database that is not there', { url: 'postgres://127.0.0.1:1/nowhere' }, false, 'CONNECTION_REFUSED'],
  ] as const)('%s', async (_, inputs, bare, says) => {
    await using home = await project({ ...small, 'perfdb-reports/perfdb.sarif': 'stale' }, { bare })
    const { done } = await actionStep(home, { command: 'verify', ...inputs })
    const { code, output, stdout } = await done
    expect({ code, output }).toEqual({ code: 2, output: 'exit-code=2\n' })
    expect(stdout).toMatch(/^::error /m)
    expect(stdout).toContain(says)
    const sarif = join(home.path, 'perfdb-reports/perfdb.sarif')
    if (!('working-directory' in inputs || 'reports' in inputs))
      expect(existsSync(sarif) ? await readFile(sarif, 'utf8') : '').not.toBe('stale')
  })

  test('GitLab: an empty DATABASE_URL is said, and is no check of the file alone', async () => {
    await using home = await project(small)
    const { done } = await gitlabJob(home, 'perfdb:check-pool', {})
    expect(await done).toMatchObject({ code: 2, stderr: expect.stringContaining('DATABASE_URL is empty') })
  })
})

test('a monorepo: annotations, SARIF, code quality and JUnit name files as the repository does; a CR in the arguments is space', async () => {
  await using db = await testDatabase('create table t (a int)')
  const within = Object.fromEntries(Object.entries(small).map(([name, text]) => [`apps/shop/${name}`, text]))
  await using home = await project(within, { at: 'apps/shop' })
  const { done } = await actionStep(home, {
    command: 'verify',
    url: db.url,
    'working-directory': 'apps/shop',
    arguments: 'p.yaml\r\n--max-size\r\n1GB\r\n',
  })
  const { code, stdout } = await done
  expect([code, stdout]).toEqual([1, expect.stringMatching(/^::error file=apps\/shop\/p\.yaml,line=2,/)])
  const report = async (name: string) => readFile(join(home.path, 'apps/shop/perfdb-reports', name), 'utf8')
  expect(await report('perfdb.sarif')).toContain('"apps/shop/p.yaml"')
  expect(await report('perfdb.xml')).toContain('file="apps/shop/p.yaml"')
  const job = await gitlabJob(home, 'perfdb:verify', { DATABASE_URL: db.url, PERFDB_DIRECTORY: 'apps/shop' })
  expect((await job.done).code).toBe(1)
  expect(await readFile(join(home.path, 'perfdb-code-quality.json'), 'utf8')).toContain('"apps/shop/p.yaml"')
})
