import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { connect } from '../../src/server/connect.js'
import { openLoadConnection } from '../../src/server/load-connection.js'
import { openQueueConnection } from '../../src/server/queue-connection.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { plainClient } from '../../src/server/wire/plain-client.js'
import { testDatabase } from '../support/database.js'
import { failureOf } from '../support/failure.js'
import { proxyBefore } from '../support/network.js'

test('settings are pinned against a role and a database that set everything otherwise', async () => {
  await using database = await testDatabase()
  await using login = await hostileRole(database)
  const target = await targetOf(login.url)
  await using session = await connect(target, 'ddl')
  const [row] = await session.query<Record<string, unknown>>(`select
    current_setting('statement_timeout') as statement_timeout, current_setting('lock_timeout') as lock_timeout,
    current_setting('idle_session_timeout') as idle_session_timeout, current_setting('datestyle') as datestyle,
    current_setting('timezone') as timezone, current_setting('search_path') as search_path,
    current_setting('quote_all_identifiers') as quote_all_identifiers,
    current_setting('synchronous_commit') as synchronous_commit,
    current_setting('client_connection_check_interval') as check_interval,
    current_setting('application_name') as application_name,
    current_setting('enable_seqscan') as enable_seqscan, date '2026-03-05' as day`)
  expect(row).toEqual({
    statement_timeout: '0',
    lock_timeout: '0',
    idle_session_timeout: '0',
    datestyle: 'ISO, YMD',
    timezone: 'UTC',
    search_path: 'pg_catalog',
    quote_all_identifiers: 'off',
    synchronous_commit: 'on',
    check_interval: '2s',
    application_name: 'perfdb ddl',
    enable_seqscan: 'off',
    day: new Date('2026-03-05T00:00:00Z'),
  })
  expect(session.defaultSearchPath).toBe('"odd", "public"')
  expect(session.readOnly).toBe(true)
  expect(session.inRecovery).toBe(false)
  expect(session.pooled).toBe(false)
  expect(session.versionNum).toBeGreaterThanOrEqual(140_000)
})

test('the measure role keeps the search_path of the application', async () => {
  await using database = await testDatabase(
    "create schema app; create table app.t (); do $$ begin execute format('alter database %I set search_path = app', current_database()); end $$",
  )
  await using session = await connect(await targetOf(database.url), 'measure')
  expect(await session.query('select count(*) as n from t')).toEqual([{ n: 0 }])
})

test('a session whose backend was ended is lost and never comes back', async () => {
  await using database = await testDatabase()
  await using session = await connect(await targetOf(database.url), 'ddl')
  await session.query("select set_config('lock_timeout', '7s', false)")
  await database.sql`select pg_terminate_backend(${session.pid})`
  const failure = await failureOf(session.query('select 1'))
  expect(failure.code).toBe('CONNECTION_LOST')
  expect(session.lost).toBe(true)
  expect((await failureOf(session.query('select 1'))).code).toBe('CONNECTION_LOST')
  const [row] =
    await database.sql`select count(*)::int as n from pg_stat_activity where application_name = 'perfdb ddl' and datname = ${database.name}`
  expect(row?.['n']).toBe(0)
})

test('a backend ended in the middle of a statement gives the reason of the server, and disposing returns', async () => {
  await using database = await testDatabase()
  const session = await connect(await targetOf(database.url), 'watchdog')
  const sleeping = failureOf(session.query('select pg_sleep(60)'))
  await untilActive(database, session.pid, 'pg_sleep')
  await database.sql`select pg_terminate_backend(${session.pid})`
  const failure = await sleeping
  expect(failure).toMatchObject({ code: 'CONNECTION_LOST', sqlstate: '57P01' })
  expect(failure.detail).toBe('terminating connection due to administrator command')
  await session[Symbol.asyncDispose]()
})

test('cancel ends the statement that runs', async () => {
  await using database = await testDatabase()
  await using session = await connect(await targetOf(database.url), 'ddl')
  await session.cancel()
  const sleeping = failureOf(session.query('select pg_sleep(60)'))
  await untilActive(database, session.pid, 'pg_sleep')
  await session.cancel()
  expect(await sleeping).toMatchObject({ code: 'QUERY_FAILED', sqlstate: '57014' })
  expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
})

test('a cancel request that comes too late for its statement ends none of those after it', async () => {
  await using database = await testDatabase()
  await using proxy = await proxyBefore(database.url)
  await using session = await connect(await targetOf(proxy.url), 'ddl')
  const slow = session.query('select pg_sleep(0.5)')
  await untilActive(database, session.pid, 'pg_sleep')
  const goOn = proxy.hold()
  const cancelled = session.cancel()
  await slow
  const next = [session.query('select 1 as n from pg_sleep(0.5)'), session.query('select 2 as n')]
  // Were they sent already, the first would run by now.
  await sleep(200)
  goOn()
  await cancelled
  expect(await Promise.all(next)).toEqual([[{ n: 1 }], [{ n: 2 }]])
})

test('cancel ends a statement that waits for a lock', async () => {
  await using database = await testDatabase('create table t (a int)')
  await using session = await connect(await targetOf(database.url), 'ddl')
  await database.sql.begin(async (sql) => {
    await sql`lock table t in access exclusive mode`
    const building = failureOf(session.query('create index concurrently i on public.t (a)'))
    await untilActive(database, session.pid, 'create index', 'Lock')
    await session.cancel()
    expect((await building).sqlstate).toBe('57014')
  })
})

test('two statements in one text are refused', async () => {
  await using database = await testDatabase('create table t (a int)')
  await using session = await connect(await targetOf(database.url), 'look')
  const failure = await failureOf(session.query('select 1; drop table public.t'))
  expect(failure.sqlstate).toBe('42601')
  expect(await database.sql`select * from t`).toHaveLength(0)
})

test('errors keep SQLSTATE, detail and the position in the text as it was given', async () => {
  await using database = await testDatabase()
  await using session = await connect(await targetOf(database.url), 'look')
  expect(await failureOf(session.query('select wrong'))).toMatchObject({
    code: 'QUERY_FAILED',
    sqlstate: '42703',
    position: 8,
  })
  await session.query('create table public.t (a int unique)')
  await session.query('insert into public.t values (1)')
  expect(await failureOf(session.query('insert into public.t values (1)'))).toMatchObject({
    sqlstate: '23505',
    detail: 'Key (a)=(1) already exists.',
  })
})

test('transactions commit, roll back, and hold their settings no longer than they live', async () => {
  await using database = await testDatabase('create table t (a int)')
  await using session = await connect(await targetOf(database.url), 'look')
  await session.transaction(async () => session.query('insert into public.t values (1)'))
  await expect(
    session.transaction(async () => {
      await session.query('insert into public.t values (2)')
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  const settings = { readOnly: false, statementTimeoutMs: 1234, lockTimeoutMs: 77, set: { enable_seqscan: 'off' } }
  const inside = await session.rolledBack(settings, async () => {
    await session.query('insert into public.t values (3)')
    return session.query(
      `select current_setting('statement_timeout') as a, current_setting('lock_timeout') as b, current_setting('enable_seqscan') as c`,
    )
  })
  expect(inside).toEqual([{ a: '1234ms', b: '77ms', c: 'off' }])
  expect(
    await session.query(`select current_setting('statement_timeout') as a, current_setting('enable_seqscan') as c`),
  ).toEqual([{ a: '0', c: 'on' }])
  expect(await session.query('select a from public.t')).toEqual([{ a: 1 }])
  const readOnly = session.rolledBack({ readOnly: true }, async () => session.query('insert into public.t values (4)'))
  expect(await failureOf(readOnly)).toMatchObject({ code: 'READ_ONLY', sqlstate: '25006' })
  const nested = session.transaction(async () => session.rolledBack({ readOnly: true }, async () => 1))
  expect((await failureOf(nested)).code).toBe('INTERNAL')
})

test('notices are kept until they are taken', async () => {
  await using database = await testDatabase()
  await using session = await connect(await targetOf(database.url), 'ddl')
  await session.query("do $$ begin raise warning 'careful'; end $$")
  expect(session.takeNotices()).toEqual([{ severity: 'WARNING', code: '01000', message: 'careful' }])
  expect(session.takeNotices()).toEqual([])
})

test('values arrive as numbers, dates, arrays and parsed json; parameters are PostgreSQL text', async () => {
  await using database = await testDatabase()
  await using session = await connect(await targetOf(database.url), 'look')
  const [row] = await session.query<Record<string, unknown>>(
    `select 9007199254740991::int8 as big, 1.50::numeric as exact, 26::oid as oid, true as yes, null::text as nothing,
       timestamptz '2026-03-05 01:02:03.456+00' as zoned, timestamp '2026-03-05 01:02:03' as plain,
       'infinity'::timestamptz as never, '{"a": [1]}'::jsonb as json, '1 2'::int2vector as vector,
       array['a,b', 'q"\\x', null, '', 'NULL'] as texts, array[[1,2],[3,4]] as nested, '{}'::text[] as empty,
       array[1.5, 2]::float8[] as floats, array[true, false] as flags, '\\x00ff'::bytea as bytes,
       $1::bool as flag, $2::jsonb as document, $3::timestamptz as moment, $4::text[] as list, $5::int4[] as numbers, $6::text as gone`,
    ['true', '{"b": 1}', 'infinity', ['a b', 'c"\\,', ''], [1, 2], null],
  )
  expect(row).toEqual({
    big: 9_007_199_254_740_991,
    exact: '1.50',
    oid: 26,
    yes: true,
    nothing: null,
    zoned: new Date('2026-03-05T01:02:03.456Z'),
    plain: new Date('2026-03-05T01:02:03Z'),
    never: new Date(8.64e15),
    json: { a: [1] },
    vector: [1, 2],
    texts: ['a,b', 'q"\\x', null, '', 'NULL'],
    nested: [
      [1, 2],
      [3, 4],
    ],
    empty: [],
    floats: [1.5, 2],
    flags: [true, false],
    bytes: '\\x00ff',
    flag: true,
    document: { b: 1 },
    moment: new Date(8.64e15),
    list: ['a b', 'c"\\,', ''],
    numbers: [1, 2],
    gone: null,
  })
})

test('failures to connect have their own codes', async () => {
  await using database = await testDatabase()
  const changed = (change: (url: URL) => void) => {
    const url = new URL(database.url)
    change(url)
    return url.href
  }
  const code = async (url: string) => (await failureOf(connect(await targetOf(url), 'look'))).code
  expect(await code(changed((url) => (url.password = 'wrong')))).toBe('AUTHENTICATION_FAILED')
  expect(await code(changed((url) => (url.username = 'nobody_here')))).toBe('AUTHENTICATION_FAILED')
  expect(await code(changed((url) => (url.pathname = '/not_there')))).toBe('NO_DATABASE')
  expect(await code(changed((url) => (url.search = '?sslmode=require')))).toBe('TLS_FAILED')
  expect(await code(changed((url) => (url.search = '?options=-c%20nonsense%3D1')))).toBe('SETTING_REFUSED')
  expect(await code(changed((url) => (url.port = '1')))).toBe('CONNECTION_REFUSED')
  expect(await code(changed((url) => (url.search = '?target_session_attrs=standby')))).toBe('CONNECTION_REFUSED')
  expect(await code('postgres://u@/d?host=%2Fnot%2Fthere')).toBe('CONNECTION_REFUSED')
})

test('no password at all is said so', async () => {
  await using database = await testDatabase()
  const url = new URL(database.url)
  url.password = ''
  const failure = await failureOf(connect(await targetOf(url.href), 'look'))
  expect(failure).toMatchObject({
    code: 'AUTHENTICATION_FAILED',
    hint: 'no password was given: set PGPASSWORD, or add a line to .pgpass',
  })
})

test('the next host is tried when one refuses', async () => {
  await using database = await testDatabase()
  const url = database.url.replace(/@([^/]+)/, '@127.0.0.1:1,$1')
  await using session = await connect(await targetOf(`${url}?target_session_attrs=primary`), 'look')
  expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
})

test.each([0, 2, 5])(
  'a server that answered is not blamed for what this process was busy with meanwhile (from %d ms on)',
  async (delay) => {
    await using database = await testDatabase()
    const connecting = connect(await targetOf(`${database.url}?connect_timeout=1`), 'look')
    setTimeout(() => {
      const end = performance.now() + 1500
      while (performance.now() < end);
    }, delay)
    await using session = await connecting
    expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
  },
)

test('a server that hangs up, and one that says nothing, are no endless wait', async () => {
  const quiet = await listener(false)
  const rude = await listener(true)
  try {
    const silent = await targetOf(`postgres://u:p@127.0.0.1:${quiet.port}/d?connect_timeout=1&sslmode=disable`)
    expect((await failureOf(connect(silent, 'look'))).code).toBe('CONNECTION_REFUSED')
    const hangingUp = await targetOf(`postgres://u:p@127.0.0.1:${rude.port}/d?sslmode=disable`)
    expect((await failureOf(connect(hangingUp, 'look'))).code).toBe('CONNECTION_REFUSED')
    const demanding = await targetOf(`postgres://u:p@127.0.0.1:${rude.port}/d?sslmode=require`)
    expect(await failureOf(connect(demanding, 'look'))).toMatchObject({
      code: 'CONNECTION_REFUSED',
      message: expect.stringMatching(/closed the connection before it said whether it offers TLS$/),
    })
  } finally {
    quiet.server.close()
    rude.server.close()
  }
})

test('a socket that ends before its first statement: the statement is told, and waits for nothing', async () => {
  const rude = await listener(true)
  try {
    const target = await targetOf(`postgres://u:p@127.0.0.1:${rude.port}/d?sslmode=disable`)
    const { sql, answered, closed, close } = await plainClient(target, {})
    await closed
    await expect(sql`select 1`).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect(answered(new Promise(() => undefined))).rejects.toMatchObject({ code: 'ECONNRESET' })
    await close()
    for (const open of [() => openQueueConnection(target), () => openLoadConnection(target, 1000, true)])
      expect((await failureOf(open())).code).toBe('CONNECTION_REFUSED')
  } finally {
    rude.server.close()
  }
})

test('role and database limits are told apart', async () => {
  await using database = await testDatabase()
  await using login = await hostileRole(database)
  await database.sql.unsafe(`alter role ${login.role} connection limit 0`)
  const failure = await failureOf(connect(await targetOf(login.url), 'look'))
  expect(failure).toMatchObject({ code: 'TOO_MANY_CONNECTIONS', sqlstate: '53300' })
  expect(failure.hint).toContain('rolconnlimit')
})

test('a session shows its password to nobody', async () => {
  await using database = await testDatabase()
  const target = await targetOf(database.url)
  const password = decodeURIComponent(new URL(database.url).password)
  await using session = await connect(target, 'look')
  const failure = await failureOf(session.query('select wrong'))
  for (const value of [target, session, failure]) {
    expect(inspect(value, { depth: 20, showHidden: true })).not.toContain(password)
    expect(JSON.stringify(value)).not.toContain(password)
  }
})

type Database = Awaited<ReturnType<typeof testDatabase>>

async function targetOf(url: string) {
  return resolveTarget({ url, environment: {}, home: '/nonexistent' })
}

async function untilActive(database: Database, pid: number, text: string, waitsFor = 'Timeout') {
  const looks = () => database.sql`select from pg_stat_activity
    where pid = ${pid} and state = 'active' and query like ${`%${text}%`} and wait_event_type = ${waitsFor}`
  while ((await looks()).length === 0) await sleep(20)
}

async function hostileRole(database: Database) {
  const role = `hostile_${database.name}`
  await database.sql.unsafe(`create role ${role} login password 'secret'`)
  const settings = [
    "statement_timeout = '400ms'",
    "lock_timeout = '300ms'",
    "datestyle = 'SQL, DMY'",
    "timezone = 'Asia/Tokyo'",
    'search_path = odd, public',
    'quote_all_identifiers = on',
    "idle_session_timeout = '5s'",
    'synchronous_commit = off',
    'default_transaction_read_only = on',
    "client_min_messages = 'error'",
    'enable_seqscan = off',
    "intervalstyle = 'iso_8601'",
    "default_transaction_isolation = 'serializable'",
  ]
  for (const setting of settings) await database.sql.unsafe(`alter role ${role} set ${setting}`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'secret'
  return {
    role,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await database.sql.unsafe(`drop role ${role}`)
    },
  }
}

async function listener(hangsUp: boolean) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (hangsUp) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

test('what watches a build is prepared, without parameters from the second time on; what builds, with parameters; nothing else is', async () => {
  await using database = await testDatabase()
  const prepared = async (role: 'watchdog' | 'ddl' | 'measure') => {
    await using session = await connect(await targetOf(database.url), role)
    for (const name of ['a', 'b', 'c']) {
      const text = 'select $1::text as name, pg_catalog.pg_backend_pid() as pid'
      expect(await session.query(text, [name])).toEqual([{ name, pid: session.pid }])
      expect(await session.query('select true as name')).toEqual([{ name: true }])
    }
    const rows = await session.query<{ calls: number }>(
      `select (generic_plans + custom_plans)::int as calls from pg_catalog.pg_prepared_statements where statement like '%as name%' order by 1`,
    )
    return rows.map((row) => row.calls)
  }
  expect(await prepared('watchdog')).toEqual([2, 3])
  expect(await prepared('ddl')).toEqual([3])
  expect(await prepared('measure')).toEqual([])
})
