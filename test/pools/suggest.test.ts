import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/pool/check-pool.js'
import type { Service } from '../../src/pools/sums/model.js'
import { instances, deployment, pool, pooler, runtime, server, service } from './builders.js'

const load = (ratePerSecond: number): Service['load'] => ({
  ratePerSecond,
  serviceTimeSeconds: 0.1,
  cv2: 1,
  sloWaitMs: null,
  expectedConcurrent: null,
  maxConcurrent: null,
})

async function suggestion(services: readonly Service[], poolers = [pooler()]) {
  const file = {
    ...deployment({ servers: [server({ maxConnections: 103 })], services, poolers }),
    file: 'a.pools.yaml',
    findings: [],
  }
  const options = { offline: true, failOn: 'fail', environment: {}, suggest: true } as const
  return (await runCheckPool([file], options)).suggestion
}

const big = (name: string, written: Partial<Service> = {}) =>
  service({ name, instances: instances(2), pool: pool({ max: 50 }), ...written })

test('evenly where nobody declares a load, by load where somebody does, and the YAML is what a file takes', async () => {
  // 100 slots, 80 to divide: 20 a pool of two services with two instances each.
  const even = await suggestion([big('a'), big('b.c')])
  expect(even).toMatchObject({ verdict: 'OK', what_if: ['a.pool.max=20', 'b.c.pool.max=20'] })
  expect(even?.servers).toMatchObject([{ connections: 80, peak: 80, reason: null }])
  expect(parse(even?.yaml ?? '')).toEqual({ services: { a: { pool: { max: 20 } }, 'b.c': { pool: { max: 20 } } } })
  // 3 to 1 of the load; one without a declaration has the average.
  const loaded = await suggestion([big('a', { load: load(150) }), big('b', { load: load(50) })])
  expect(loaded?.what_if).toEqual(['a.pool.max=30', 'b.pool.max=10'])
  const mixed = await suggestion([big('a', { load: load(150) }), big('b', { load: load(50) }), big('c')])
  expect(mixed?.what_if).toEqual(['a.pool.max=20', 'b.pool.max=7', 'c.pool.max=13'])
})

test('no size is below what threads and the queue need; what does not fit says why', async () => {
  const threads = big('a', { runtime: runtime({ threads: 30 }) })
  expect((await suggestion([threads, big('b')]))?.what_if).toEqual(['a.pool.max=30', 'b.pool.max=10'])
  const none = await suggestion([big('a', { load: load(900) }), big('b', { load: load(900) })])
  expect(none).toMatchObject({ yaml: '', what_if: [], verdict: 'FAIL' })
  expect(none?.servers[0]?.reason).toContain('the smallest sizes that threads and load allow take')
})

test('a pooler has its key, and no more connections than it has clients', async () => {
  const clients = big('a', { via: { kind: 'pooler', pooler: 'pgb' }, pool: pool({ max: 5 }) })
  const sizes = await suggestion([clients, big('b')], [pooler({ defaultPoolSize: 60, reservePoolSize: 0 })])
  expect(sizes?.what_if).toEqual(['b.pool.max=35', 'pgb.default_pool_size=10'])
  expect(parse(sizes?.yaml ?? '')).toMatchObject({ poolers: { pgb: { default_pool_size: 10 } } })
})
