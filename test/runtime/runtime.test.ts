import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { WrittenService } from '../../src/pools/file/schema.js'
import { readPoolsObject } from '../../src/pools/file/read-model.js'
import { allDemands } from '../../src/pools/sums/demand.js'
import type { Application } from '../../src/runtime/open.js'
import { openWith } from '../../src/runtime/runtime.js'
import type { Tenant } from '../../src/runtime/tenants/tenants.js'
import { proxyBefore } from '../support/network.js'
import { ownServer } from '../support/server.js'
import { backends, deployment, watchBackends } from './service.js'

const perTenant = { process_max: 6, pool: { max: 2, per_tenant: true } }

test('a pools file, a service: database() and tenants with the numbers of the file', async () => {
  await using place = await deployment({ limit: 6, service: { ...perTenant, server: 'main', database: undefined } })
  await using folder = await temporary()
  const path = join(folder.path, 'app.pools.yaml')
  await writeFile(path, stringify(place.file))
  const app = await place.open({ file: path })
  const sql = app.database()
  expect(sql.options.max).toBe(2)
  const [row] = await sql`select current_setting('application_name') as name, ${[1, 2]}::int[] as list`
  expect(row).toEqual({ name: place.role, list: [1, 2] })
  const [first, second] = [await tenantOf(app, 'u1'), await tenantOf(app, 'u2')]
  expect([first.id, first.row]).toEqual(['t1', { tenant_id: 't1', role: 'reader' }])
  expect(await first.sql`select number from mine`).toEqual([{ number: 1 }])
  expect(await second.sql`select number from mine`).toEqual([{ number: 2 }])
  expect(await app.tenant('nobody')).toBeUndefined()
  expect((await tenantOf(app, 'u1')).sql).toBe(first.sql)
  await expect(sql`begin`).rejects.toMatchObject({ code: 'BAD_OPTION' })
  expect(await sql.begin(async (inner) => inner`select 1 as one`)).toEqual([{ one: 1 }])
  expect(await sql.unsafe('select 1 as one; select 2 as two')).toHaveLength(2)
  await expect(sql.unsafe('select $1::int as one', ['x'])).rejects.toMatchObject({ code: '22P02' })
  expect(app.metrics()).toMatch(/^perfdb_connections_max 6$/m)
  await app.close()
  await expect(sql`select 1`).rejects.toMatchObject({ code: 'POOL_CLOSED' })
  expect(await backends(place.db, place.role)).toBe(0)
})

test('requests wait for acquire_timeout, and the error says how many wait for what', async () => {
  await using place = await deployment({
    limit: 4,
    service: { process_max: 4, pool: { max: 2, per_tenant: true, acquire_timeout: '300ms' } },
  })
  const app = await place.open()
  const [one, two] = [await tenantOf(app, 'u1'), await tenantOf(app, 'u2')]
  const slow = [one.sql`select pg_sleep(1)`, one.sql`select pg_sleep(1)`].map(async (query) => query)
  const failed = await Promise.allSettled([one.sql`select 1`, two.sql`select 1`, two.sql`select 1`])
  expect(failed.map((end) => end.status === 'rejected' && [end.reason.code, end.reason.detail])).toEqual([
    [
      'POOL_TIMEOUT',
      expect.stringMatching(
        /of 2 connections of this process 2 are taken \(2 busy, 0 closing\), 2 of at most 2 by tenant t1; 3 requests wait, 1 of them for tenant t1/,
      ),
    ],
    ['POOL_TIMEOUT', expect.stringMatching(/0 of at most 2 by tenant t2; 2 requests wait, 2 of them for tenant t2/)],
    ['POOL_TIMEOUT', expect.stringMatching(/1 request wait/)],
  ])
  expect(app.health().pools).toMatchObject({ status: 'critical', busy: 2, saturation: 1, waiting: 0 })
  await Promise.all(slow)
  await app.close()
})

test('a tenant that always has work lets others have their turn', async () => {
  await using place = await deployment({
    limit: 4,
    service: { process_max: 4, pool: { max: 2, per_tenant: true, acquire_timeout: '10s' } },
  })
  const app = await place.open()
  const [one, two] = [await tenantOf(app, 'u1'), await tenantOf(app, 'u2')]
  let busy = true
  const greedy = Array.from({ length: 4 }, async () => {
    while (busy) await one.sql`select pg_sleep(0.002)`
  })
  await one.sql`select 1`
  // All connections are busy with the other's work all the time: only a turn frees one.
  expect(await two.sql`select number from mine`).toEqual([{ number: 2 }])
  busy = false
  await Promise.all(greedy)
  await app.close()
})

test('a role that is changed on the master is seen by two processes within a second', async () => {
  await using place = await deployment({ limit: 12, service: perTenant })
  const [one, two] = await Promise.all([child(place.file, place.url), child(place.file, place.url)])
  const roles = async () =>
    Promise.all([one, two].map(async (each) => ask(each, 'u1'))).then((all) => all.map((said) => said.row.role))
  expect(await roles()).toEqual(['reader', 'reader'])
  const [before] = await place.db
    .sql`select calls from pg_stat_user_tables, lateral (select seq_scan as calls) c where relname = 'user_accounts'`
  expect(await roles()).toEqual(['reader', 'reader'])
  expect(before).toBeDefined()
  const changed = performance.now()
  await place.db.sql`with changed as (update user_accounts set role = 'admin' where user_id = 'u1' returning user_id)
    select pg_notify('tenant_changed', user_id) from changed`
  let seen = await roles()
  while (seen.some((role) => role !== 'admin') && performance.now() - changed < 60_000) seen = await roles()
  const within = performance.now() - changed
  expect(seen).toEqual(['admin', 'admin'])
  expect(within).toBeLessThan(60_000)
  for (const each of [one, two]) {
    each.send('')
    await once(each, 'exit')
  }
})

test('a lost LISTEN connection: entries end at once, and nothing is kept until it listens again', async () => {
  await using place = await deployment({ limit: 6, service: perTenant })
  const app = await place.open()
  expect((await app.tenant('u1'))?.row['role']).toBe('reader')
  // From here on nobody can connect again.
  await place.db.sql.unsafe(`alter role ${place.role} nologin`)
  await place.db
    .sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${place.role} and query like 'listen%' or query = 'select 1' and usename = ${place.role}`
  await until(() => app.health().cache?.listening === false)
  // Nobody was told of this change.
  await place.db.sql`update user_accounts set role = 'admin' where user_id = 'u1'`
  expect((await app.tenant('u1'))?.row['role']).toBe('admin')
  await place.db.sql`update user_accounts set role = 'owner' where user_id = 'u1'`
  expect((await app.tenant('u1'))?.row['role']).toBe('owner')
  await place.db.sql.unsafe(`alter role ${place.role} login`)
  await until(() => app.health().cache?.listening === true)
  await app.tenant('u1')
  const { misses } = counted(app)
  await app.tenant('u1')
  expect(counted(app).misses).toBe(misses)
  await app.close()
})

test('one look-up for all who ask at once; forget and forgetAll; users that are not there', async () => {
  await using place = await deployment({ limit: 6, service: perTenant, notify: null })
  const app = await place.open()
  await Promise.all(Array.from({ length: 50 }, async () => app.tenant('u1')))
  expect(await looked(app, async () => app.tenant('u1'))).toBe(0)
  app.forget('u1')
  expect(await looked(app, async () => app.tenant('u1'))).toBe(1)
  app.forgetAll()
  expect(await looked(app, async () => app.tenant('u1'))).toBe(1)
  expect(await looked(app, async () => app.tenant('nobody'))).toBe(1)
  expect(await looked(app, async () => app.tenant('nobody'))).toBe(0)
  // A tenant that was made after the list was read.
  await place.db.sql`insert into tenants values ('t9', 's1')`
  await place.db.sql`insert into user_accounts values ('u9', 't9')`
  app.forgetAll()
  expect((await app.tenant('u9'))?.id).toBe('t9')
  await app.close()
})

test('a registry that is down: the answer for stale_if_error, else a typed error without a secret', async () => {
  await using place = await deployment({
    limit: 6,
    service: {
      ...perTenant,
      cache: {
        kind: 'in_process',
        maxsize: 100,
        ttl: '1ms',
        active_users: 1,
        rate_per_user: '1/s',
        stale_if_error: '1h',
      },
    },
    notify: null,
  })
  const app = await place.open()
  expect((await app.tenant('u1'))?.id).toBe('t1')
  await place.db.sql.unsafe(`alter role ${place.role} nologin`)
  await place.db.sql`select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = ${place.role}`
  await pause(5)
  expect((await app.tenant('u1'))?.id).toBe('t1')
  const error = await app.tenant('u2').catch((failure: unknown) => failure)
  expect(error).toMatchObject({ name: 'PerfdbError', message: expect.stringMatching(/^the look-up of a tenant: /) })
  expect(JSON.stringify([error, Object(error).detail, Object(error).stack])).not.toContain('secret-of')
  await app.close()
})

test('audit: the order of each key is kept, a row that is refused stops no other, ids are written once', async () => {
  await using place = await deployment({ limit: 4, service: audited() })
  const refused: unknown[] = []
  const app = await place.open({ onAuditError: (row) => refused.push(row) })
  for (let at = 0; at < 3000; at += 1) await app.audit.write({ actor: `a${at % 7}`, at, what: { n: at } })
  await app.audit.write({ actor: 'a1', at: 'no number', what: null })
  const id = '00000000-0000-4000-8000-000000000001'
  await app.audit.write({ id, actor: 'twice', at: 1, what: [1] })
  await app.audit.write({ id, actor: 'twice', at: 1, what: [1] })
  expect(await app.close()).toEqual({ audit: { written: 3002, failed: 1, dropped: 0 } })
  const [sum] = await place.db.sql`select count(*)::int as rows, count(distinct id)::int as ids from audit_log`
  expect(sum).toEqual({ rows: 3001, ids: 3001 })
  expect(refused).toEqual([expect.objectContaining({ at: 'no number' })])
  expect(await disorder(place.db.sql)).toEqual([])
})

test.each<[string, (() => unknown) | undefined, RegExp]>([
  ['throws', () => fail(new TypeError('no-secret')), /^onAuditError failed: TypeError$/],
  ['rejects', async () => Promise.reject(new Error('no-secret')), /^onAuditError failed: Error$/],
  ['is left out', undefined, /^the database refuses audit rows: SQLSTATE 22P02$/],
])('audit: an onAuditError that %s stops no lane, and the warning quotes no row', async (_, onAuditError, said) => {
  await using place = await deployment({ limit: 4, service: audited({ workers: 1 }) })
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  try {
    const app = await place.open({ onAuditError })
    for (const at of [1, 'no-secret', 2, 'no-secret', 3]) await app.audit.write({ actor: 'a', at })
    const circle: { self?: unknown } = {}
    circle.self = circle
    await app.audit.write({ actor: 'a', at: 4, what: circle })
    expect(await app.close()).toEqual({ audit: { written: 3, failed: 3, dropped: 0 } })
    await until(() => warnings.length > 0)
    const ours = warnings.filter((one) => Object(one).code === 'PERFDB_AUDIT').map(({ message }) => message)
    expect(ours[0]).toMatch(said)
    expect(ours.join()).not.toContain('secret')
  } finally {
    process.off('warning', warned)
  }
})

test('audit: what lies in no row throws none away: a role that may not log in, a column that is missing', async () => {
  await using place = await deployment({ limit: 4, service: audited() })
  const app = await place.open()
  const tried = () => Number(/^perfdb_audit_retries_total (\d+)$/m.exec(app.metrics())?.[1])
  const again = async () => {
    const before = tried()
    await until(() => tried() > before + 1)
  }
  await place.db.sql.unsafe(`alter role ${place.role} nologin`)
  for (let at = 0; at < 5; at += 1) await app.audit.write({ actor: `a${at}`, at, what: null })
  await again()
  await place.db.sql.unsafe(`alter table audit_log rename what to other; alter role ${place.role} login`)
  await again()
  expect(app.health().audit).toMatchObject({ depth: 5, failed: 0 })
  await place.db.sql.unsafe(`alter table audit_log rename other to what`)
  expect(await app.close()).toEqual({ audit: { written: 5, failed: 0, dropped: 0 } })
})

test('begin on a connection that did not come about: whoever waits next gets another', async () => {
  await using place = await deployment({ limit: 2, service: { process_max: 1, pool: { max: 1 }, server: 'main' } })
  const app = await place.open()
  await place.db.sql.unsafe(`alter role ${place.role} nologin`)
  const begins = [1, 2, 3].map(async () => app.database().begin(async (sql) => sql`select 1`))
  const ends = await Promise.allSettled(begins)
  expect(ends.map((end) => end.status === 'rejected' && end.reason.code)).toEqual(['28000', '28000', '28000'])
  expect(app.metrics()).toMatch(/^perfdb_connections_opened_total 3$/m)
  await app.close()
})

test('close() after its deadline waits no longer for a server that says nothing, LISTEN included', async () => {
  await using place = await deployment({ limit: 6, service: perTenant })
  await using line = await proxyBefore(place.url)
  const app = await place.open({ environment: { URL: line.url } })
  await tenantOf(app, 'u1')
  line.silence()
  const asked = performance.now()
  await app.close({ deadline_ms: 200 })
  // A connection that nobody abandons is given up after a minute.
  expect(performance.now() - asked).toBeLessThan(60_000)
  expect(app.health().pools.connections).toBe(0)
})

test('audit while the server is restarted: none is lost, order is kept, and the budget never passed', async () => {
  await using server = await ownServer({ max_connections: '20' })
  const admin = postgres(server.url, { max: 1, onnotice: () => undefined })
  await admin.unsafe(`create role app login password 'x' connection limit 3;
    create table audit_log (id uuid primary key, actor text, at bigint, what jsonb, seq bigserial); grant insert, select on audit_log to app; grant usage on sequence audit_log_seq_seq to app`)
  const url = new URL(server.url)
  ;[url.username, url.password] = ['app', 'x']
  const app = await openWith(postgres, {
    file: { version: 1, servers: { main: { url: '${URL}' } }, services: { api: audited() } },
    service: 'api',
    environment: { URL: url.href },
  })
  const sql = app.database()
  let [asked, failed, written, going] = [0, 0, 0, true]
  const requests = Array.from({ length: 6 }, async (_, user) => {
    while (going) {
      asked += 1
      await sql`select ${user}`.catch(() => (failed += 1))
      await app.audit.write({ actor: `a${user}`, at: (written += 1), what: null })
      await pause(1)
    }
  })
  await until(() => written > 300)
  await server.stop('fast')
  await server.start()
  const away = failed
  const back = written
  await until(() => written > back + 500)
  const afterwards = failed
  going = false
  await Promise.all(requests)
  expect(await app.close()).toEqual({ audit: { written: expect.any(Number), failed: 0, dropped: 0 } })
  expect(away).toBeGreaterThan(0)
  // Errors end when the server is back: at most those that were on their way.
  expect(afterwards - away).toBeLessThanOrEqual(6)
  const again = postgres(server.url, { max: 1 })
  expect(await again`select count(*)::int as rows from audit_log`).toEqual([{ rows: written }])
  expect(await disorder(again)).toEqual([])
  expect(asked).toBeGreaterThan(failed)
  await Promise.all([again.end(), admin.end({ timeout: 1 })])
})

test('a full audit queue: block fails in time, drop_oldest drops and counts', async () => {
  for (const full of ['block', 'drop_oldest'] as const) {
    await using place = await deployment({
      limit: 4,
      service: audited({ queue: 10, when_full: full, block_timeout: '50ms' }),
    })
    const app = await place.open()
    await using held = await lock(place.db.url)
    const writes = await Promise.allSettled(
      Array.from({ length: 25 }, async (_, at) => app.audit.write({ actor: 'a', at })),
    )
    const refusals = writes.flatMap((end) => (end.status === 'rejected' ? [end.reason.code] : []))
    expect(refusals).toEqual(full === 'block' ? Array(15).fill('AUDIT_FULL') : [])
    expect(app.health()).toMatchObject({ status: 'critical', audit: { depth: 10, dropped: 15, written: 0 } })
    await held.release()
    await app.close()
    const rows = await place.db
      .sql`select min(at)::int as first, max(at)::int as last, count(*)::int as n from audit_log`
    expect(rows).toEqual([
      full === 'block' ? { first: 0, last: 9, n: 10 } : { first: expect.any(Number), last: 24, n: 10 },
    ])
  }
})

test("check-pool's peak is no less than the backends that are seen", async () => {
  await using place = await deployment({
    tenants: 9,
    limit: 20,
    service: { ...perTenant, process_max: 12, server: 'main', extra_connections: 0 },
  })
  const file = await readPoolsObject(
    place.file,
    { file: 'test', path: '/test', named: true },
    async () => place.db.sql`select id, schema from tenants`,
  )
  const peak = allDemands(file).reduce((sum, row) => sum + row.steady, 0)
  const watch = watchBackends(place.db, place.role)
  const app = await place.open()
  await Promise.all(
    Array.from({ length: 200 }, async (_, at) => {
      const tenant = await tenantOf(app, `u${(at % 9) + 1}`)
      await tenant.sql`select pg_sleep(0.005)`
      await app.database()`select 1`
    }),
  )
  const { most } = await watch.stop()
  await app.close()
  expect(most).toBeGreaterThan(6)
  expect(most).toBeLessThanOrEqual(peak)
  expect(peak).toBe(12)
})

test('bad input: what cannot be opened is said, and nothing stays open', async () => {
  await using place = await deployment({ limit: 6, service: perTenant })
  const cases: readonly [WrittenService, string, RegExp][] = [
    [{ ...perTenant, process_max: 2 }, 'BAD_VALUE', /process_max 2 leaves no connection/],
    [{ via: 'http' }, 'BAD_VALUE', /opens no connections/],
    [{ server: 'other' }, 'UNKNOWN_REFERENCE', /no server "other"/],
    [{ ...perTenant, via: 'pgb' }, 'BAD_VALUE', /tenant t1 has no url, nor has poolers.pgb/],
    [{ ...perTenant, audit: { workers: 1, table: 'audit_log' } }, 'BAD_VALUE', /none of its own/],
  ]
  for (const [api, code, message] of cases) {
    const file = { ...place.file, services: { api }, poolers: { pgb: { kind: 'pgbouncer' as const, server: 'main' } } }
    await expect(place.open({ file })).rejects.toMatchObject({
      name: 'PerfdbError',
      code,
      message: expect.stringMatching(message),
    })
  }
  expect(await backends(place.db, place.role)).toBe(0)
})

test('bad input: a service that is not there, a key that is not known, a variable that is not set, a server that is down', async () => {
  const open = async (file: unknown, service = 'api', environment = { URL: 'postgres://me:s3cret@127.0.0.1:1/x' }) =>
    openWith(postgres, { file: JSON.parse(JSON.stringify(file)), service, environment }).catch(
      (error: unknown) => error,
    )
  const file = {
    version: 1,
    servers: { main: { url: '${URL}' } },
    services: { api: { server: 'main', pool: { max: 2 } } },
  }
  expect(await open(file, 'web')).toMatchObject({
    code: 'UNKNOWN_REFERENCE',
    message: 'the pools object: no service "web"',
  })
  expect(await open({ ...file, sevrices: {} })).toMatchObject({ code: 'BAD_VALUE' })
  expect(await open(file, 'api', { URL: '' })).toMatchObject({ code: 'MISSING_ENVIRONMENT' })
  const app = await openWith(postgres, {
    file: JSON.parse(JSON.stringify(file)),
    service: 'api',
    environment: { URL: 'postgres://me:s3cret@127.0.0.1:1/x' },
  })
  const error: unknown = await app.database()`select 1`.catch((failure: unknown) => failure)
  expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  expect(`${String(error)}${JSON.stringify(error)}${String(Object(error).stack)}`).not.toContain('s3cret')
  await app.close()
})

function fail(error: Error): never {
  throw error
}

function audited(audit: object = {}) {
  return {
    process_max: 3,
    pool: { max: 2 },
    server: 'main',
    audit: {
      workers: 2,
      queue: 10_000,
      table: 'audit_log',
      id_column: 'id',
      key_column: 'actor',
      own_connections: false,
      ...audit,
    },
  }
}

async function tenantOf(app: Application, user: string): Promise<Tenant> {
  const tenant = await app.tenant(user)
  if (tenant === undefined) throw new Error(`no tenant of ${user}`)
  return tenant
}

/** Keys whose rows do not stand in the order in which they were written. */
async function disorder(sql: postgres.Sql): Promise<unknown[]> {
  const rows =
    await sql`select actor, at, seq from (select *, lag(at) over (partition by actor order by seq) as before from audit_log) r where before > at`
  return [...rows]
}

async function lock(url: string): Promise<AsyncDisposable & { release(): Promise<void> }> {
  const sql = postgres(url, { max: 1 })
  const reserved = await sql.reserve()
  await reserved`begin`
  await reserved`lock audit_log in exclusive mode`
  const release = async () => {
    await sql.end({ timeout: 0 })
  }
  return { release, [Symbol.asyncDispose]: release }
}

function counted(app: Application): { readonly misses: number } {
  return { misses: Number(/^perfdb_cache_misses_total (\d+)$/m.exec(app.metrics())?.[1]) }
}

async function looked(app: Application, work: () => Promise<unknown>): Promise<number> {
  const { misses } = counted(app)
  await work()
  return counted(app).misses - misses
}

async function until(so: () => boolean): Promise<void> {
  const end = performance.now() + 60_000
  while (!so()) {
    if (performance.now() > end) throw new Error('it never came')
    await pause(5)
  }
}

async function child(file: unknown, url: string): Promise<ChildProcess> {
  const started = fork(join(import.meta.dirname, 'process.mjs'), [JSON.stringify({ file, environment: { URL: url } })])
  await once(started, 'message')
  return started
}

async function ask(process: ChildProcess, user: string): Promise<{ row: { role: string } }> {
  const answer = once(process, 'message')
  process.send(user)
  const [said] = await answer
  return said
}

async function temporary(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'perfdb-runtime-'))
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true }) }
}
