import { describe, expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/pool/check-pool.js'
import { PerfdbError } from '../../src/errors.js'
import { withChanges } from '../../src/pools/what-if/what-if.js'
import { budgets } from '../../src/pools/judge/budget.js'
import { deployment, instances, liveServer, pool, pooler, runtime, server, service, tenant } from './builders.js'

const api = service({
  name: 'api',
  instances: instances(4),
  pool: pool({ min: 5, max: 10 }),
  runtime: runtime({ processes: 2 }),
})
const written = deployment({ services: [api, service({ name: 'eu.west.job' })], poolers: [pooler()] })

test.each([
  ['api.instances=6', { instances: { desired: 6, max: 6 } }],
  ['api.instances.max=2', { instances: { desired: 2, max: 2 } }],
  ['api.instances.desired=9', { instances: { desired: 9, max: 9 } }],
  ['api.max=3', { pool: { min: 3, max: 3 } }],
  ['api.pool.max=30', { pool: { min: 5, max: 30 } }],
  ['api.processes=8', { runtime: { processes: 8 }, pool: { max: 10 } }],
  ['api.deploy.strategy=blue_green', { deploy: { strategy: 'blue_green' } }],
  ['api.deploy.strategy=rolling', { deploy: { strategy: 'rolling', maxSurge: { percent: 25 } } }],
])('%s', (change, expected) => {
  expect(withChanges(written, [change]).services[0]).toMatchObject(expected)
})

test('names with dots, poolers, a rule of workers, functions, several changes', () => {
  expect(withChanges(written, ['eu.west.job.pool.max=2']).services[1]).toMatchObject({ pool: { max: 2 } })
  expect(withChanges(written, ['pgb.default_pool_size=5']).poolers[0]).toMatchObject({ defaultPoolSize: 5 })
  const rule = deployment({ services: [{ ...api, pool: pool({ max: 12, policyFactor: 6 }) }] })
  expect(withChanges(rule, ['api.processes=4']).services[0]).toMatchObject({ pool: { max: 24 } })
  const edge = deployment({ services: [{ ...api, runtime: runtime({ kind: 'serverless', maxConcurrency: 100 }) }] })
  expect(() => withChanges(edge, ['api.instances.max=7'])).toThrow('its key is runtime.max_concurrency')
  expect(withChanges(edge, ['api.runtime.max_concurrency=7']).services[0]).toMatchObject({
    runtime: { maxConcurrency: 7 },
  })
  expect(withChanges(written, ['api.instances=6', 'api.pool.max=2']).services[0]).toMatchObject({
    instances: { max: 6 },
    pool: { max: 2 },
  })
})

test.each([
  ['main.max_connections=300', { assumed: { maxConnections: 300 } }],
  ['main.superuser_reserved_connections=5', { assumed: { superuserReserved: 5 } }],
  ['main.reserved_connections=10', { assumed: { reserved: 10 } }],
  ['main.other_connections=7', { otherConnections: 7 }],
  ['main.perfdb_connections=0', { perfdbConnections: 0 }],
])('of a server: %s', (change, expected) => {
  expect(withChanges(written, [change]).servers[0]).toMatchObject(expected)
})

test('a service and a server of one name: the key tells which is meant', () => {
  const both = deployment({ services: [service({ name: 'main' })] })
  expect(withChanges(both, ['main.max_connections=300']).servers[0]?.assumed).toEqual({ maxConnections: 300 })
  expect(withChanges(both, ['main.instances=3']).services[0]?.instances.max).toBe(3)
})

test('of a rollout: the declared surge stays until it is changed', () => {
  const half = { percent: 50 }
  const deploy = {
    strategy: 'rolling',
    maxSurge: half,
    maxUnavailable: half,
    countTerminating: true,
    endsQuickly: true,
  } as const
  const rolled = deployment({ services: [{ ...api, deploy }] })
  const changed = (change: string) => withChanges(rolled, [change]).services[0]?.deploy
  expect(changed('api.deploy.strategy=rolling')).toEqual(deploy)
  expect(changed('api.deploy.max_surge=1')).toEqual({ ...deploy, maxSurge: { instances: 1 } })
  expect(changed('api.deploy.max_unavailable=0%')).toEqual({ ...deploy, maxUnavailable: { percent: 0 } })
  expect(withChanges(written, ['pgb.max_db_connections=9']).poolers[0]?.maxDbConnections).toEqual({ '*': 9 })
  expect(withChanges(written, ['pgb.max_user_connections=9']).poolers[0]?.maxUserConnections).toEqual({ '*': 9 })
})

test('so many tenants: as they are spread now, each server to the full', () => {
  const homes = ['a', 'a', 'a', 'b'].map((name, index) => tenant(`t${index}`, { server: name }))
  const fleet = deployment({
    servers: [server({ name: 'a' }), server({ name: 'b' })],
    services: [service({ name: 'fleet', server: null, pool: pool({ max: 2, perTenant: true }) })],
    tenants: homes,
  })
  const peaks = (change: string) => budgets(withChanges(fleet, [change])).map((one) => one.declared.peak)
  expect(peaks('tenants=4')).toEqual([6, 2])
  expect(peaks('tenants=8')).toEqual([12, 4])
  expect(peaks('tenants=9')).toEqual([14, 6])
  expect(peaks('tenants=20000')).toEqual([30_000, 10_000])
  expect(peaks('tenants=2')).toEqual([4, 2])
  expect(peaks('tenants=0')).toEqual([0, 0])
  expect(withChanges(fleet, ['tenants=9']).tenants.slice(5, 7)).toMatchObject([
    { id: 'tenant 6 of a', server: 'a', database: null, role: null },
    { id: 'tenant 7 of a' },
  ])
})

test('what a server would have counts against what it has now', () => {
  const live = new Map([['main', liveServer()]])
  const capacityWith = (...changes: readonly string[]) => {
    const [budget] = budgets(withChanges(deployment({ servers: [server({ maxConnections: 90 })] }), changes), live)
    return budget?.capacity
  }
  expect(capacityWith()).toBe(97)
  expect(capacityWith('main.max_connections=300')).toBe(297)
  expect(capacityWith('main.max_connections=300', 'main.reserved_connections=7')).toBe(290)
  const unknown = deployment({ servers: [server({ maxConnections: null })] })
  expect(budgets(withChanges(unknown, ['main.max_connections=50']))[0]?.capacity).toBe(47)
})

describe('a change that cannot be made', () => {
  test.each([
    ['apo.instances=6', 'did you mean api?'],
    ['api.size=6', 'size cannot be changed here'],
    ['api.instances=many', 'many is not a whole number'],
    ['api.instances=-1', 'is not a whole number'],
    ['api.deploy.strategy=hope', 'there is no strategy hope'],
    ['pgb.instances=2', 'instances cannot be changed here'],
    ['main.size=2', 'size cannot be changed here'],
    ['main.reserved_connections=97', 'the reserved connections of main leave none of 100'],
    ['api.deploy.max_surge=some', 'some is not a whole number'],
    ['instances', 'the form is NAME.KEY=VALUE'],
    ['api.pool.max=0', '0 is not possible here'],
    ['api.processes=0', '0 is not possible here'],
    ['pgb.default_pool_size=0', '0 is not possible here'],
    ['main.max_connections=0', '0 is not possible here'],
    ['tenants=many', 'many is not a whole number'],
    ['tenants=20000', 'no service has a pool for each tenant'],
  ])('%s', (change, message) => {
    const attempt = () => withChanges(written, [change])
    expect(attempt).toThrow(PerfdbError)
    expect(attempt).toThrow(message)
    try {
      attempt()
    } catch (error) {
      expect(error).toMatchObject({ code: 'BAD_OPTION' })
    }
  })
})

test('the document tells what was declared beside what would be', async () => {
  const fits = deployment({ servers: [server()], services: [service({ name: 'api', instances: instances(4) })] })
  const result = await runCheckPool([{ ...fits, file: 'test.pools.yaml', findings: [] }], {
    offline: true,
    failOn: 'fail',
    environment: {},
    whatIf: ['api.instances=12'],
  })
  expect(result).toMatchObject({
    exit_code: 1,
    what_if: ['api.instances=12'],
    changed: [
      { name: 'api', key: 'instances.desired', from: '4', to: '12' },
      { name: 'api', key: 'instances.max', from: '4', to: '12' },
    ],
    servers: [
      {
        verdict: 'FAIL',
        declared: { peak: 120 },
        headroom: -23,
        before: { peak: 40, headroom: 57, verdict: 'OK' },
        changes: [
          { name: 'api', change: 'pool.max', now: 10, largest: 6 },
          { name: 'api', change: 'instances.max', now: 12, largest: 7 },
        ],
      },
    ],
  })
})
