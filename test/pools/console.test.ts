import postgres from 'postgres'
import { expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/pool/check-pool.js'
import { readConsole, asConsoleSays } from '../../src/pools/server/console.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/slow.js'
import { deployment, instances, pool, pooler, server, service } from './builders.js'
import { pgbouncer, withoutPgbouncer } from './outside.js'

test.skipIf(withoutPgbouncer)(
  'two aliases and a reserve: as many server connections as predicted really appear',
  { timeout: 60_000 },
  async () => {
    await using database = await testDatabase()
    const [one, two] = [`one_${database.name}`, `two_${database.name}`]
    await database.sql.unsafe(`create role ${one} login password 'pw'; create role ${two} login password 'pw'`)
    const { hostname, port } = new URL(database.url)
    const at = `host=${hostname} port=${port} dbname=${database.name}`
    const clients: postgres.Sql[] = []
    try {
      await using pooling = await pgbouncer(
        [`a = ${at}`, `a_alias = ${at}`],
        ['pool_mode = transaction', 'default_pool_size = 2', 'reserve_pool_size = 1', 'reserve_pool_timeout = 1'],
        [
          [one, 'pw'],
          [two, 'pw'],
        ],
      )
      const sleepers = [
        [one, 'a'],
        [two, 'a'],
        [one, 'a_alias'],
      ].flatMap(([user, alias]) => {
        const sql = postgres(`postgres://${user}:pw@127.0.0.1:${pooling.port}/${alias}`, {
          max: 5,
          prepare: false,
          fetch_types: false,
        })
        clients.push(sql)
        return Array.from({ length: 5 }, () => sql`select pg_sleep(600)`.catch(() => undefined))
      })
      const opened = async () => {
        const [row] = await database.sql<{ count: number }[]>`select count(*)::int from pg_stat_activity
          where datname = current_database() and usename in (${one}, ${two})`
        return row?.count ?? 0
      }
      const predicted = 3 * (2 + 1)
      await until('as many as predicted', async () => (await opened()) === predicted)
      const console = postgres(`postgres://admin@127.0.0.1:${pooling.port}/pgbouncer`, {
        max: 1,
        prepare: false,
        fetch_types: false,
      })
      clients.push(console)
      await until('all others wait', async () => {
        const pools = await console.unsafe('show pools').simple()
        return pools.reduce((sum, row) => sum + Number(row['cl_waiting']), 0) === 6
      })
      const web = (name: string, role: string, alias: string) =>
        service({ name, role, database: alias, via: { kind: 'pooler', pooler: 'pgb' }, instances: instances(1) })
      const written = deployment({
        servers: [server({ url: database.url, maxConnections: null })],
        services: [web('x', one, 'a'), web('y', two, 'a'), web('z', one, 'a_alias')],
        poolers: [
          pooler({
            adminUrls: [`postgres://admin@127.0.0.1:${pooling.port}/pgbouncer`],
            written: ['default_pool_size', 'pool_mode'],
            aliases: ['a', 'a_alias'].map((name) => ({
              name,
              server: 'main',
              database: name === 'a' ? database.name : 'elsewhere',
              user: null,
              poolSize: null,
              reservePoolSize: null,
              users: [],
            })),
          }),
        ],
      })
      const result = await runCheckPool([{ ...written, file: 'test.pools.yaml', findings: [] }], {
        offline: false,
        failOn: 'fail',
        environment: {},
        sampling: { samples: 1, intervalMs: 0 },
      })
      expect(result.servers[0]?.services.find((line) => line.name === 'pgb')).toMatchObject({ peak: predicted })
      const messages = result.findings.filter((found) => found.code.startsWith('POOLER_')).map((found) => found.message)
      expect(messages).toEqual([
        "pgb: default_pool_size is 2 on the pooler, 20 in the file; the pooler's counts",
        `pgb: database of a_alias is ${database.name} on the pooler, elsewhere in the file; the pooler's counts`,
        ...[`${one} on a`, `${two} on a`, `${one} on a_alias`].map((of) =>
          expect.stringMatching(new RegExp(`^pgb: 2 clients of ${of} wait now, .* for one of 3 server connections$`)),
        ),
      ])
      // The sessions of the pooler are declared ones.
      expect(result.servers[0]?.sessions?.filter((group) => group.role === one)).toMatchObject([
        { connections: 6, services: ['pgb'] },
      ])
      expect(await opened()).toBe(predicted)
      await database.sql`select pg_terminate_backend(pid) from pg_stat_activity where usename in (${one}, ${two})`
      await Promise.all(clients.map(async (sql) => sql.end({ timeout: 1 })))
      await Promise.all(sleepers)
    } finally {
      await Promise.all(clients.map(async (sql) => sql.end({ timeout: 1 })))
      await database.sql.unsafe(`drop role ${one}; drop role ${two}`)
    }
  },
)

test('a console that does not answer leaves the numbers of the file, and the verdict unknown', async () => {
  const written = deployment({
    services: [service({ via: { kind: 'pooler', pooler: 'pgb' }, pool: pool({ max: 5 }) })],
    poolers: [pooler({ adminUrls: ['postgres://admin:${SECRET}@127.0.0.1:1/pgbouncer'] })],
  })
  const result = await runCheckPool([{ ...written, file: 'test.pools.yaml', findings: [] }], {
    offline: false,
    failOn: 'fail',
    environment: { SECRET: 'hunter2' },
  })
  expect(result).toMatchObject({ verdict: 'UNKNOWN', servers: [{ declared: { peak: 20 } }] })
  expect(result.findings.map((one) => one.code)).toContain('NOT_REACHED')
  expect(JSON.stringify(result)).not.toContain('hunter2')
})

test('what a console of a newer version says counts: limits by database, load, prepared statements', () => {
  const answers = (mode: string) => ({
    VERSION: [{ version: 'PgBouncer 1.24.1' }],
    CONFIG: [
      { key: 'default_pool_size', value: '7' },
      { key: 'max_prepared_statements', value: '200' },
      { key: 'server_lifetime', value: '600' },
      { key: 'pool_mode', value: mode },
      { key: 'auth_file', value: '/etc/pgbouncer/users.txt' },
    ],
    DATABASES: [
      { name: 'app', host: 'db', port: 5432, database: 'app', pool_size: 9, reserve_pool_size: 4, max_connections: 30 },
      { name: 'pgbouncer', host: null, port: 6432, database: 'pgbouncer', pool_size: 2, max_connections: 0 },
    ],
    POOLS: [],
    STATS: [{ database: 'app', total_xact_count: '150', total_xact_time: '7000000', total_wait_time: '2500000' }],
  })
  const earlier = {
    rows: [{ database: 'app', total_xact_count: 50, total_xact_time: 4_000_000, total_wait_time: 1_500_000 }],
    seconds: 2,
  }
  const live = readConsole(answers('transaction'), earlier)
  expect(readConsole(answers('session'), earlier).databases).toMatchObject([{ load: null, meanWaitSeconds: 0 }])
  expect(readConsole(answers('transaction')).databases).toMatchObject([{ load: null }])
  const told = asConsoleSays(pooler(), live)
  expect(told).toMatchObject({
    poolMode: 'transaction',
    defaultPoolSize: 7,
    maxPreparedStatements: 200,
    serverLifetimeMs: 600_000,
    maxDbConnections: { app: 30 },
  })
  expect(live.databases).toMatchObject([
    {
      name: 'app',
      reservePoolSize: 4,
      meanWaitSeconds: 0.01,
      load: { ratePerSecond: 50, serviceTimeSeconds: expect.closeTo(0.02, 6) },
    },
  ])
  expect(live.settings).not.toHaveProperty('auth_file')
})

test('users with sizes of their own, as 1.24 and later tell them, beat the file; what is not set there is not', () => {
  const user = { name: 'web', pool_mode: '', pool_size: '4', reserve_pool_size: '', max_user_connections: '9' }
  const live = readConsole({
    USERS: [
      user,
      { ...user, name: 'plain', pool_size: '0', max_user_connections: '0' },
      { name: 'old', pool_mode: '' },
    ],
  })
  const web = { poolSize: 4, reservePoolSize: null, maxConnections: 9 }
  expect(live.users).toEqual({ web })
  const declared = pooler({
    users: { web: { poolSize: 8, reservePoolSize: 2 }, worker: { poolSize: 3, reservePoolSize: null } },
    maxUserConnections: { worker: 5 },
  })
  expect(asConsoleSays(declared, live)).toMatchObject({
    users: { web, worker: { poolSize: 3 } },
    maxUserConnections: { web: 9, worker: 5 },
  })
})

test('what the console says of every alias is the default: a change of that changes them', () => {
  const alias = { host: 'db', port: 5432, database: 'app', pool_size: 7, reserve_pool_size: 1, max_connections: 30 }
  const live = readConsole({
    CONFIG: [
      { key: 'default_pool_size', value: '7' },
      { key: 'reserve_pool_size', value: '1' },
      { key: 'max_db_connections', value: '30' },
    ],
    DATABASES: [
      { ...alias, name: 'app' },
      { ...alias, name: 'own', pool_size: 3, reserve_pool_size: 0, max_connections: 0 },
    ],
  })
  const entry = { server: 'main', database: 'app', user: null, poolSize: null, reservePoolSize: null, users: [] }
  const told = asConsoleSays(pooler({ aliases: ['app', 'own'].map((name) => ({ name, ...entry })) }), live)
  expect(told.aliases).toMatchObject([
    { name: 'app', poolSize: null, reservePoolSize: null },
    { name: 'own', poolSize: 3, reservePoolSize: 0 },
  ])
  expect(told.maxDbConnections).toEqual({ '*': 30, own: 0 })
})
