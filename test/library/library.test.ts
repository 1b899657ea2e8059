import { getEventListeners } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  apply,
  checkPool,
  explain,
  fleet,
  PerfdbError,
  plan,
  rollback,
  status,
  verify,
} from '../../src/library/perfdb.js'
import { build, folder, perfdb } from '../cli/perfdb.js'
import { testDatabase } from '../support/database.js'
import { building, invalidIndexes, slowTable, until } from '../support/slow.js'

/* `import ... from 'perfdb'`: the functions, on a real server. What an application gets, types included, package.test.ts tells. */

const jobs = `create table jobs (id int, status text);
  insert into jobs select n, 's' || n % 5000 from generate_series(1, 50000) n; analyze jobs;`
const byStatus = { name: 'i_status', table: 'jobs', keys: ['status'], for: ['by-status'] }
const profile = {
  version: 1 as const,
  profile: 'shop',
  indexes: [byStatus],
  queries: [
    { name: 'by-status', sql: 'select * from jobs where status = $1', params: ['s1'], expect: { buffers: 40 } },
  ],
}
const environment = {}
const quick = { samples: 3, timeBudgetMs: 200 }

describe('the straight lines', () => {
  test('plan, apply, verify, status, rollback: documents of the JSON, and progress', async () => {
    await using db = await testDatabase(jobs)
    const common = { url: db.url, environment, profiles: [profile] }
    const planned = await plan(common)
    expect(planned).toMatchObject({ command: 'plan', ok: true, profiles: ['profiles[0]'], steps: [{ step: 'create' }] })
    expect(await verify(common)).toMatchObject({ ok: false, exit_code: 1, findings: [{ code: 'MISSING' }] })

    const events: string[] = []
    const applied = await apply({ ...common, ...quick, onEvent: (event) => events.push(event.type) })
    expect(applied).toMatchObject({ ok: true, exit_code: 0, run: 1, steps: [{ outcome: 'built', state: 'valid' }] })
    expect(applied.queries[0]).toMatchObject({ name: 'by-status', verdict: 'faster', expectations: [{ met: true }] })
    expect(events).toEqual(expect.arrayContaining(['stage', 'step-started', 'measured', 'step-done']))

    expect(await plan(common)).toMatchObject({ steps: [{ step: 'keep' }] })
    expect(await verify(common)).toMatchObject({ ok: true, findings: [] })
    expect(await status({ url: db.url, environment, runs: 5 })).toMatchObject({ runs: [{ run: 1, built: 1 }] })
    expect(await rollback({ url: db.url, environment, run: 1 })).toMatchObject({
      command: 'rollback',
      steps: [{ step: 'drop', outcome: 'dropped' }],
    })
    expect(await verify(common)).toMatchObject({ ok: false })
  })

  test('fleet: a command for every tenant of a list, its outcomes, and the run undone by its name', async () => {
    await using one = await testDatabase(jobs)
    await using other = await testDatabase('create table unrelated (id int)')
    const shop = {
      profiles: [{ version: 1 as const, indexes: [{ name: 'i_status', table: 'jobs', keys: ['status'] }] }],
    }
    const list = `id,url,region\none,${one.url},eu\nother,${other.url},us\n`
    await using where = await folder({ 't.csv': list })
    const common = { cwd: where.path, environment, tenantsFile: 't.csv' }
    const applied = await fleet('apply', { ...common, ...shop, pauseMs: 1 })
    expect(applied).toMatchObject({ command: 'apply', ok: false, exit_code: 2, counts: { done: 1, not_looked: 1 } })
    const eu = { ...common, label: ['region=eu'] }
    expect(await fleet('verify', { ...eu, ...shop })).toMatchObject({ ok: true })
    expect(await fleet('rollback', { ...eu, run: applied.fleet_run ?? '' })).toMatchObject({ counts: { done: 1 } })
    expect(await fleet('status', eu)).toMatchObject({ tenants: [{ id: 'one', outcome: 'in_order' }] })
    // @ts-expect-error: waves belong to what changes something.
    await expect(fleet('plan', { ...common, waves: '1' })).rejects.toMatchObject({ code: 'BAD_OPTION' })
    await expect(fleet('rollback', { ...common, run: 'f-1' })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  test('what-if of plan and explain says whether HypoPG is there; false asks for nothing', async () => {
    await using db = await testDatabase(jobs)
    const common = { url: db.url, environment, profiles: [profile] }
    expect(await plan({ ...common, whatIf: true, whatIfEngine: 'hypopg' })).toMatchObject({
      what_if: { indexes: [{ name: 'i_status', status: 'not_judged' }] },
      findings: [{ code: 'NO_HYPOPG' }],
    })
    expect(await explain({ ...common, ...quick, whatIf: true, whatIfEngine: 'hypopg' })).toMatchObject({
      queries: [{ name: 'by-status', status: 'measured' }],
      what_if: { available: false },
    })
    expect(await plan({ ...common, whatIf: false })).not.toHaveProperty('what_if')
    expect(await explain({ ...common, ...quick, whatIf: false })).not.toHaveProperty('what_if')
    await expect(verify(Object.assign({ whatIf: true }, common))).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  test('two snapshots of the counters, in files beside cwd', async () => {
    await using db = await testDatabase(jobs)
    await using place = await folder({})
    const common = { url: db.url, environment, cwd: place.path }
    // The server of the tests does not preload the extension: its files are there.
    await expect(explain({ ...common, saveSnapshot: 'before.json' })).rejects.toMatchObject({ code: 'NO_EXTENSION' })
    await expect(explain({ ...common, since: 'before.json' })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: `no such file: ${join(place.path, 'before.json')}`,
    })
  })

  test('a plan that was kept: gone on with where the database is further along it, PLAN_STALE where it is elsewhere', async () => {
    await using db = await testDatabase(jobs)
    const common = { url: db.url, environment }
    const two = { ...profile, indexes: [...profile.indexes, { name: 'i_id', table: 'jobs', keys: ['id'] }] }
    const profiles = [two]
    const kept = await plan({ ...common, profiles })
    await db.sql`create index i_id on jobs (id)`
    const keeping = { ...common, measure: false, profiles }
    expect(await apply({ ...keeping, plan: kept })).toMatchObject({
      ok: true,
      steps: expect.arrayContaining([expect.objectContaining({ index: 'i_id', outcome: 'kept' })]),
    })
    expect(await apply({ ...keeping, plan: kept })).toMatchObject({ ok: true, already_done: true })
    await db.sql`drop index i_id`
    await db.sql`create index i_id on jobs (status, id)`
    await expect(apply({ ...keeping, plan: kept })).rejects.toMatchObject({
      code: 'PLAN_STALE',
      message: expect.stringContaining('public.i_id'),
    })
    // The document that --format json prints has no steps to go by: it is run as it was made, or not at all.
    const { saved: _, ...printed } = kept
    await expect(apply({ ...keeping, plan: printed })).rejects.toMatchObject({ code: 'PLAN_STALE' })
  })

  test('profiles as files and as objects together; a relative path starts at cwd', async () => {
    await using db = await testDatabase(jobs)
    await using place = await folder({
      'a.yaml': 'version: 1\nindexes:\n  - { name: i_id, table: jobs, keys: [id] }\n',
    })
    const planned = await plan({ url: db.url, environment, cwd: place.path, profiles: ['a.yaml', profile] })
    expect(planned.profiles).toEqual(['a.yaml', 'profiles[1]'])
    expect(planned.steps.map((step) => step.index).toSorted()).toEqual(['i_id', 'i_status'])
  })

  test('perfdb.yaml and the environment say what the options do not, as on the command line', async () => {
    await using db = await testDatabase(jobs)
    await using place = await folder({
      'perfdb.yaml': 'version: 1\nurl: ${SHOP}\nprofiles: [a.yaml]\n',
      'a.yaml': 'version: 1\nindexes:\n  - { name: i_id, table: jobs, keys: [id] }\n',
    })
    const planned = await plan({ cwd: place.path, environment: { SHOP: db.url } })
    expect(planned.steps).toMatchObject([{ index: 'i_id', step: 'create' }])
  })

  test('an option beats a variable, which beats perfdb.yaml: the settings of the command line', async () => {
    await using db = await testDatabase(jobs)
    await using place = await folder({ 'perfdb.yaml': 'version: 1\nsamples: 3\ntime_budget: 20s\n' })
    const samples = async (more: object, variables = {}) => {
      const at = { url: db.url, cwd: place.path, environment: variables, query: 'select 1', ...more }
      return (await explain(at)).queries[0]?.after?.samples
    }
    expect(await samples({})).toBe(3)
    expect(await samples({}, { PERFDB_SAMPLES: '2' })).toBe(2)
    expect(await samples({ samples: 1 }, { PERFDB_SAMPLES: '2' })).toBe(1)
    await expect(samples({ env: 'staging' })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  test('explain: a query, and those of a profile', async () => {
    await using db = await testDatabase(jobs)
    const one = await explain({ url: db.url, environment, query: 'select count(*) from jobs', ...quick })
    expect(one.queries).toMatchObject([{ name: 'query', status: 'measured', after: { rows: 1 } }])
    const two = await explain({ url: db.url, environment, profiles: [profile], ...quick })
    expect(two).toMatchObject({ ok: false, queries: [{ name: 'by-status', expectations: [{ met: false }] }] })
  })

  test('checkPool: a file, and an object', async () => {
    const pools = {
      version: 1 as const,
      kind: 'pools' as const,
      servers: { main: { max_connections: 20 } },
      services: { web: { server: 'main', instances: 3, pool: { max: 10 } } },
    }
    expect(await checkPool({ offline: true, environment, pools: [pools] })).toMatchObject({
      verdict: 'FAIL',
      ok: false,
      files: ['pools[0]'],
    })
    const each = {
      api: {
        instances: 2,
        deploy: { strategy: 'recreate' as const },
        pool: { driver: 'pg' as const, max: 7, per_tenant: true },
      },
    }
    await using list = await folder({
      't.csv': 'id,url\na,postgres://x@db/a\nb,postgres://x@db/b\nc,postgres://x@db/c\n',
    })
    const counted = {
      offline: true,
      environment,
      pools: [{ version: 1 as const, kind: 'pools' as const, services: each }],
    }
    const tenantsFile = join(list.path, 't.csv')
    expect((await checkPool({ ...counted, tenantsFile })).servers.map(({ declared }) => declared.peak)).toEqual([42])
    expect((await checkPool({ ...counted, tenantsFile, exclude: ['b'] })).servers[0]?.declared.peak).toBe(28)
    const file = join(import.meta.dirname, '..', '..', 'profiles', 'oms.pools.yaml')
    const result = await checkPool({ offline: true, environment, pools: [file], whatIf: [] })
    expect(result).toMatchObject({ command: 'check-pool', offline: true, files: [file] })
  })

  test('a saved plan, as a document: refused when the database has moved', async () => {
    await using db = await testDatabase(jobs)
    const looking = { url: db.url, environment, profiles: [profile] }
    const common = { ...looking, measure: false, ledger: false }
    const kept = await plan(looking)
    await db.sql.unsafe('create index other on jobs (status)')
    await db.sql.unsafe('create index i_status on jobs (id)')
    await expect(apply({ ...common, plan: kept })).rejects.toMatchObject({ code: 'PLAN_STALE' })
    await db.sql.unsafe('drop index i_status, other')
    expect(await apply({ ...common, plan: kept })).toMatchObject({ ok: true, steps: [{ outcome: 'built' }] })
  })
})

describe('the same as the command line', () => {
  beforeAll(build)

  test('plan gives the document that --format json prints, and what apply goes by when it is kept', async () => {
    await using db = await testDatabase(jobs)
    await using place = await folder()
    await writeFile(join(place.path, 'my.yaml'), JSON.stringify(profile))
    const printed = await perfdb(['plan', 'my.yaml', '--format', 'json', '--url', db.url], { cwd: place.path })
    const { started_at, duration_ms, ...document }: Record<string, unknown> = JSON.parse(printed.stdout)
    const returned = await plan({ url: db.url, environment, cwd: place.path, profiles: ['my.yaml'] })
    expect([typeof started_at, typeof duration_ms]).toEqual(['string', 'number'])
    expect(returned).toMatchObject(document)
    expect(Object.keys(returned).toSorted()).toEqual(
      [...Object.keys(document), 'duration_ms', 'saved', 'started_at'].toSorted(),
    )
  })
})

describe('what is thrown', () => {
  test('a mistake in an object is told with its key', async () => {
    const wrong = Object({ version: 1, indxes: [] })
    const error: unknown = await plan({ environment, profiles: [wrong] }).catch((one: unknown) => one)
    expect(error).toBeInstanceOf(PerfdbError)
    expect(error).toMatchObject({
      code: 'UNKNOWN_KEY',
      message: expect.stringContaining('did you mean "indexes"'),
      place: { file: 'profiles[0]' },
    })
  })

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['an unknown option', async () => plan(Object({ alow: ['DROP'] })), /no option alow: did you mean "allow"/],
    ['an unknown hazard', async () => plan(Object({ allow: ['DRP'] })), /allow of plan must be a list of hazards/],
    ['a number as text', async () => apply(Object({ jobs: '2' })), /jobs of apply must be a whole number from 1 on/],
    ['no number', async () => verify({ maxWaitMs: Number.NaN }), /maxWaitMs of verify must be a number/],
    ['a window', async () => apply({ window: 'at night', profiles: [profile] }), /not a window: at night/],
  ])('%s is BAD_OPTION', async (_, call, message) => {
    await expect(call()).rejects.toMatchObject({ code: 'BAD_OPTION', message: expect.stringMatching(message) })
  })

  test('no profile, no url, no server; no password in any of it', async () => {
    await using place = await folder()
    const at = { cwd: place.path, environment: { HOME: place.path } }
    await expect(plan(at)).rejects.toMatchObject({ code: 'NO_PROFILE' })
    await expect(plan({ ...at, profiles: [profile] })).rejects.toMatchObject({ code: 'NO_URL' })
    const url = 'postgres://me:s3cret-word@127.0.0.1:1/db'
    const error: unknown = await plan({ ...at, url, profiles: [profile] }).catch((one: unknown) => one)
    expect(error).toMatchObject({ code: 'CONNECTION_REFUSED', hint: expect.any(String) })
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain('s3cret-word')
    // Printed as it is thrown it says where it was called, and no line of perfdb's own.
    const printed = inspect(error).split('[cause]')[0] ?? ''
    expect(printed).toMatch(/^PerfdbError: cannot connect to 127\.0\.0\.1:1.*\n +at .*\.test\.ts/)
    expect(printed).not.toMatch(/undefined|\/src\//)
  })

  test('a text of an object is what it is: no ${NAME} in it is taken from the environment', async () => {
    await using db = await testDatabase(jobs)
    const queries = [{ name: 'literal', sql: "select '${HOME} $${HOME}' as it", expect: {} }]
    const result = await explain({ url: db.url, environment, profiles: [{ version: 1, queries }], ...quick })
    expect(result.queries).toMatchObject([{ status: 'measured' }])
  })

  test('a listener that throws ends nothing', async () => {
    await using db = await testDatabase(jobs)
    const warned = new Promise((resolve) => process.once('warning', resolve))
    const onEvent = () => {
      throw new Error('of the listener')
    }
    const result = await apply({
      url: db.url,
      environment,
      profiles: [profile],
      measure: false,
      ledger: false,
      onEvent,
    })
    expect(result).toMatchObject({ ok: true, steps: [{ outcome: 'built' }] })
    expect(await warned).toMatchObject({ message: 'of the listener' })
  })
})

describe('AbortSignal', () => {
  test('ends a build as SIGINT does: cancelled, cleaned up, told in the result', async () => {
    await using db = await testDatabase(slowTable(2000, 20))
    const controller = new AbortController()
    // In the condition: how wide the values of an expression are is looked at before, row by row.
    const slow = { name: 'i_slow', table: 't', keys: ['a'], where: 'public.slow(a) > 0' }
    const running = apply({
      url: db.url,
      environment,
      profiles: [{ version: 1, indexes: [slow] }],
      signal: controller.signal,
    })
    await until('the build scans', building(db.sql, 'i_slow'))
    controller.abort()
    const result = await running
    expect(result).toMatchObject({ ok: false, exit_code: 130 })
    expect(result.steps.map((step) => [step.index, step.outcome])).toEqual([['i_slow', 'failed']])
    expect(await invalidIndexes(db.sql)).toEqual([])
  })

  test('cancels the statement of what only looks, and throws INTERRUPTED', async () => {
    await using db = await testDatabase()
    const controller = new AbortController()
    const running = explain({
      url: db.url,
      environment,
      query: 'select pg_sleep(25) /* abort me */',
      signal: controller.signal,
    })
    running.catch(() => undefined)
    const asleep = async () =>
      (await db.sql`select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`)
        .length > 0
    await until('the query runs', asleep)
    controller.abort()
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' })
    await until('it was cancelled on the server', async () => !(await asleep()))
  })

  test('that was aborted before: nothing is begun', async () => {
    const url = 'postgres://nobody@127.0.0.1:1/db'
    await expect(apply({ url, profiles: [profile], signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
  })

  test('keeps no listener on a signal that lives longer', async () => {
    const { signal } = new AbortController()
    for (let count = 0; count < 20; count++)
      await checkPool({ offline: true, environment, pools: [{ version: 1 }], signal })
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
