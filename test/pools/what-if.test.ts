import { describe, expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/check-pool.js'
import { PerfdbError } from '../../src/errors.js'
import { withChanges } from '../../src/pools/what-if.js'
import { estate, instances, pool, pooler, runtime, server, service } from './builders.js'

const api = service({
  name: 'api',
  instances: instances(4),
  pool: pool({ min: 5, max: 10 }),
  runtime: runtime({ processes: 2 }),
})
const written = estate({ services: [api, service({ name: 'eu.west.job' })], poolers: [pooler()] })

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
  const rule = estate({ services: [{ ...api, pool: pool({ max: 12, policyFactor: 6 }) }] })
  expect(withChanges(rule, ['api.processes=4']).services[0]).toMatchObject({ pool: { max: 24 } })
  const edge = estate({ services: [{ ...api, runtime: runtime({ kind: 'serverless', maxConcurrency: 100 }) }] })
  expect(withChanges(edge, ['api.instances=7']).services[0]).toMatchObject({ runtime: { maxConcurrency: 7 } })
  expect(withChanges(written, ['api.instances=6', 'api.pool.max=2']).services[0]).toMatchObject({
    instances: { max: 6 },
    pool: { max: 2 },
  })
})

describe('a change that cannot be made', () => {
  test.each([
    ['apo.instances=6', 'did you mean api?'],
    ['api.size=6', 'size cannot be changed here'],
    ['api.instances=many', 'many is no whole number'],
    ['api.instances=-1', 'is no whole number'],
    ['api.deploy.strategy=hope', 'there is no strategy hope'],
    ['pgb.instances=2', 'instances cannot be changed here'],
    ['instances', 'the form is NAME.KEY=VALUE'],
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
  const fits = estate({ servers: [server()], services: [service({ name: 'api', instances: instances(4) })] })
  const result = await runCheckPool([{ ...fits, file: 'test.pools.yaml', findings: [] }], {
    offline: true,
    failOn: 'fail',
    environment: {},
    whatIf: ['api.instances=12'],
  })
  expect(result).toMatchObject({
    exit_code: 1,
    what_if: ['api.instances=12'],
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
