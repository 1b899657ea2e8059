import { describe, expect, test } from 'vitest'
import { auditEffect, auditWorkersByRule } from '../../src/pools/sums/audit.js'
import { budgets, type Budget } from '../../src/pools/judge/budget.js'
import { averageSpeedup, hitRatio, ttlForHitRatio } from '../../src/pools/sums/cache.js'
import { capacity } from '../../src/pools/sums/capacity.js'
import { limitUses } from '../../src/pools/judge/connection-limits.js'
import { judge, verdictOf } from '../../src/pools/judge/judge.js'
import { judgeQueue } from '../../src/pools/judge/judge-queue.js'
import { judgeService } from '../../src/pools/judge/judge-service.js'
import { memoryNeed } from '../../src/pools/sums/memory.js'
import type { Deploy, Deployment, Load, Service } from '../../src/pools/sums/model.js'
import { fewestServers, queue, waitsLongerThan } from '../../src/pools/sums/queue.js'
import { peakInstances } from '../../src/pools/sums/rollout.js'
import type { Live } from '../../src/pools/server/sessions.js'
import { deployment, instances, liveServer, pool, pooler, runtime, server, service, tenant } from './builders.js'

/** Verdict, finding codes that decide it, and the numbers of the only server. */
function look(written: Deployment, lives?: ReadonlyMap<string, Live>) {
  const budget = only(budgets(written, lives))
  const findings = judge(budget, written)
  const codes = findings.filter((one) => one.severity !== 'info').map((one) => one.code)
  return { ...budget.total, capacity: budget.capacity, verdict: verdictOf(budget, findings), codes, budget }
}

function only(all: readonly Budget[]): Budget {
  const [first] = all
  if (first === undefined || all.length > 1) throw new Error('not one server')
  return first
}

const web = (written: Partial<Service>) => deployment({ services: [service(written)] })
const rolling = (countTerminating = false, percent = 25, endsQuickly = false): Deploy => ({
  strategy: 'rolling',
  maxSurge: { percent },
  maxUnavailable: { percent },
  countTerminating,
  endsQuickly,
})

test('W1: 4 instances x pool 24 shared is 99 % of what ordinary roles have, although 96 < 100', () => {
  const result = look(
    web({ instances: instances(4), runtime: runtime({ processes: 4, scope: 'instance' }), pool: pool({ max: 24 }) }),
  )
  expect(result).toMatchObject({ capacity: 97, peak: 96, verdict: 'WARN', codes: ['POOL_NEAR'] })
  expect(result.peak / result.capacity).toBeCloseTo(0.99, 3)
})

test('W2: a pool in each forked worker makes 192 of 97, and opens 64 at boot', () => {
  const result = look(
    web({ instances: instances(2), runtime: runtime({ processes: 4 }), pool: pool({ min: 8, max: 24, eager: true }) }),
  )
  expect(result).toMatchObject({ capacity: 97, steady: 192, peak: 192, verdict: 'FAIL', codes: ['POOL_OVER'] })
  expect(result.budget.lines[0]?.warm).toBe(64)
})

test('W3: sync workers hold their eager minimum only, and can never reach the maximum', () => {
  const sync = service({
    instances: instances(2),
    runtime: runtime({ processes: 4, threads: 1 }),
    pool: pool({ min: 8, max: 24, eager: true }),
  })
  const result = look(deployment({ services: [sync] }))
  expect(result).toMatchObject({ peak: 64, verdict: 'OK' })
  expect(result.budget.lines[0]?.nominal).toBe(192)
  expect(judgeService(sync, [])).toMatchObject([
    { code: 'POOL_UNREACHED', severity: 'info', message: expect.stringContaining('max 24 can never be reached') },
  ])
})

test.each<[string, Deploy, number, string, string[]]>([
  ['recreate', { strategy: 'recreate' }, 80, 'WARN', ['POOL_NEAR']],
  ['rolling 25 %', rolling(), 100, 'FAIL', ['POOL_SURGE']],
  ['rolling, with pods that end quickly', rolling(true, 25, true), 140, 'FAIL', ['POOL_SURGE']],
  ['rolling, with pods that end', rolling(true), 160, 'FAIL', ['POOL_SURGE']],
  ['blue-green', { strategy: 'blue_green' }, 160, 'FAIL', ['POOL_SURGE']],
])('W4: 4 x 20, %s', (_name, deploy, peak, verdict, codes) => {
  expect(look(web({ instances: instances(4), pool: pool({ max: 20 }), deploy }))).toMatchObject({
    steady: 80,
    peak,
    verdict,
    codes,
  })
})

test('W4b: a rolling update of 1, 3, 4 and 10 instances', () => {
  expect([1, 3, 4, 10].map((n) => peakInstances(n, rolling()))).toEqual([2, 4, 5, 13])
  expect(peakInstances(4, { strategy: 'canary', share: { percent: 10 } })).toBe(5)
  expect([1, 3, 4, 10, 30].map((n) => peakInstances(n, rolling(true)))).toEqual([2, 6, 8, 20, 60])
  expect(peakInstances(4, rolling(true, 0, true))).toBe(5)
  // Unavailable is rounded down: three quarters of an instance are none.
  expect(peakInstances(3, rolling(true, 25, true))).toBe(5)
})

test('W5: what each kind of role may use of 200', () => {
  const limits = {
    maxConnections: 200,
    superuserReserved: 3,
    reserved: 20,
    providerReserved: 0,
    source: 'file' as const,
  }
  expect([capacity(limits, 'ordinary'), capacity(limits, 'reserved'), capacity(limits, 'superuser')]).toEqual([
    177, 197, 200,
  ])
})

test('W6: a pool for each of 12 tenants in each of 4 workers', () => {
  const tenants = Array.from({ length: 12 }, (_, index) => tenant(`y${index}`))
  const api = service({
    runtime: runtime({ processes: 4 }),
    pool: pool({ max: 20, maxOverflow: 5, perTenant: true }),
    server: null,
  })
  expect(look(deployment({ tenants, services: [{ ...api, instances: instances(1) }] })).peak).toBe(1200)
  expect(look(deployment({ tenants, services: [{ ...api, instances: instances(2) }] })).peak).toBe(2400)
})

describe('W7: pgbouncer', () => {
  const aliases = [
    {
      name: 'app',
      server: 'main',
      database: 'app',
      user: null,
      poolSize: null,
      reservePoolSize: null,
      users: ['web', 'worker', 'report'],
    },
    {
      name: 'billing',
      server: 'main',
      database: 'billing',
      user: null,
      poolSize: null,
      reservePoolSize: null,
      users: ['web'],
    },
  ]
  const pgb = pooler({ aliases, reservePoolSize: 5 })
  const connections = (written: Partial<typeof pgb>) => look(deployment({ poolers: [{ ...pgb, ...written }] })).peak

  test('W7: a pool for each alias and user, in each replica; max_db_connections counts by alias', () => {
    expect(connections({ replicas: 2 })).toBe(200)
    expect(connections({ replicas: 2, maxDbConnections: { app: 50 } })).toBe(150)
  })

  test('W7b: max_user_connections counts over aliases', () => {
    expect(connections({ maxUserConnections: { web: 30 } })).toBe(80)
  })

  test('sizes of a user beat those of the alias, in every one of its pools', () => {
    const web = { poolSize: 4, reservePoolSize: null }
    // web has 4 + 5 on each of two aliases, worker and report 20 + 5.
    expect(connections({ users: { web } })).toBe(2 * 9 + 2 * 25)
    expect(connections({ users: { web: { ...web, reservePoolSize: 0 } } })).toBe(2 * 4 + 2 * 25)
    const small = aliases.map((alias) => ({ ...alias, poolSize: 2 }))
    expect(connections({ aliases: small, users: { web } })).toBe(2 * 9 + 2 * 7)
  })

  test('clients of a declared service make the pools of their alias and role; a forced user makes one', () => {
    const services = ['web', 'worker'].map((role) =>
      service({ name: role, role, via: { kind: 'pooler', pooler: 'pgb' } }),
    )
    const own = aliases.map((alias) => ({ ...alias, users: [] }))
    expect(look(deployment({ services, poolers: [{ ...pgb, aliases: own }] })).peak).toBe(50)
    expect(
      look(deployment({ services, poolers: [{ ...pgb, aliases: own.map((alias) => ({ ...alias, user: 'pooled' })) }] }))
        .peak,
    ).toBe(25)
  })
})

test('W8: the server and the database have room, the role has not', () => {
  const written = deployment({
    servers: [server({ roles: { app: { kind: 'ordinary', connectionLimit: 30 } }, databases: { app: 50 } })],
    services: [service({ name: 'a', pool: pool({ max: 25 }) }), service({ name: 'b', pool: pool({ max: 20 }) })],
  })
  expect(look(written)).toMatchObject({ capacity: 97, peak: 45, verdict: 'FAIL', codes: ['ROLE_LIMIT'] })
  expect(limitUses(look(written).budget)).toMatchObject([
    { kind: 'role', name: 'app', limit: 30, peak: 45 },
    { kind: 'database', name: 'app', limit: 50, peak: 45 },
  ])
})

test('W9: sessions that nobody declared and perfdb itself count', () => {
  const group = { role: 'bi', database: 'app', applicationName: 'metabase', connections: 9, busy: 0, hidden: 0 }
  const live = liveServer({
    samples: [
      { groups: [{ ...group, connections: 4 }], authenticating: 0 },
      { groups: [group, { ...group, role: 'app', connections: 50 }], authenticating: 0 },
    ],
  })
  const result = look(web({ pool: pool({ max: 70 }) }), new Map([['main', live]]))
  expect(result).toMatchObject({ peak: 82, verdict: 'WARN', codes: ['POOL_NEAR', 'UNDECLARED_CLIENTS'] })
  expect(result.budget).toMatchObject({ unmanaged: 9, perfdb: 3, declared: { peak: 70 } })
  expect(result.peak / result.capacity).toBeCloseTo(0.845, 3)
})

test('W10: one shared pool against eight small ones at the same load', () => {
  const shared = queue(300, 0.05, 24)
  expect(shared.waits).toBeCloseTo(0.022, 3)
  expect(shared.meanWaitSeconds * 1000).toBeCloseTo(0.12, 2)
  const split = queue(300 / 8, 0.05, 3)
  expect(split.waits).toBeCloseTo(0.387, 3)
  expect(split.meanWaitSeconds * 1000).toBeCloseTo(17.2, 1)
  expect(waitsLongerThan(300 / 8, 0.05, 3, 0.1)).toBeCloseTo(0.041, 3)
})

test('W10b: connections for at most 1 % that wait over 100 ms', () => {
  expect(fewestServers(300, 0.05, 0.1)).toBe(17)
  expect(8 * fewestServers(300 / 8, 0.05, 0.1)).toBe(32)
  const load: Load = {
    ratePerSecond: 300,
    serviceTimeSeconds: 0.05,
    cv2: 1,
    sloWaitMs: 100,
    expectedConcurrent: null,
    maxConcurrent: null,
  }
  const split = service({ instances: instances(8), pool: pool({ max: 3 }), load })
  expect(judgeQueue(split, [])).toMatchObject([
    { code: 'QUEUE_WAIT', severity: 'error', hint: 'pool.max: 4 for each of 8 pools, or 17 in one shared pool' },
  ])
  expect(judgeQueue(service({ pool: pool({ max: 24 }), load }), [])).toEqual([])
})

test('W11: more work than connections is unstable, whatever the timeout', () => {
  expect(queue(500, 0.05, 24)).toMatchObject({ stable: false, waits: 1, meanWaitSeconds: Infinity })
  expect(queue(500, 0.05, 24).utilization).toBeCloseTo(1.042, 3)
  const load: Load = {
    ratePerSecond: 500,
    serviceTimeSeconds: 0.05,
    cv2: 1,
    sloWaitMs: null,
    expectedConcurrent: null,
    maxConcurrent: null,
  }
  const found = judgeQueue(service({ pool: pool({ max: 24, acquireTimeoutMs: 10_000 }), load }), [])
  expect(found).toMatchObject([{ code: 'QUEUE_UNSTABLE', severity: 'error' }])
})

test('W12: the rule for audit workers asks for ten times too many, each with a connection', () => {
  expect(auditWorkersByRule(40)).toBe(20)
  const effect = auditEffect(40, 0.02, 20, { queue: 100, burst: 2000 })
  expect(effect.utilization).toBeCloseTo(0.04, 6)
  expect(effect).toMatchObject({ enough: 2, fillSeconds: 0.1 })
  const audit = {
    workers: 20,
    queue: null,
    ratePerSecond: 40,
    burstPerSecond: null,
    serviceTimeSeconds: 0.02,
    ownConnections: true,
    bounded: true,
  }
  const api = service({ instances: instances(4), runtime: runtime({ processes: 4 }), pool: pool({ max: 5 }), audit })
  expect(look(deployment({ services: [api] })).peak).toBe(400)
})

test('W13: a cache in each of 16 processes misses the 90 % that one would reach', () => {
  expect(hitRatio(1 / 60, 900, 1)).toBeCloseTo(0.938, 3)
  expect(hitRatio(1 / 60, 900, 16)).toBeCloseTo(0.484, 3)
  expect(ttlForHitRatio(0.9, 1 / 60, 16)).toBeCloseTo(8640, 6)
  expect(averageSpeedup(0.8, 0.08, 22)).toBeCloseTo(4.9, 1)
})

test('W14: a thousand functions on the smallest Neon, directly and through its pooler', () => {
  const neon = server({ maxConnections: null, provider: { name: 'neon', size: '0.25' } })
  const functions = service({ runtime: runtime({ kind: 'serverless', maxConcurrency: 1000 }), pool: pool({ max: 1 }) })
  expect(look(deployment({ servers: [neon], services: [functions] }))).toMatchObject({
    capacity: 97,
    peak: 1000,
    verdict: 'FAIL',
  })
  const pooled = { ...functions, via: { kind: 'pooler' as const, pooler: 'pgb' } }
  expect(
    look(deployment({ servers: [neon], services: [pooled], poolers: [pooler({ defaultPoolSize: 93 })] })),
  ).toMatchObject({ peak: 93, verdict: 'WARN' })
})

test('W15: memory of 200 connections, 40 of them active', () => {
  const mb = 1024 ** 2
  const settings = {
    sharedBuffers: 4096 * mb,
    workMem: 64 * mb,
    maintenanceWorkMem: 64 * mb,
    autovacuumWorkers: 3,
    hashMemMultiplier: 2,
    workersPerGather: 0,
    parallelWorkers: 8,
  }
  const { expected, worst } = memoryNeed(settings, 200, 40)
  expect([expected / mb, worst / mb]).toEqual([10_408, 56_488])
  const big = (memoryBytes: number) =>
    deployment({
      servers: [server({ maxConnections: 300, memoryBytes, memorySettings: settings })],
      services: [service({ pool: pool({ max: 200 }) })],
    })
  expect(look(big(8192 * mb)).codes).toEqual(['MEMORY_OVER'])
  expect(look(big(8192 * mb)).verdict).toBe('FAIL')
  expect(look(big(16_384 * mb)).verdict).toBe('WARN')
  expect(look(big(65_536 * mb)).verdict).toBe('OK')
})

test('W16: ten threads that take three connections each may lock each other out of 20', () => {
  const greedy = (max: number) =>
    service({ runtime: runtime({ threads: 10 }), connectionsPerRequest: 3, pool: pool({ max }) })
  expect(judgeService(greedy(20), [])).toMatchObject([
    { code: 'POOL_LOCKING', severity: 'error', hint: 'pool.max: 21' },
  ])
  expect(judgeService(greedy(21), [])).toEqual([])
})
