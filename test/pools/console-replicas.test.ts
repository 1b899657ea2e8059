import postgres from 'postgres'
import { expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/pool/check-pool.js'
import { judgeReplicas, oneConsole } from '../../src/pools/server/console-replicas.js'
import type { LiveAlias, PoolerLive } from '../../src/pools/server/console.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/slow.js'
import { deployment, pooler, server, service } from './builders.js'
import { pgbouncer, withoutPgbouncer } from './outside.js'

function database(more: Partial<LiveAlias> = {}): LiveAlias {
  return {
    name: 'app',
    server: 'db:5432',
    database: 'app',
    user: null,
    poolSize: 20,
    reservePoolSize: 0,
    maxConnections: 0,
    load: null,
    meanWaitSeconds: 0,
    ...more,
  }
}

function replica(settings: Readonly<Record<string, number>>, more: Partial<PoolerLive> = {}): PoolerLive {
  return {
    version: '1.24.1',
    settings,
    poolMode: 'transaction',
    databases: [database()],
    pools: [],
    users: {},
    ...more,
  }
}

test('of what replicas say differently the largest demand counts, 0 being no limit', () => {
  const waits = { alias: 'app', user: 'web', clients: 3, waiting: 1, longestWaitSeconds: 2, serverConnections: 4 }
  const one = oneConsole([
    replica(
      { default_pool_size: 20, max_db_connections: 0, max_client_conn: 100, reserve_pool_size: 5 },
      {
        databases: [
          database({ load: { ratePerSecond: 10, serviceTimeSeconds: 0.1, measuredSeconds: 4 }, maxConnections: 9 }),
        ],
        pools: [waits],
      },
    ),
    replica(
      { default_pool_size: 30, max_db_connections: 40, max_client_conn: 500, reserve_pool_size: 0 },
      {
        databases: [
          database({ poolSize: 25, load: { ratePerSecond: 30, serviceTimeSeconds: 0.02, measuredSeconds: 4 } }),
        ],
        pools: [{ ...waits, longestWaitSeconds: 7 }],
      },
    ),
  ])
  expect(one?.settings).toEqual({
    default_pool_size: 30,
    max_db_connections: 0,
    max_client_conn: 100,
    reserve_pool_size: 5,
  })
  expect(one?.databases).toEqual([
    database({
      poolSize: 25,
      maxConnections: 0,
      load: { ratePerSecond: 20, serviceTimeSeconds: 0.04, measuredSeconds: 4 },
    }),
  ])
  expect(one?.pools).toEqual([{ ...waits, clients: 6, waiting: 2, longestWaitSeconds: 7, serverConnections: 8 }])
  expect(oneConsole([])).toBeNull()
})

test('that they differ is told, and that some were not asked', () => {
  const declared = pooler({ replicas: 2 })
  expect(judgeReplicas(declared, [replica({}), replica({})])).toEqual([])
  expect(judgeReplicas(declared, [])).toEqual([])
  expect(judgeReplicas(declared, [replica({})])).toMatchObject([
    { severity: 'info', message: 'pgb: 1 of 2 replicas was asked; the others are taken to be the same' },
  ])
  const [first, second, ...others] = judgeReplicas(declared, [
    replica({ default_pool_size: 20 }),
    replica({ default_pool_size: 30 }, { databases: [database({ server: 'old:5432' })] }),
  ])
  expect(first).toMatchObject({ code: 'POOLER_MISMATCH', severity: 'warning' })
  expect(first?.message).toBe('pgb: replicas differ in default_pool_size: 20, 30; the largest demand counts')
  expect(second?.message).toContain('the server of app: db:5432/app, old:5432/app')
  expect(others).toEqual([])
})

test.skipIf(withoutPgbouncer)(
  'two replicas with two consoles: their connections on the server are those predicted',
  { timeout: 60_000 },
  async () => {
    await using own = await testDatabase()
    const { hostname, port, username, password } = new URL(own.url)
    const at = `app = host=${hostname} port=${port} dbname=${own.name} user=${username} password=${password}`
    const settings = ['pool_mode = transaction', 'max_client_conn = 40']
    await using first = await pgbouncer([at], [...settings, 'default_pool_size = 3'], [['web', '']])
    await using second = await pgbouncer([at], [...settings, 'default_pool_size = 3'], [['web', '']])
    const clients = [first, second].map((one) =>
      postgres(`postgres://web@127.0.0.1:${one.port}/app`, { max: 6, prepare: false, fetch_types: false }),
    )
    const asleep = clients.flatMap((sql) =>
      Array.from({ length: 6 }, () => sql`select pg_sleep(600)`.catch(() => undefined)),
    )
    try {
      const opened = async () => {
        const [row] = await own.sql<{ count: number }[]>`select count(*)::int from pg_stat_activity
          where datname = current_database() and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`
        return row?.count ?? 0
      }
      const predicted = 2 * 3
      await until('as many as predicted', async () => (await opened()) === predicted)
      const alias = {
        name: 'app',
        server: 'main',
        database: own.name,
        user: username,
        reservePoolSize: null,
        users: [],
      }
      const written = deployment({
        servers: [server({ url: own.url, maxConnections: null })],
        services: [service({ database: 'app', role: 'web', via: { kind: 'pooler', pooler: 'pgb' } })],
        poolers: [
          pooler({
            replicas: 2,
            adminUrls: [first, second].map((one) => `postgres://admin@127.0.0.1:${one.port}/pgbouncer`),
            aliases: [{ ...alias, poolSize: null }],
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
      const waiting = result.findings.filter((one) => one.code === 'POOLER_WAITING')
      expect(waiting).toMatchObject([{ message: expect.stringContaining('6 clients') }])
      expect(waiting[0]?.message).toContain('for one of 6 server connections')
      expect(result.findings.filter((one) => one.code === 'POOLER_MISMATCH')).toEqual([])
      await own.sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`
    } finally {
      await Promise.all(clients.map(async (sql) => sql.end({ timeout: 1 })))
      await Promise.all(asleep)
    }
  },
)
