import { expect, test } from 'vitest'
import { budgets } from '../../src/pools/judge/budget.js'
import { loadAdvice } from '../../src/pools/judge/advice.js'
import { judge } from '../../src/pools/judge/judge.js'
import { judgeConsole } from '../../src/pools/judge/judge-console.js'
import { readConsole } from '../../src/pools/server/console.js'
import { readLive } from '../../src/pools/server/live.js'
import type { Deployment } from '../../src/pools/sums/model.js'
import { providerLimits } from '../../src/pools/sums/providers.js'
import type { Live } from '../../src/pools/server/sessions.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { deployment, instances, liveServer, pool, pooler, runtime, server, service } from './builders.js'

const through = { via: { kind: 'pooler', pooler: 'pgb' } } as const

function found(written: Deployment, code: string, live?: Live) {
  const [budget] = budgets(written, new Map(live === undefined ? [] : [['main', live]]))
  return budget === undefined ? [] : judge(budget, written).filter((one) => one.code.startsWith(code))
}

test('query_wait_timeout: it drops clients that would have waited longer, and 0 drops nobody', () => {
  const load = {
    ratePerSecond: 95,
    serviceTimeSeconds: 0.1,
    cv2: 1,
    sloWaitMs: null,
    expectedConcurrent: null,
    maxConcurrent: null,
  }
  const patient = service({ ...through, load, pool: pool({ max: 50, acquireTimeoutMs: 60_000 }) })
  const waiting = (queryWaitTimeoutMs: number | null) =>
    found(deployment({ services: [patient], poolers: [pooler({ defaultPoolSize: 10, queryWaitTimeoutMs })] }), 'QUEUE')
  expect(waiting(120_000)).toEqual([])
  expect(waiting(null)).toEqual([])
  expect(waiting(500)).toMatchObject([
    { code: 'QUEUE_WAIT', message: expect.stringContaining('wait over 500 ms for one of 10') },
  ])
  const endless = (queryWaitTimeoutMs: number | null) =>
    found(deployment({ services: [patient], poolers: [pooler({ queryWaitTimeoutMs })] }), 'POOLER_ENDLESS').length
  expect([endless(120_000), endless(null)]).toEqual([0, 1])
})

test('what the pooler measured of waiting: longer than at work is worth a word', () => {
  const waits = (wait: number, maxwait = 0) =>
    judgeConsole(
      pooler(),
      readConsole(
        {
          CONFIG: [{ key: 'query_wait_timeout', value: '10' }],
          DATABASES: [{ name: 'app', host: 'db', port: 5432, database: 'app', pool_size: 20 }],
          STATS: [
            { database: 'app', total_xact_count: 10, total_xact_time: 10 * (4000 + wait), total_wait_time: 10 * wait },
          ],
          POOLS: [{ database: 'app', user: 'app', cl_waiting: maxwait === 0 ? 0 : 1, maxwait }],
        },
        { rows: [], seconds: 4 },
      ),
    )
  expect(waits(3999)).toEqual([])
  expect(waits(12_340)).toMatchObject([
    {
      code: 'POOLER_WAITING',
      message: 'pgb: clients of app waited 12.3 ms on average for transactions of 4 ms, over 4 s',
    },
  ])
  expect(waits(0, 2)[0]?.message).not.toContain('query_wait_timeout')
  expect(waits(0, 7)[0]?.message).toContain('query_wait_timeout drops them after 10 s')
})

test('state that a session keeps is lost to a transaction pooler, by the file', () => {
  const kept = service({ ...through, pool: pool({ sessionState: ['settings', 'advisory_locks'] }) })
  const states = (poolMode: 'session' | 'transaction') =>
    found(deployment({ services: [kept], poolers: [pooler({ poolMode, defaultPoolSize: 20 })] }), 'SESSION_STATE')
  expect(states('session')).toEqual([])
  expect(states('transaction')).toMatchObject([
    {
      severity: 'warning',
      message: expect.stringContaining('SET, session advisory locks of one transaction are lost'),
      hint: expect.stringContaining('pg_advisory_xact_lock'),
    },
  ])
})

test('state that a session keeps is lost to a transaction pooler, as the server shows it', async () => {
  await using database = await testDatabase()
  const held = await database.sql.reserve()
  await held`select pg_advisory_lock(4711)`
  await using session = await connectTo(database.url, 'look')
  const { keptLocks } = await readLive(session, { samples: 1, intervalMs: 0 })
  const here = keptLocks.filter((group) => group.database === database.name)
  expect(here).toMatchObject([{ role: 'postgres', connections: 1 }])
  const web = service({ ...through, role: 'postgres', database: database.name })
  const states = (poolMode: 'session' | 'transaction', owner: Partial<typeof web> = {}) =>
    found(
      deployment({ services: [{ ...web, ...owner }], poolers: [pooler({ poolMode })] }),
      'SESSION_STATE',
      liveServer({ keptLocks: here }),
    )
  expect(states('transaction')).toMatchObject([
    { message: expect.stringContaining('1 idle server connection of postgres') },
  ])
  expect(states('session')).toEqual([])
  expect(states('transaction', { via: { kind: 'direct' } })).toEqual([])
  await held`select pg_advisory_unlock(4711)`
  held.release()
})

test('RDS derives max_connections from memory: never more than was seen, and said to be an estimate', () => {
  expect(providerLimits('rds', '2GB')?.maxConnections).toBeLessThanOrEqual(198)
  expect(providerLimits('rds', '2GB')?.maxConnections).toBeGreaterThan(190)
  expect(providerLimits('rds', '4GB')?.maxConnections).toBeLessThanOrEqual(413)
  expect(providerLimits('RDS', '512 GB')?.maxConnections).toBe(5000)
  expect(providerLimits('rds', 'db.q9.medium')).toBeNull()
  const written = deployment({ servers: [server({ maxConnections: null, provider: { name: 'rds', size: '4GB' } })] })
  const [budget] = budgets(written)
  // 3 + 2 are kept back.
  expect(budget?.capacity).toBe((budget?.limits?.maxConnections ?? 0) - 5)
  expect(found(written, 'LIMIT_ESTIMATED')).toMatchObject([
    { severity: 'info', message: expect.stringContaining('4GB') },
  ])
  const known = deployment({ servers: [server({ provider: { name: 'rds', size: '4GB' } })] })
  expect(found(known, 'LIMIT_ESTIMATED')).toEqual([])
})

const cache = {
  kind: 'in_process',
  maxsize: 1000,
  ttlSeconds: 900,
  activeUsers: 400,
  ratePerUserPerSecond: 1 / 60,
  queriesPerMiss: 3,
  maxStalenessSeconds: null,
  entryBytes: null,
  hitMs: 0.08,
  missMs: 22,
} as const

test('a cache is worth what it saves by times, and its misses are the load of its database', () => {
  const cached = service({ cache, runtime: runtime({ processes: 4 }), instances: instances(4) })
  // 48.4 % of 0.08 ms and 51.6 % of 22 ms are 11.4 ms; the mean of the ratios would say 134x.
  expect(loadAdvice(cached, [])).toEqual([
    'web: its cache answers 48.4 % and leaves 10.3 queries/s to the database; the average request is 1.9x as fast, by times',
  ])
  const load = {
    ratePerSecond: null,
    serviceTimeSeconds: 2,
    cv2: 1,
    sloWaitMs: 100,
    expectedConcurrent: null,
    maxConcurrent: null,
  }
  const queue = (one: typeof cached) => loadAdvice(one, []).some((text) => text.includes('in one shared pool'))
  expect(queue({ ...cached, load })).toBe(true)
  expect(queue({ ...cached, load, cache: null })).toBe(false)
})
