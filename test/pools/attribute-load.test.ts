import { expect, test } from 'vitest'
import { withMeasuredLoad } from '../../src/pools/server/attribute-load.js'
import { queueLine } from '../../src/pools/judge/judge-queue.js'
import type { Deployment } from '../../src/pools/sums/model.js'
import type { SessionGroup } from '../../src/pools/server/sessions.js'
import { deployment, instances, liveServer, pool, pooler, server, service, tenant } from './builders.js'

const load = { erlangs: 4, transactionsPerSecond: 80, sessionsPerSecond: 0, seconds: 10 }

function group(applicationName: string | null, busy: number, more: Partial<SessionGroup> = {}): SessionGroup {
  return { role: 'app', database: 'app', applicationName, connections: 10, busy, hidden: 0, ...more }
}

function measured(written: Deployment, groups: readonly SessionGroup[], loads = { app: load }) {
  const live = liveServer({ load: loads, samples: [{ groups, authenticating: 0 }] })
  const { deployment: told, findings } = withMeasuredLoad(written, new Map([['main', live]]))
  return {
    loads: Object.fromEntries(told.services.map((one) => [one.name, one.load])),
    poolers: told.poolers,
    findings,
  }
}

const api = service({ name: 'api', applicationName: 'api' })
const worker = service({ name: 'worker', applicationName: 'worker' })

test('a database of one service is all its own, however seldom it was seen busy', () => {
  const { loads, findings } = measured(deployment({ services: [api] }), [group('api', 0)])
  expect(loads['api']).toMatchObject({ ratePerSecond: 80, serviceTimeSeconds: 0.05, measuredSeconds: 10 })
  expect(findings).toEqual([])
})

test('several services on one database have their parts, as they were seen busy', () => {
  const { loads, findings } = measured(deployment({ services: [api, worker] }), [group('api', 15), group('worker', 5)])
  expect(loads['api']).toMatchObject({ ratePerSecond: 60, serviceTimeSeconds: 0.05 })
  expect(loads['worker']).toMatchObject({ ratePerSecond: 20, serviceTimeSeconds: 0.05 })
  expect(findings).toEqual([])
})

test('what strangers do is not the load of the only service', () => {
  const { loads } = measured(deployment({ services: [api] }), [group('api', 5), group('psql', 15, { role: 'dba' })])
  expect(loads['api']).toMatchObject({ ratePerSecond: 20, serviceTimeSeconds: 0.05 })
})

test('why a part cannot be told is said of each service', () => {
  const twins = deployment({ services: [service({ name: 'a' }), service({ name: 'b' }), service({ name: 'c' })] })
  const same = measured(twins, [group('x', 20)])
  expect(same.loads).toEqual({ a: null, b: null, c: null })
  expect(same.findings).toHaveLength(3)
  expect(same.findings[0]).toMatchObject({
    code: 'LOAD_UNKNOWN',
    severity: 'info',
    service: 'a',
    message:
      'a: its part of the 4.0 connections that are busy on app is not known: b, c have sessions that look the same',
  })
  const seldom = measured(deployment({ services: [api, worker] }), [group('api', 3), group('worker', 1)])
  expect(seldom.findings.map((one) => one.message)).toEqual([
    expect.stringContaining('seen busy too seldom (4 times in all)'),
    expect.stringContaining('seen busy too seldom'),
  ])
  const hidden = measured(deployment({ services: [api] }), [
    group('api', 9),
    group(null, 0, { role: 'bi', connections: 0, hidden: 3 }),
  ])
  expect(hidden.findings).toMatchObject([{ message: expect.stringContaining('other sessions are hidden') }])
  const idle = measured(twins, [group('x', 20)], { app: { ...load, erlangs: 0.01 } })
  expect(idle.findings).toEqual([])
})

test('a declared load is never replaced', () => {
  const declared = { ratePerSecond: 5, serviceTimeSeconds: 0.1, cv2: 1, sloWaitMs: null }
  const own = { ...declared, expectedConcurrent: null, maxConcurrent: null }
  const { loads } = measured(deployment({ services: [{ ...api, load: own }] }), [group('api', 9)])
  expect(loads['api']).toEqual(own)
})

test('a pool for each tenant adds up what their databases do', () => {
  const shared = service({ name: 'api', database: null, role: null, pool: pool({ perTenant: true }) })
  const tenants = ['x', 'y'].map((id) => tenant(id))
  const groups = ['x', 'y'].map((id) => group('any', 9, { role: `app_${id}`, database: id }))
  const written = deployment({ services: [shared], tenants })
  const live = liveServer({ load: { x: load, y: load }, samples: [{ groups, authenticating: 0 }] })
  const told = withMeasuredLoad(written, new Map([['main', live]])).deployment.services[0]
  expect(told?.load).toMatchObject({ ratePerSecond: 160, serviceTimeSeconds: 0.05 })
  expect(told && queueLine(told, tenants)).toMatchObject({ pools: 2, rate: 160 })
})

test('the pool of a pooler without a console has the load that its server measured, by replica', () => {
  const alias = { server: 'main', database: 'app', user: null, poolSize: null, reservePoolSize: null, users: [] }
  const through = service({ name: 'api', via: { kind: 'pooler', pooler: 'pgb' }, instances: instances(2) })
  const of = (names: readonly string[]) =>
    measured(
      deployment({
        servers: [server()],
        services: [through],
        poolers: [pooler({ replicas: 2, aliases: names.map((name) => ({ name, ...alias })) })],
      }),
      [group('', 9)],
    )
  expect(of(['app']).poolers[0]?.aliases[0]?.load).toEqual({
    ratePerSecond: 40,
    serviceTimeSeconds: 0.05,
    measuredSeconds: 10,
  })
  expect(of(['app', 'twin']).poolers[0]?.aliases.map((one) => one.load)).toEqual([undefined, undefined])
})
