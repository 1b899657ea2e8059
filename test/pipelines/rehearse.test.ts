import { beforeAll, expect, test } from 'vitest'
import { build, perfdb, type Folder } from '../cli/perfdb.js'
import { testDatabase } from '../support/database.js'
import { building, invalidIndexes, slowTable, until } from '../support/slow.js'
import { actionStep, gitlabJob, project, send } from './runner.js'

/** `npm run rehearse`: the days of a pipeline one after another, with the exit code and the last lines of each log. */
const rehearsal = process.env['PERFDB_REHEARSE'] === '1' ? test : test.skip

const three = `version: 1
indexes:
  - { name: i_a, table: t, keys: [a] }
  - { name: i_b, table: t, keys: [{ expression: public.slow(b) }] }
  - { name: i_c, table: t, keys: [c], where: a > 0 }
`
type Job = (home: Folder, url: string, command: string, words: string) => ReturnType<typeof gitlabJob>

const action: Job = async (home, url, command, words) => {
  return actionStep(home, { command, url, arguments: words })
}
const gitlab: Job = async (home, url, command) => {
  return gitlabJob(home, `perfdb:${command}`, { DATABASE_URL: url })
}

beforeAll(build)

rehearsal.each([
  ['GitHub', action],
  ['GitLab', gitlab],
] as const)('a rehearsal on %s', { timeout: 300_000 }, async (name, job) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    await using db = await testDatabase(`${slowTable(200, 15)} create index i_a on t (c)`)
    await using home = await project({ 'perfdb.yaml': 'version: 1\nprofiles: [p.yaml]\n', 'p.yaml': three })
    const ran = async (what: string, code: number | null, one: ReturnType<Job>) => {
      const done = await (await one).done
      const log = `${done.stderr}${done.stdout}`.trimEnd().split('\n').slice(-3)
      process.stdout.write(
        `\n${name}, ${what}: exit ${done.code ?? done.signal}\n${log.map((line) => `  ${line}\n`).join('')}`,
      )
      expect([what, done.code]).toEqual([what, code])
    }
    await ran('pull request whose plan is refused', 1, job(home, db.url, 'plan', '--fail-on refused'))
    await db.sql`drop index i_a`
    await ran('pull request with new indexes', 0, job(home, db.url, 'plan', '--fail-on refused'))
    // GitHub merges by the saved plan; the job for GitLab plans anew.
    const saved = name === 'GitHub' ? '--plan plan.json' : ''
    const where = { cwd: home.path, environment: { DATABASE_URL: db.url } }
    if (saved !== '') expect((await perfdb(['plan', '--out', 'plan.json'], where)).code).toBe(0)
    const cancelled = job(home, db.url, 'apply', saved)
    await until('the second build', building(db.sql, 'i_b'))
    send((await cancelled).child, signal, signal === 'SIGKILL' ? 'group' : 'shell')
    const code = { SIGINT: 130, SIGTERM: 143, SIGKILL: null }[signal]
    await ran(`merge, cancelled by ${signal} at the second build`, code, cancelled)
    await until('the clean-up', async () => (await invalidIndexes(db.sql)).length === 0)
    await ran('the job run again', 0, job(home, db.url, 'apply', `${saved} --lock-wait 1min`))
    await ran('run again after success', 0, job(home, db.url, 'apply', saved))
    await ran('nightly verify', 0, job(home, db.url, 'verify', ''))
    await db.sql`drop index i_c`
    await ran('nightly verify with drift', 1, job(home, db.url, 'verify', ''))
  }
})
