import { expect, test } from 'vitest'
import { judgeEstate } from '../../src/commands/pool/pool-judge.js'
import { readConsole, type PoolerLive } from '../../src/pools/server/console.js'
import { deployment, instances, pool, pooler, server, service } from './builders.js'

const through = { via: { kind: 'pooler', pooler: 'pgb' } } as const

/** A console with these databases, all of one server unless they say otherwise, and SHOW STATS of one of them. */
function console(databases: readonly object[], more: Parameters<typeof readConsole>[0] = {}): PoolerLive {
  return readConsole(
    {
      VERSION: [{ version: 'PgBouncer 1.22.0' }],
      CONFIG: [
        { key: 'default_pool_size', value: '20' },
        { key: 'pool_mode', value: 'transaction' },
        { key: 'query_wait_timeout', value: '2' },
      ],
      DATABASES: databases.map((one) => ({
        host: 'db',
        port: 5432,
        pool_size: 20,
        reserve_pool: 0,
        max_connections: 0,
        ...one,
      })),
      ...more,
    },
    { rows: [], seconds: 1 },
  )
}

function judged(written: Parameters<typeof deployment>[0], live: PoolerLive) {
  return judgeEstate(deployment(written), { looks: [], consoles: [{ pooler: 'pgb', lives: [live], findings: [] }] })
}

test('a pooler without databases in the file opens the pools that its console tells', () => {
  const live = console(
    [
      { name: 'app', database: 'app', pool_size: 50 },
      { name: 'reports', database: 'app' },
    ],
    { POOLS: [{ database: 'reports', user: 'bi' }] },
  )
  const services = [service(through), service({ ...through, name: 'late', database: 'autodb' })]
  const { servers } = judged({ services, poolers: [pooler()] }, live)
  // 50 of app, 20 of bi on an alias that nobody declared, 20 of a database that is made when somebody comes.
  expect(servers[0]?.budget.declared.peak).toBe(90)
})

test('databases on a server that nobody declared are not counted, and that is no silent OK', () => {
  const live = console([
    { name: 'app', database: 'app' },
    { name: 'old', database: 'old', host: 'elsewhere' },
  ])
  const alias = {
    name: 'app',
    server: 'main',
    database: 'app',
    user: null,
    poolSize: null,
    reservePoolSize: null,
    users: [],
  }
  const { verdict, findings } = judged({ services: [service(through)], poolers: [pooler({ aliases: [alias] })] }, live)
  expect(verdict).toBe('WARN')
  expect(findings).toMatchObject([
    {
      code: 'POOLER_MISMATCH',
      severity: 'warning',
      message: expect.stringContaining('not counted is old on elsewhere:5432'),
    },
  ])
})

test('the load that an alias measured is not judged once for each of its users', () => {
  const stats = {
    STATS: [{ database: 'app', total_xact_count: 1000, total_xact_time: 15_000_000, total_wait_time: 0 }],
  }
  const live = console([{ name: 'app', database: 'app' }], stats)
  const slow = pool({ max: 10, acquireTimeoutMs: 10 })
  const users = (...roles: readonly string[]) =>
    roles.map((role) => service({ ...through, name: role, role, pool: slow, instances: instances(2) }))
  const queueCodes = (...roles: readonly string[]) =>
    judged({ servers: [server()], services: users(...roles), poolers: [pooler()] }, live)
      .findings.map((one) => one.code)
      .filter((code) => code.startsWith('QUEUE'))
  expect(queueCodes('one')).toEqual(['QUEUE_WAIT'])
  expect(queueCodes('one', 'two')).toEqual([])
})
