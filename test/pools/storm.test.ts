import postgres from 'postgres'
import { expect, test } from 'vitest'
import { budgets, type Budget } from '../../src/pools/judge/budget.js'
import { limitUses } from '../../src/pools/judge/connection-limits.js'
import { judgeFailover } from '../../src/pools/judge/judge-replica.js'
import { judgeService } from '../../src/pools/judge/judge-service.js'
import { judgeStorms } from '../../src/pools/judge/judge-storm.js'
import type { Deployment } from '../../src/pools/sums/model.js'
import { testDatabase } from '../support/database.js'
import { needing } from '../support/needs.js'
import { proxyBefore } from '../support/network.js'
import { pgbouncerBefore, pgbouncerProgram } from '../support/pgbouncer.js'
import { estateOf } from './written.js'
import { deployment, instances, pool, pooler, server, service, tenant } from './builders.js'

const first = (written: Deployment): Budget => {
  const [budget] = budgets(written)
  if (budget === undefined) throw new Error('no server')
  return budget
}
const many = Array.from({ length: 8000 }, (_, n) =>
  tenant(`t${n}`, { role: 'app', server: n < 7000 ? 'main' : 'other' }),
)

test('1000 of 8000 tenants are active at once: their pools count, all on one server where they may be', () => {
  const api = service({
    instances: instances(2),
    pool: pool({ perTenant: true, max: 3, idleTimeoutMs: 60_000, active: { tenants: 1000, part: 'day' } }),
  })
  const servers = ['main', 'other'].map((name) =>
    server({ name, maxConnections: 10_000, roles: { app: { kind: 'ordinary', connectionLimit: 5000 } } }),
  )
  const written = deployment({ servers, tenants: many, services: [api] })
  expect(budgets(written).map(({ total }) => total.peak)).toEqual([2 * 3 * 1000, 2 * 3 * 1000])
  // They share a role: it takes no more than the active ones, although each alone may have its whole pool.
  expect(limitUses(first(written))).toMatchObject([{ name: 'app', peak: 6000 }])
  expect(judgeService(api, many)).toMatchObject([
    { code: 'TENANTS_ACTIVE', severity: 'info', message: expect.stringContaining('1000 of 8,000 tenants count (day)') },
  ])
  // The minimum of a pool stays open when it is idle.
  const keeps = { ...api, pool: { ...api.pool, min: 1 } }
  expect(first({ ...written, services: [keeps] }).total.peak).toBe(2 * (3 * 1000 + 6000))
  // Without an idle timeout every pool that was opened once stays open.
  const forever = { ...api, pool: { ...api.pool, idleTimeoutMs: null } }
  expect(first({ ...written, services: [forever] }).total.peak).toBe(2 * 3 * 7000)
  expect(judgeService(forever, many)).toMatchObject([{ code: 'TENANTS_KEPT', severity: 'warning' }])
})

test('as the file writes it: the busiest part of the day counts', () => {
  const [api] = estateOf(`servers: { main: { max_connections: 100 } }
tenants: [{ id: a, server: main }, { id: b, server: main }, { id: c, server: main }]
services: { api: { pool: { max: 2, per_tenant: true, idle_timeout: 1min, active: { day: 2, night: 1 } } } }`).services
  expect(api?.pool.active).toEqual({ tenants: 2, part: 'day' })
})

test('the smallest standby that may take over has to hold both', () => {
  const servers = [
    server({ maxConnections: 200 }),
    server({ name: 'big', maxConnections: 400, role: 'replica', of: 'main' }),
    server({ name: 'small', maxConnections: 200, role: 'replica', of: 'main' }),
  ]
  const services = [
    service({ instances: instances(15) }),
    service({ name: 'reports', server: 'small', instances: instances(5) }),
  ]
  const judged = (written: Deployment) => {
    const all = budgets(written)
    return all.flatMap((budget) => judgeFailover(budget, all))
  }
  // 150 and 50 of 197.
  expect(judged(deployment({ servers, services }))).toMatchObject([
    { code: 'FAILOVER_OVER', severity: 'warning', server: 'main', message: expect.stringContaining('200 of 197') },
  ])
  const never = servers.map((one) => (one.name === 'small' ? { ...one, failover: false } : one))
  expect(judged(deployment({ servers: never, services }))).toEqual([])
})

test('after a restart the last connection is open later than a service waits', () => {
  const written = (acquireTimeoutMs: number, cores: number) =>
    deployment({
      servers: [server({ connectTimeMs: 12, cores })],
      services: [service({ instances: instances(9), pool: pool({ acquireTimeoutMs }) })],
    })
  // 90 connections x 12 ms / 2 cores = 540 ms.
  expect(judgeStorms(first(written(500, 2)))).toMatchObject([
    { code: 'RECONNECT_STORM', severity: 'warning', message: expect.stringContaining('540 ms') },
  ])
  expect(judgeStorms(first(written(600, 2)))).toEqual([])
  expect(judgeStorms(first(written(500, 4)))).toEqual([])
})

test('pools that are filled at boot wait for a pooler that opens one connection after another', () => {
  const written = (minPoolSize: number) =>
    deployment({
      servers: [server({ connectTimeMs: 50 })],
      services: [
        service({
          via: { kind: 'pooler', pooler: 'pgb' },
          pool: pool({ eager: true, min: 20, max: 40, acquireTimeoutMs: 900 }),
        }),
      ],
      poolers: [pooler({ minPoolSize })],
    })
  // 20 server connections x 50 ms.
  expect(judgeStorms(first(written(0)))).toMatchObject([
    { code: 'POOLER_WARMUP', service: 'web', message: expect.stringContaining('1 s at 50 ms each') },
  ])
  expect(judgeStorms(first(written(10)))).toEqual([])
})

needing('PgBouncer', pgbouncerProgram !== undefined)(
  'a real PgBouncer opens the connections of a pool one after another',
  async () => {
    await using database = await testDatabase()
    await using far = await proxyBefore(database.url, 10)
    const size = 8
    await using front = await pgbouncerBefore(far.url, 'transaction', [`default_pool_size = ${size}`])
    const clients = postgres(front.url, { max: size, prepare: false, fetch_types: false })
    const begun: number[] = []
    let release: () => void = () => undefined
    const all = new Promise<void>((resolve) => (release = resolve))
    await Promise.all(
      Array.from({ length: size }, async () =>
        clients.begin(async (sql) => {
          const [row] = await sql<{ at: number }[]>`select extract(epoch from clock_timestamp())::float8 * 1000 as at`
          begun.push(row?.at ?? 0)
          if (begun.length === size) release()
          await all
        }),
      ),
    )
    await clients.end()
    // Each logs in over three round trips of 20 ms at least: seven after the first, if one by one; together they would be there at once.
    expect(Math.max(...begun) - Math.min(...begun)).toBeGreaterThan((size - 1) * 3 * 20 * 0.8)
  },
)
