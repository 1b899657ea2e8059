import postgres from 'postgres'
import { beforeAll, expect, test } from 'vitest'
import { fleetResult } from '../../src/result/documents/fleet-result.js'
import { build, ended, folder, perfdb, start } from '../cli/perfdb.js'
import { ownServer } from '../support/server.js'
import { profile, shop, tenantDatabases } from './tenants.js'

beforeAll(build)

/** Resolves when the rows of a look at the catalog satisfy; a look at this database alone. */
async function until(look: () => Promise<readonly unknown[]>): Promise<void> {
  while ((await look()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'ended by %s in the middle, the same command again finishes: nothing twice, nothing invalid',
  async (signal) => {
    await using tenants = await tenantDatabases(3, shop)
    const [, second = ''] = tenants.names
    await using where = await folder({ 'p.yaml': profile, 't.csv': tenants.csv() })
    const apply = ['apply', 'p.yaml', '--tenants-file', 't.csv', '--total', '2']
    const writer = postgres(tenants.url(second), { max: 1 })
    const writing = await writer.reserve()
    await writing`begin`
    await writing`insert into jobs values (1000, 'x', 1)`
    const child = start([...apply, '--format', 'json'], { cwd: where.path })
    const output = ended(child)
    await until(async () =>
      tenants.run(
        second,
        `select from pg_stat_progress_create_index where datname = current_database() and relid = 'jobs'::regclass`,
      ),
    )
    child.kill(signal)
    // A clean-up would wait for the writer too.
    if (signal === 'SIGTERM') await writing`commit`
    const first = await output
    if (signal === 'SIGKILL') await writing`commit`
    writing.release()
    await writer.end()
    if (signal === 'SIGTERM') {
      const document = fleetResult.parse(JSON.parse(first.stdout))
      expect(first.code).toBe(143)
      expect(document).toMatchObject({ exit_code: 143, counts: { done: 1, interrupted: 1, not_reached: 1 } })
    }
    const again = await perfdb([...apply, '--format', 'json', '--lock-wait', '60s'], { cwd: where.path })
    expect(fleetResult.parse(JSON.parse(again.stdout)), again.stderr).toMatchObject({
      exit_code: 0,
      counts: { total: 3, in_order: 1, done: 2 },
    })
    for (const name of tenants.names) {
      const [state] = await tenants.run(
        name,
        `select (select count(*)::int from pg_index where not indisvalid) as invalid,
         (select count(*)::int from pg_index where indrelid = 'jobs'::regclass) as indexes,
         (select count(*)::int from perfdb.steps where outcome in ('built', 'rebuilt')) as built,
         (select count(distinct fleet_run)::int from perfdb.runs) as runs, (select count(distinct tenant)::int from perfdb.runs) as tenants`,
      )
      expect(state, name).toEqual({ invalid: 0, indexes: 3, built: 2, runs: name === second ? 2 : 1, tenants: 1 })
    }
  },
)

test('rollback undoes one run for tenants, in the tenants in which it did something; its last answer stands for a registry that is down', async () => {
  await using tenants = await tenantDatabases(2, shop)
  await using master = await ownServer()
  const sql = postgres(master.url, { max: 1 })
  await sql`create table fleet (id text, url text)`
  for (const name of tenants.names) await sql`insert into fleet values (${tenants.idOf(name)}, ${tenants.url(name)})`
  await sql.end()
  const [first = ''] = tenants.names
  await using where = await folder({
    'p.yaml': profile,
    'one.yaml': 'version: 1\nindexes:\n  - { name: jobs_owner, table: jobs, keys: [owner] }\n',
    'perfdb.yaml':
      'version: 1\ntenants:\n  - registry: { url: "${MASTER_URL}", sql: "select * from fleet order by id" }\n',
  })
  const environment = { MASTER_URL: master.url, PGPASSWORD: new URL(tenants.url(first)).password }
  const fleet = async (...args: readonly string[]) => {
    const { stdout, stderr } = await perfdb([...args, '--format', 'json'], { cwd: where.path, environment })
    return fleetResult.parse(JSON.parse(stdout === '' ? stderr : stdout))
  }
  await fleet('apply', 'one.yaml', '--tenant', 't-001')
  const applied = await fleet('apply', 'p.yaml', '--tenant', 't-001')
  expect(applied).toMatchObject({ exit_code: 0, fleet_run: expect.stringMatching(/^f-\d{14}-[0-9a-f]{6}$/) })
  await master.stop('fast')
  const down = await perfdb(['verify', 'p.yaml', '--tenants'], { cwd: where.path, environment })
  expect(down).toMatchObject({ code: 2, stderr: expect.stringContaining('--stale-ok takes its last answer') })
  const undone = await fleet('rollback', applied.fleet_run ?? '', '--tenants', '--stale-ok')
  expect(undone.findings).toMatchObject([{ code: 'REGISTRY_STALE' }])
  expect(undone).toMatchObject({ command: 'rollback', exit_code: 0, counts: { done: 1, in_order: 1 } })
  const left = await tenants.run(first, `select indexname from pg_indexes where tablename = 'jobs' order by 1`)
  expect(left.map(({ indexname }) => indexname)).toEqual(['jobs_owner', 'jobs_pkey'])
  const list = ['--tenants', '--stale-ok'] as const
  expect(await fleet('rollback', applied.fleet_run ?? '', ...list)).toMatchObject({ exit_code: 0 })
  const mistyped = ['rollback', 'f-20260101000000-aaaaaa', ...list] as const
  const nobody = await perfdb(mistyped, { cwd: where.path, environment })
  expect(nobody).toMatchObject({ code: 2, stderr: expect.stringContaining('NO_RUN') })
  const warned = await fleet(...mistyped, '--shard', '1/1')
  expect(warned).toMatchObject({ exit_code: 0, findings: [{}, { code: 'NO_RUN', severity: 'warning' }] })
  const unnamed = await perfdb(['rollback', '3', '--tenants', '--stale-ok'], { cwd: where.path, environment })
  expect(unnamed).toMatchObject({ code: 2, stderr: expect.stringContaining('undoes one run of apply for tenants') })
})
