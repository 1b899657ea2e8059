import { expect, test } from 'vitest'
import { budgets } from '../../src/pools/judge/budget.js'
import { judge } from '../../src/pools/judge/judge.js'
import { judgeReplica } from '../../src/pools/judge/judge-replica.js'
import { judgeService } from '../../src/pools/judge/judge-service.js'
import type { Audit } from '../../src/pools/sums/audit.js'
import type { Cache } from '../../src/pools/sums/cache.js'
import type { Deployment, Load, PoolFinding } from '../../src/pools/sums/model.js'
import { providerLimits } from '../../src/pools/sums/providers.js'
import { deployment, instances, pool, pooler, runtime, server, service } from './builders.js'

function findings(written: Deployment): readonly PoolFinding[] {
  return budgets(written).flatMap((budget) => judge(budget, written))
}

function told(found: readonly PoolFinding[]): readonly string[] {
  return found.map((one) => `${one.code} ${one.severity}`)
}

const throughPooler = { via: { kind: 'pooler' as const, pooler: 'pgb' } }
const load: Load = {
  ratePerSecond: 300,
  serviceTimeSeconds: 0.05,
  cv2: 1,
  sloWaitMs: 100,
  expectedConcurrent: null,
  maxConcurrent: null,
}

test('session mode: a client without a server connection gets none', () => {
  const clients = service({ ...throughPooler, instances: instances(2), pool: pool({ max: 15 }) })
  const pools = { services: [clients], poolers: [pooler({ poolMode: 'session', defaultPoolSize: 25 })] }
  expect(told(findings(deployment(pools)))).toContain('POOLER_SESSION error')
  expect(
    told(findings(deployment({ ...pools, poolers: [pooler({ poolMode: 'session', defaultPoolSize: 30 })] }))),
  ).not.toContain('POOLER_SESSION error')
})

test('clients of a pooler: over max_client_conn fails, over that of the replicas that stay warns', () => {
  const clients = (count: number) =>
    deployment({
      services: [service({ ...throughPooler, instances: instances(count), pool: pool({ max: 10 }) })],
      poolers: [pooler({ replicas: 2, maxClientConn: 100, defaultPoolSize: 5 })],
    })
  expect(told(findings(clients(10)))).toEqual([])
  expect(told(findings(clients(11)))).toEqual(['POOLER_CLIENTS warning'])
  expect(told(findings(clients(21)))).toEqual(['POOLER_CLIENTS error'])
})

test('a pooler that sends its clients to another server is told, and counted there', () => {
  const alias = {
    name: 'app',
    server: 'other',
    database: 'app',
    user: null,
    poolSize: 7,
    reservePoolSize: null,
    users: [],
  }
  const written = deployment({
    servers: [server(), server({ name: 'other' })],
    services: [service(throughPooler)],
    poolers: [pooler({ aliases: [alias] })],
  })
  expect(findings(written)).toMatchObject([{ code: 'POOLER_MISMATCH', server: 'other', service: 'web' }])
  expect(budgets(written).map((budget) => budget.total.peak)).toEqual([0, 7])
})

test('the line before a shared pool is judged with the load of all its services', () => {
  const half = { ...load, ratePerSecond: 150 }
  const services = ['a', 'b'].map((name) => service({ ...throughPooler, name, pool: pool({ max: 50 }), load: half }))
  const sized = (defaultPoolSize: number) =>
    findings(deployment({ services, poolers: [pooler({ defaultPoolSize })] })).filter((one) =>
      one.code.startsWith('QUEUE'),
    )
  expect(sized(20)).toEqual([])
  expect(sized(16)).toMatchObject([
    {
      code: 'QUEUE_WAIT',
      severity: 'error',
      hint: 'default_pool_size: 17',
    },
  ])
  expect(sized(15)).toMatchObject([{ code: 'QUEUE_UNSTABLE', severity: 'error' }])
})

test('a cache: dilution over processes, room for the users, staleness', () => {
  const cache: Cache = {
    kind: 'in_process',
    maxsize: 1000,
    ttlSeconds: 900,
    activeUsers: 400,
    ratePerUserPerSecond: 1 / 60,
    queriesPerMiss: 3,
    maxStalenessSeconds: null,
    entryBytes: null,
    hitMs: null,
    missMs: null,
  }
  const cached = (written: Partial<Cache>, count = 4) =>
    judgeService(
      service({ instances: instances(count), runtime: runtime({ processes: 4 }), cache: { ...cache, ...written } }),
      [],
    )
  expect(cached({})).toMatchObject([
    {
      code: 'CACHE_HIT',
      severity: 'warning',
      message: expect.stringContaining('48.4 %'),
      hint: 'one shared cache, or ttl: 8640s for 90 %',
    },
  ])
  expect(told(cached({ kind: 'shared' }))).toEqual([])
  expect(told(cached({ kind: 'shared', maxsize: 799 }))).toEqual(['CACHE_SIZE warning'])
  expect(told(cached({ kind: 'shared', maxsize: 399 }))).toEqual(['CACHE_SIZE error'])
  expect(told(cached({ kind: 'shared', maxStalenessSeconds: 899 }))).toEqual(['CACHE_STALE error'])
})

test('an audit executor: unbounded, overrun, oversized', () => {
  const audit: Audit = {
    workers: 2,
    queue: 100,
    ratePerSecond: 40,
    burstPerSecond: null,
    serviceTimeSeconds: 0.02,
    ownConnections: false,
    bounded: true,
  }
  const audited = (written: Partial<Audit>) => told(judgeService(service({ audit: { ...audit, ...written } }), []))
  expect(audited({})).toEqual(['AUDIT_AT_RISK info'])
  expect(audited({ bounded: false })).toEqual(['AUDIT_UNBOUNDED error'])
  expect(audited({ ratePerSecond: 100, queue: null })).toEqual(['AUDIT_QUEUE error'])
  expect(audited({ burstPerSecond: 200 })).toEqual(['AUDIT_AT_RISK info', 'AUDIT_QUEUE warning'])
  expect(audited({ workers: 20, queue: null, ownConnections: true })).toEqual(['AUDIT_OVERSIZED warning'])
})

test('waiting longer for a connection than the request lives is useless', () => {
  const patient = (requestTimeoutMs: number) =>
    told(judgeService(service({ pool: pool({ acquireTimeoutMs: 10_000 }), requestTimeoutMs }), []))
  expect(patient(5000)).toEqual(['ACQUIRE_TIMEOUT warning'])
  expect(patient(10_000)).toEqual([])
})

test('a rollout that nobody declared is that of Kubernetes, and said once for all services', () => {
  const quarter = { percent: 25 }
  const deploy = {
    strategy: 'rolling',
    maxSurge: quarter,
    maxUnavailable: quarter,
    countTerminating: true,
    endsQuickly: false,
    assumed: true,
  } as const
  const two = ['api', 'web'].map((name) => service({ name, deploy, instances: instances(2), pool: pool({ max: 10 }) }))
  expect(findings(deployment({ services: two })).filter((one) => one.code === 'DEPLOY_UNDECLARED')).toMatchObject([
    { severity: 'info', message: expect.stringMatching(/^api, web: .* hold 40 connections/) },
  ])
})

test('a replica must allow what its primary allows', () => {
  const all = budgets(
    deployment({ servers: [server(), server({ name: 'copy', of: 'main', role: 'replica', maxConnections: 90 })] }),
  )
  expect(all.flatMap((budget) => judgeReplica(budget, all))).toMatchObject([
    { code: 'REPLICA_LIMIT', severity: 'error', server: 'copy' },
  ])
})

test('superusers use the reserve, and no limit of a role or a database binds them', () => {
  const roles = { app: { kind: 'superuser' as const, connectionLimit: 1 } }
  const written = deployment({
    servers: [server({ roles, databases: { app: 1 } })],
    services: [service({ deploy: { strategy: 'recreate' }, pool: pool({ max: 80 }) })],
  })
  expect(budgets(written)[0]?.capacity).toBe(100)
  expect(findings(written)).toEqual([])
  const mixed = deployment({
    servers: [server({ roles })],
    services: [service({ pool: pool({ max: 80 }) }), service({ name: 'b', role: 'other', pool: pool({ max: 1 }) })],
  })
  expect(budgets(mixed)[0]?.capacity).toBe(97)
})

test('limits of providers', () => {
  expect(providerLimits('Supabase', '2XL')).toMatchObject({ maxConnections: 380, poolerClients: 1500 })
  expect(providerLimits('neon', '0.25')).toMatchObject({
    maxConnections: 104,
    superuserReserved: 7,
    poolerPoolSize: 93,
  })
  expect(providerLimits('neon', '12 CU')).toMatchObject({ maxConnections: 4000 })
  expect(providerLimits('neon', 'huge')).toBeNull()
  expect(providerLimits('rds', 'db.t3.huge')).toBeNull()
})
