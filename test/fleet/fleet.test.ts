import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FleetResult } from '../../src/result/documents/fleet-result.js'
import { fleetResult } from '../../src/result/documents/fleet-result.js'
import { poolResult } from '../../src/result/documents/pool-result.js'
import { freeSlotsSql } from '../../src/sql/catalog/tenants.js'
import { lookSql } from '../../src/server/session/pin.js'
import { takesCredentials } from '../../src/tenants/url-template.js'
import { folder, perfdbHere, type Folder } from '../cli/perfdb.js'
import { testDatabase } from '../support/database.js'
import { tenantDatabases } from './tenants.js'

const shop = `create table jobs (id int primary key, status text, code int);
  insert into jobs select n, 's' || n % 5, n from generate_series(1, 200) n; analyze jobs`

const profile = `version: 1
profile: shop
indexes:
  - { name: jobs_status, table: jobs, keys: [status] }
  - { name: jobs_code, table: jobs, keys: [code] }
`

/** The document of a run for tenants. */
async function fleet(where: Folder, args: readonly string[], environment = {}): Promise<FleetResult> {
  const ended = await perfdbHere([...args, '--format', 'json'], { cwd: where.path, environment })
  const document = fleetResult.parse(JSON.parse(ended.stdout))
  expect(document.exit_code, ended.stderr).toBe(ended.code)
  return document
}

/** `2 to_do: t-001, t-002` */
function groups({ groups: all }: FleetResult): readonly string[] {
  return all.map(({ tenants, outcome, ids }) => `${tenants} ${outcome}: ${ids.join(', ')}`)
}

test('plan, apply in waves, verify: outcomes by database, equals together, and again there is nothing to do', async () => {
  await using tenants = await tenantDatabases(5, shop)
  const [first = '', second = '', third = '', fourth = ''] = tenants.names
  await tenants.run(first, 'create index jobs_status on jobs (status); create index jobs_code on jobs (code)')
  await tenants.run(third, 'drop table jobs')
  await tenants.run(fourth, 'update jobs set code = 1 where id < 4')
  await using where = await folder({
    'p.yaml': profile,
    'u.yaml': 'version: 1\nindexes:\n  - { name: jobs_u_code, table: jobs, keys: [code], unique: true }\n',
    't.csv': `${tenants.csv()}\nnowhere,${tenants.url('f_nowhere')},eu\n`,
  })
  const list = ['--tenants-file', 't.csv']
  const planned = await fleet(where, ['plan', 'p.yaml', ...list])
  expect(planned).toMatchObject({ command: 'plan', exit_code: 2, counts: { total: 6, to_do: 3, in_order: 1 } })
  expect(groups(planned)).toEqual([
    '1 not_looked: t-003',
    '1 not_looked: nowhere',
    '3 to_do: t-002, t-004, t-005',
    '1 in_order: t-001',
  ])
  expect(planned.tenants.map(({ id, labels, error }) => [id, labels['region'], error?.code])).toEqual([
    ['t-001', 'eu', undefined],
    ['t-002', 'us', undefined],
    ['t-003', 'eu', 'NO_TABLE'],
    ['t-004', 'us', undefined],
    ['t-005', 'eu', undefined],
    ['nowhere', 'eu', 'NO_DATABASE'],
  ])

  // A canary in which the build fails, and one in which it does not.
  const waved = [...list, '--exclude', 't-003', '--exclude', 'nowhere', '--waves', '50%,100%']
  const stopped = await fleet(where, ['apply', 'u.yaml', ...waved, '--canary', 't-004'])
  expect(stopped.waves).toMatchObject([
    { number: 1, tenants: 1, begun: 1, not_in_order: 1, stopped: expect.stringContaining('t-004') },
    { number: 2, tenants: 1, begun: 0 },
    { number: 3, tenants: 2, begun: 0 },
  ])
  expect(stopped).toMatchObject({ exit_code: 3, counts: { failed: 1, not_reached: 3 } })
  expect(stopped.groups[0]).toMatchObject({ outcome: 'failed', code: 'DUPLICATE_KEYS' })
  expect(await tenants.run(second, `select from pg_class where relname ~ '^jobs_u_'`)).toHaveLength(0)
  const through = await fleet(where, ['apply', 'p.yaml', ...waved, '--canary', 't-002', '--pause', '1ms'])
  expect(through.waves.map(({ tenants: number, begun }) => [number, begun])).toEqual([
    [1, 1],
    [1, 1],
    [2, 2],
  ])
  expect(groups(through)).toEqual(['3 done: t-002, t-004, t-005', '1 in_order: t-001'])
  expect(through.tenants.find(({ id }) => id === 't-005')).toMatchObject({ wave: 3, steps: [{ outcome: 'built' }, {}] })

  // Without waves others go on; --stop-after begins no more.
  const rest = await fleet(where, [
    'apply',
    'u.yaml',
    ...list,
    '--tenant',
    't-004',
    '--tenant',
    't-005',
    '--allow',
    'REDUNDANT',
  ])
  expect(groups(rest)).toEqual(['1 failed: t-004', '1 done: t-005'])
  const few = await fleet(where, [
    'apply',
    'u.yaml',
    ...list,
    '--exclude',
    't-003',
    '--total',
    '2',
    '--stop-after',
    '1',
  ])
  expect(few.counts).toEqual({ total: 5, failed: 1, not_reached: 2, done: 2 })

  await tenants.run(second, 'drop index jobs_code')
  const text = await perfdbHere(['verify', 'p.yaml', ...list, '--label', 'region=us'], { cwd: where.path })
  expect(text).toMatchObject({ code: 1, stdout: expect.stringContaining('2 tenants: 1 in order, 1 not in order') })
  expect(text.stdout).toMatch(/jobs_code +jobs +1 +missing +1 +t-002/)
  const status = await fleet(where, ['status', ...list, '--tenant', 't-002'])
  expect(status).toMatchObject({ command: 'status', exit_code: 0, counts: { total: 1 } })
})

test('one database under two names, and the master of the registry, are errors at their place', async () => {
  await using tenants = await tenantDatabases(2, shop)
  await using master = await testDatabase('create table fleet (id text, db text, region text)')
  const [first = '', second = ''] = tenants.names
  const host = new URL(tenants.url(first))
  for (const [id, db] of [
    ['one', first],
    ['two', second],
    ['self', master.name],
  ] as const)
    await master.sql`insert into fleet values (${id}, ${db}, 'eu')`
  host.pathname = '/{db}'
  await using where = await folder({
    'p.yaml': profile,
    'perfdb.yaml': `version: 1
profiles: [p.yaml]
tenants:
  - registry: { url: "\${MASTER_URL}", sql: "select * from fleet order by id desc", url_template: "${decodeURI(host.href)}", label_columns: [region] }
  - { id: alias, url: "${tenants.url(first).replace('localhost', '127.0.0.1')}?application_name=x" }
limits: { per_server: 1, total: 2 }
`,
  })
  const environment = { MASTER_URL: master.url }
  const result = await fleet(where, ['plan', '--tenants'], environment)
  expect(result.exit_code).toBe(2)
  const errors = result.tenants.flatMap(({ id, error }) =>
    error === undefined ? [] : [[id, error.code, error.place?.line]],
  )
  expect(errors).toEqual([
    ['self', 'SAME_DATABASE', 4],
    ['alias', 'SAME_DATABASE', 5],
  ])
  const missing = await perfdbHere(['plan', '--tenants'], { cwd: where.path })
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('MISSING_ENVIRONMENT') })
})

test('a canary whose query gets slower: no further wave, exit code 1, and why', async () => {
  // Rows of the status lie at the end of the order that the new index gives, where the planner does not expect them.
  await using tenants = await tenantDatabases(
    3,
    `create table jobs (id int, status text, placed int, note text);
     insert into jobs select n, case when n > 29700 then 'late' else 's' || n % 99 end, n, repeat('x', 200) from generate_series(1, 30000) n order by md5(n::text);
     analyze jobs`,
  )
  const slow = `version: 1
indexes:
  - { name: jobs_placed, table: jobs, keys: [placed] }
queries:
  - { name: first-late, sql: "select * from jobs where status = 'late' order by placed limit 1" }
`
  await using where = await folder({ 'p.yaml': slow, 't.csv': tenants.csv() })
  const args = [
    'apply',
    'p.yaml',
    '--tenants-file',
    't.csv',
    '--canary',
    't-002',
    '--samples',
    '7',
    '--time-budget',
    '1s',
  ]
  const stopped = await fleet(where, args)
  expect(stopped).toMatchObject({
    exit_code: 1,
    counts: { done: 1, not_reached: 2 },
    waves: [{ tenants: 1, stopped: 'first-late of t-002 got slower' }, { begun: 0 }],
  })
  expect(stopped.tenants[0]).toMatchObject({ id: 't-002', exit_code: 0, verdicts: [{ verdict: 'slower' }] })
})

test('check-pool counts the tenants of a list beside its files, and those alone that are chosen', async () => {
  await using where = await folder({
    'a.pools.yaml': `version: 1
services:
  api: { instances: 2, deploy: { strategy: recreate }, pool: { driver: pg, max: 7, per_tenant: true } }
`,
    't.csv': [
      'id,url,region',
      ...['eu', 'us', 'eu'].map((region, at) => `t${at},postgres://x@db:5432/t${at},${region}`),
    ].join('\n'),
    'r.yaml': `tenants:\n  - registry: { url: "postgres://x@127.0.0.1:1/m", sql: "select 1 as id" }\n`,
  })
  const check = ['check-pool', 'a.pools.yaml', '--offline', '--tenants-file']
  const peaks = async (...options: readonly string[]) => {
    const { stdout, stderr } = await perfdbHere([...check, 't.csv', ...options, '--format', 'json'], {
      cwd: where.path,
    })
    return poolResult.parse(JSON.parse(stdout === '' ? stderr : stdout)).servers.map(({ declared }) => declared.peak)
  }
  expect(await peaks()).toEqual([2 * 7 * 3])
  expect(await peaks('--label', 'region=us')).toEqual([2 * 7])
  const { code, stderr } = await perfdbHere([...check, 'r.yaml'], { cwd: where.path })
  expect([code, stderr]).toEqual([2, expect.stringContaining('with --offline the registry of tenants is not asked')])
})

test('a tenant that is a schema: its own tables, its own indexes, nothing of a neighbour', async () => {
  await using database = await testDatabase('create table public.jobs (id int, status text, owner int)')
  for (const schema of ['tenant_a', 'tenant_b', '"tenant C"'])
    await database.sql.unsafe(`create schema ${schema}; create table ${schema}.jobs (id int, status text, owner int)`)
  await database.sql.unsafe('insert into tenant_b.jobs values (1), (1)')
  await using where = await folder({
    'p.yaml': `version: 1
schema: public
indexes:
  - { name: jobs_status, table: jobs, keys: [status] }
  - { name: jobs_id, table: jobs, keys: [id], unique: true }
absent: [jobs_old]
`,
    'perfdb.yaml': `version: 1
profiles: [p.yaml]
tenants:
  - schemas: { url: "\${DATABASE_URL}", like: 'tenant%' }
`,
  })
  const environment = { DATABASE_URL: database.url }
  const result = await fleet(where, ['apply', '--tenants'], environment)
  expect(groups(result)).toEqual(['1 failed: tenant_b', '2 done: tenant C, tenant_a'])
  const built =
    await database.sql`select schemaname || '.' || indexname as name from pg_indexes where tablename = 'jobs' order by 1`
  expect(built.map(({ name }) => name)).toEqual([
    'tenant C.jobs_id',
    'tenant C.jobs_status',
    'tenant_a.jobs_id',
    'tenant_a.jobs_status',
    'tenant_b.jobs_status',
  ])
  await database.sql.unsafe('delete from tenant_b.jobs')
  expect(groups(await fleet(where, ['apply', '--tenants'], environment))).toEqual([
    '1 done: tenant_b',
    '2 in_order: tenant C, tenant_a',
  ])
})

test('shards are parts of the list, and what cannot be meant is refused', async () => {
  const urls = Array.from({ length: 12 }, (_, at) => `t${at},postgres://x@127.0.0.1:1/t${at}`)
  await using where = await folder({
    'p.yaml': profile,
    't.csv': ['id,url', ...urls].join('\n'),
    'none.csv': 'id,url\n',
  })
  const parts = await Promise.all(
    [1, 2, 3].map(async (number) =>
      fleet(where, ['plan', 'p.yaml', '--tenants-file', 't.csv', '--shard', `${number}/3`]),
    ),
  )
  const ids = parts.flatMap(({ tenants }) => tenants.map(({ id }) => id))
  expect(ids).toHaveLength(12)
  expect(new Set(ids)).toEqual(new Set(urls.map((line) => line.split(',')[0])))
  expect(parts.every(({ tenants }) => tenants.length < 12)).toBe(true)
  const list = ['plan', 'p.yaml', '--tenants-file', 't.csv']
  const atOnce = await perfdbHere([...list, '--total', '40', '--per-server', '40', '--quiet'], { cwd: where.path })
  expect(atOnce).toMatchObject({ code: 2, stderr: '' })
  const refused = async (...args: readonly string[]) => {
    const { code, stderr } = await perfdbHere(args, { cwd: where.path })
    expect(code).toBe(2)
    return stderr
  }
  expect(await refused(...list, '--exclude', 'tt1')).toMatch(
    /--exclude tt1: no tenant is called so\n.*did you mean t1\?/,
  )
  expect(await refused(...list, '--label', 'region=eu')).toContain('no tenant has a label region')
  expect(await refused(...list, '--shard', '4/3')).toContain('the form is NUMBER/OF')
  expect(await refused(...list, '--url', 'postgres://x')).toContain('--url is for one database')
  expect(await refused('apply', 'p.yaml', '--tenants-file', 't.csv', '--waves', '0,1')).toContain(
    '--waves: 0 is neither',
  )
  const apply = ['apply', 'p.yaml', '--tenants-file', 't.csv', '--canary', 't3']
  expect(await refused(...apply, '--exclude', 't3')).toContain('--canary t3: the other options leave out')
  const others = parts.findIndex(({ tenants }) => !tenants.some(({ id }) => id === 't3'))
  expect(await refused(...apply, '--shard', `${others + 1}/3`)).toContain(`no canary is in shard ${others + 1}/3`)
  expect(await refused('plan', 'p.yaml', '--tenants')).toContain('nothing lists tenants')
  expect(await refused('plan', 'p.yaml', '--tenants-file', 'none.csv')).toContain('NO_TENANTS')
})

test('operators of a tenant are not run by what is asked of each', async () => {
  const operator = (type: string, name: string, result: string) =>
    `create function evil.f(${type}, ${type}) returns ${result} language plpgsql as $$ begin raise 'evil ran'; end $$;
     create operator evil.${name} (leftarg = ${type}, rightarg = ${type}, function = evil.f);`
  await using database = await testDatabase(
    `create schema evil; ${operator('name', '=', 'boolean')} ${operator('text', '=', 'boolean')} ${operator('int', '-', 'int')}`,
  )
  const asked = database.sql.begin(async (sql) => {
    await sql.unsafe('set local search_path = evil, pg_catalog')
    await expect(sql.savepoint((inner) => inner.unsafe(`select 2 - 1`))).rejects.toThrow('evil ran')
    return [...(await sql.unsafe(lookSql)), ...(await sql.unsafe(freeSlotsSql))]
  })
  expect(await asked).toMatchObject([{ pid: expect.any(Number) }, { free: expect.any(Number) }])
})

test('of a registry only what is read is kept, and no secret', async () => {
  const secret = 'S3cret'
  await using master = await testDatabase('create table fleet (id text, url text, password text, host text)')
  for (const [id, url] of [
    ['query', `postgres://u@127.0.0.1:1/a?password=${secret}&application_name=kept&sslpassword=${secret}`],
    ['at', `postgres://u:p@${secret}@127.0.0.1:1/b`],
    ['slash', `postgres://u:p/${secret}@127.0.0.1:1/c`],
  ] as const)
    await master.sql`insert into fleet values (${id}, ${url}, ${secret}, '127.0.0.1:1')`
  const registry = (more: string) =>
    `  - registry: { url: "\${MASTER_URL}", sql: "select * from fleet order by id", ${more} }\n`
  await using where = await folder({
    'p.yaml': profile,
    'perfdb.yaml': `version: 1\nprofiles: [p.yaml]\ntenants:\n${registry('')}${registry('url_template: "postgres://u@{host}/{id}"')}${registry('url_template: "postgres://u:{password}@{host}/{id}"')}`,
  })
  const environment = { MASTER_URL: master.url, XDG_CACHE_HOME: where.path }
  const { code, stderr } = await perfdbHere(['plan', '--tenants'], { cwd: where.path, environment })
  expect([code, stderr]).toEqual([2, expect.stringContaining('its url is none of PostgreSQL')])
  const cache = join(where.path, 'perfdb', 'registries')
  const files = await Promise.all((await readdir(cache)).map(async (name) => readFile(join(cache, name), 'utf8')))
  expect(files).toHaveLength(2)
  expect(files.join('')).not.toContain(secret)
  expect(files.join('')).toContain('postgres://u@127.0.0.1:1/a?application_name=kept')
  expect(files.join('')).toContain('postgres://u@127.0.0.1:1/b')
  const templates = ['{u}:x@h', 'u:${P}@{h}', '{h}?password={p}', '{h}?a={a}&sslpassword=x{p}', '{h}/{d}?a={a}']
  expect(templates.map((rest) => takesCredentials(`postgres://${rest}`))).toEqual([true, false, true, true, false])
})

test('the schema that the url of a tenant names is where its tables are', async () => {
  await using one = await testDatabase(shop)
  await using other = await testDatabase(`create schema app; set search_path = app; ${shop}`)
  const list = `id,url\none,${one.url}\nother,${other.url}?schema=app\n`
  await using where = await folder({ 'p.yaml': profile, 't.csv': list })
  const { tenants } = await fleet(where, ['plan', 'p.yaml', '--tenants-file', 't.csv'])
  expect(tenants.map(({ id, steps = [] }) => [id, ...new Set(steps.map(({ schema }) => schema))])).toEqual([
    ['one', 'public'],
    ['other', 'app'],
  ])
})
