import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/pool/check-pool.js'
import { askRegistry } from '../../src/commands/shared/registry.js'
import { readPools } from '../../src/pools/file/read.js'
import { testDatabase } from '../support/database.js'

const yachts = `create table yachts (id text primary key, server text, db text, role text, most int);
  insert into yachts select 'y' || n, 'main', 'y' || n, 'app_y' || n, 30 from generate_series(1, 12) n`

function text(sql: string): string {
  return `version: 1
servers: { main: { max_connections: 100 } }
tenants: [{ registry: { url: "\${MASTER_URL}", sql: "${sql}", ttl: 10s } }]
services:
  api: { runtime: { kind: gunicorn, processes: 4 }, instances: 2, deploy: { strategy: recreate }, pool: { max: 1, per_tenant: true } }
`
}

const all = 'select id, server, db as database, role, most as connection_limit from yachts'

/** Reads a pools file with its registry as the command line does, at a moment. */
async function readAt(content: string, environment: Readonly<Record<string, string>>, now: number, offline = false) {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  try {
    await writeFile(join(folder, 'a.pools.yaml'), content)
    return await readPools(['a.pools.yaml'], {
      cwd: folder,
      environment,
      ...(!offline && { askRegistry: async (one) => askRegistry(one, environment, undefined, now) }),
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('tenants come from a master database, once within their ttl', async () => {
  await using database = await testDatabase(yachts)
  const environment = { MASTER_URL: database.url }
  const files = await readAt(text(all), environment, 0)
  expect(files[0]?.tenants).toHaveLength(12)
  expect(files[0]?.tenants[0]).toMatchObject({ id: 'y1', server: 'main', database: 'y1', role: 'app_y1' })
  expect(files[0]?.servers[0]?.roles['app_y1']).toEqual({ kind: 'ordinary', connectionLimit: 30 })
  const result = await runCheckPool(files, { offline: true, failOn: 'fail', environment })
  expect(result).toMatchObject({ verdict: 'WARN', servers: [{ declared: { peak: 96 } }] })
  await database.sql`insert into yachts values ('y13', 'main', 'y13', 'app_y13', 30)`
  expect((await readAt(text(all), environment, 9_000))[0]?.tenants).toHaveLength(12)
  expect((await readAt(text(all), environment, 11_000))[0]?.tenants).toHaveLength(13)
})

const refused = [
  ['select 1; drop table yachts', 'expected one statement'],
  ['copy (select 1) to program $$touch /tmp/perfdb-registry$$', 'COPY is not a query'],
  ['explain analyze create table x as select 1', 'EXPLAIN is not a query'],
  ['create table x as select 1', 'CREATE TABLE AS changes'],
  ['select 1 as id into x', 'SELECT INTO changes'],
  ['with w as (delete from yachts returning id) select id from w', 'WITH DELETE changes'],
  ['select id from yachts for update', 'SELECT FOR UPDATE changes'],
  ['do $$ begin end $$', 'DO is not a query'],
  ['call p()', 'CALL is not a query'],
  ['set role postgres', 'SET is not a query'],
  ['vacuum', 'VACUUM is not a query'],
  ['execute x', 'EXECUTE is not a query'],
  ['declare c cursor for select 1', 'DECLARE is not a query'],
  ['-- nothing', 'there is no statement'],
  ['selec 1', 'syntax error'],
] as const

test('the statement is one, and cannot write', async () => {
  await using database = await testDatabase(yachts)
  const environment = { MASTER_URL: database.url }
  const attempt = async (sql: string) => readAt(text(sql), environment, 0).catch((error: unknown) => error)
  expect(await attempt('delete from yachts returning id, server')).toMatchObject({
    code: 'BAD_SQL',
    place: { file: 'a.pools.yaml', line: 3 },
  })
  for (const [sql, said] of refused)
    expect(await attempt(sql), sql).toMatchObject({
      code: 'BAD_SQL',
      message: expect.stringContaining(said),
      place: { file: 'a.pools.yaml', line: 3 },
    })
  expect(await attempt('select id from yachts')).toMatchObject({
    code: 'BAD_VALUE',
    message: 'row 1 of the registry has no server',
  })
  expect(await attempt('select id, server from nowhere')).toMatchObject({ sqlstate: '42P01' })
  expect((await database.sql`select from yachts`).length).toBe(12)
})

test('offline nobody knows the tenants, and a check failed silent OK', async () => {
  const files = await readAt(text(all), {}, 0, true)
  const result = await runCheckPool(files, { offline: true, failOn: 'fail', environment: {} })
  expect(result).toMatchObject({ verdict: 'UNKNOWN', exit_code: 1 })
  expect(result.findings).toMatchObject([{ code: 'REGISTRY_NOT_ASKED' }])
  const missing: unknown = await readAt(text(all), {}, 0).catch((error: unknown) => error)
  expect(missing).toMatchObject({ code: 'MISSING_ENVIRONMENT' })
})

test('tenants with a url of their own: one server for each host and port, one at a look', async () => {
  await using database = await testDatabase(`create table tenants (id int, url text); create table unused (id int)`)
  const url = new URL(database.url)
  const secret = url.password
  url.pathname = '/elsewhere'
  const other = new URL(database.url)
  other.hostname = 'localhost'
  const urls = [url.href, url.href, other.href]
  for (const [index, one] of urls.entries()) await database.sql`insert into tenants values (${index}, ${one})`
  const files = await readAt(
    `version: 1
servers: { known: { url: "postgres://${url.host}/postgres", max_connections: 50 } }
tenants: [{ registry: { url: "\${MASTER_URL}", sql: select id, url from tenants } }]
services: { api: { deploy: { strategy: recreate }, pool: { max: 4, per_tenant: true } } }
`.replace('sql: select id, url from tenants', 'sql: "select id, url from tenants"'),
    { MASTER_URL: database.url },
    0,
  )
  expect(files[0]?.servers.map((server) => server.name)).toEqual(['known', `localhost:${url.port}`])
  expect(files[0]?.tenants).toMatchObject([
    { server: 'known', database: 'elsewhere', role: 'postgres' },
    { server: 'known' },
    { server: `localhost:${url.port}`, database: database.name },
  ])
  const connected = files.map((file) => ({
    ...file,
    servers: file.servers.map((server) => ({ ...server, url: server.name === 'known' ? database.url : other.href })),
  }))
  const result = await runCheckPool(connected, {
    offline: false,
    failOn: 'fail',
    environment: {},
    sampling: { samples: 1, intervalMs: 0 },
  })
  expect(result.servers).toMatchObject([{ name: 'known', declared: { peak: 12 } }])
  expect(result.findings.map((one) => one.code)).toContain('SAME_SERVER')
  expect(JSON.stringify([result, files[0]?.tenants])).not.toContain(secret)
})

test('each schema of a database that is like a pattern is a tenant, those of the system never', async () => {
  await using database = await testDatabase(
    `create schema "tenant_a'b"; create schema tenant_c; create schema tenantxd`,
  )
  const list = (like: string) => `version: 1
tenants: [{ schemas: { url: "\${APP_URL}", like: "${like}" } }]
services: { api: { pool: { max: 4, per_tenant: true } } }
`
  const environment = { APP_URL: database.url }
  const ids = async (like: string) => (await readAt(list(like), environment, 0))[0]?.tenants.map(({ id }) => id)
  expect(await ids(String.raw`tenant\\_%`)).toEqual(["tenant_a'b", 'tenant_c'])
  expect(await ids("tenant_a'b")).toEqual(["tenant_a'b"])
  expect(await ids('%')).toEqual(['public', "tenant_a'b", 'tenant_c', 'tenantxd'])
  const offline = await readAt(list('%'), {}, 0, true)
  expect(offline[0]?.findings).toMatchObject([{ code: 'REGISTRY_NOT_ASKED', place: { line: 2 } }])
})
