import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { budgets } from '../../src/pools/judge/budget.js'
import { maxFlow, type Edge } from '../../src/pools/sums/flow.js'
import { judgeWithoutRemedies, verdictOf } from '../../src/pools/judge/judge.js'
import { isBetter, isNoWorse, troublesOf } from '../../src/pools/judge/troubles.js'
import { withChanges } from '../../src/pools/what-if/what-if.js'
import type { Deploy, Deployment, Service } from '../../src/pools/sums/model.js'
import { fewestServers, waitsLongerThan } from '../../src/pools/sums/queue.js'
import { recommendations } from '../../src/pools/judge/recommend.js'
import { peakInstances } from '../../src/pools/sums/rollout.js'
import { waterfall } from '../../src/pools/judge/waterfall.js'
import { changesOf, suggest } from '../../src/pools/judge/suggest.js'
import { remedyJudge } from '../../src/pools/judge/judged-remedies.js'
import { judgeService } from '../../src/pools/judge/judge-service.js'
import { deployment, pool, pooler, runtime, server, service, tenant } from './builders.js'

const small = (max: number) => fc.integer({ min: 1, max })
const anyShare = fc.oneof(
  fc.record({ percent: fc.integer({ min: 0, max: 100 }) }),
  fc.record({ instances: fc.integer({ min: 0, max: 5 }) }),
)
const anyDeploy: fc.Arbitrary<Deploy> = fc.oneof(
  fc.constantFrom<Deploy>({ strategy: 'none' }, { strategy: 'recreate' }, { strategy: 'blue_green' }),
  fc.record({ strategy: fc.constant('canary' as const), share: anyShare }),
  fc.record({
    strategy: fc.constant('rolling' as const),
    maxSurge: anyShare,
    maxUnavailable: anyShare,
    countTerminating: fc.boolean(),
    endsQuickly: fc.boolean(),
  }),
)
const anyService = fc
  .record({
    count: small(6),
    processes: small(6),
    threads: fc.option(small(10)),
    scope: fc.constantFrom('process' as const, 'instance' as const),
    min: fc.integer({ min: 0, max: 10 }),
    more: small(20),
    maxOverflow: fc.integer({ min: 0, max: 5 }),
    eager: fc.boolean(),
    perTenant: fc.boolean(),
    pooled: fc.boolean(),
    connectionsPerRequest: small(3),
    extraConnections: fc.integer({ min: 0, max: 2 }),
    role: fc.constantFrom('app', 'web'),
    deploy: anyDeploy,
    rate: fc.option(small(400)),
    millis: small(200),
  })
  .map((made): Service =>
    service({
      ...made,
      name: 'changed',
      load:
        made.rate === null
          ? null
          : {
              ratePerSecond: made.rate,
              serviceTimeSeconds: made.millis / 1000,
              cv2: 1,
              sloWaitMs: 100,
              expectedConcurrent: null,
              maxConcurrent: null,
            },
      via: made.pooled && !made.perTenant ? { kind: 'pooler', pooler: 'pgb' } : { kind: 'direct' },
      instances: { desired: made.count, max: made.count },
      runtime: runtime({ processes: made.processes, threads: made.threads, scope: made.scope }),
      pool: pool({
        min: made.min,
        max: made.min + made.more,
        maxOverflow: made.maxOverflow,
        eager: made.eager,
        perTenant: made.perTenant,
      }),
    }),
  )
const anyEstate = fc
  .record({
    services: fc.array(anyService, { minLength: 1, maxLength: 4 }),
    tenants: small(6),
    limit: fc.integer({ min: 20, max: 3000 }),
    other: fc.integer({ min: 0, max: 20 }),
    roleLimit: fc.option(small(500)),
  })
  .map(({ services, tenants, limit, other, roleLimit }): Deployment =>
    deployment({
      servers: [
        server({
          maxConnections: limit,
          otherConnections: other,
          reserved: 2,
          roles: { app: { kind: 'ordinary', connectionLimit: roleLimit } },
        }),
      ],
      tenants: Array.from({ length: tenants }, (_, index) =>
        tenant(`t${index}`, { role: index % 2 === 0 ? null : `r${index}` }),
      ),
      services: services.map((one, index) => ({ ...one, name: `s${index}` })),
      poolers: [pooler({ reservePoolSize: 3 })],
    }),
  )

function verdict(written: Deployment): string {
  return budgets(written)
    .map((budget) => verdictOf(budget, judgeWithoutRemedies(budget, written)))
    .join()
}

function peak(written: Deployment): number {
  return budgets(written).reduce((sum, budget) => sum + budget.total.peak, 0)
}

const order = ['OK', 'WARN', 'FAIL']

test('adding a tenant never makes a verdict better', () => {
  fc.assert(
    fc.property(anyEstate, (written) => {
      const more = { ...written, tenants: [...written.tenants, tenant('new')] }
      expect(order.indexOf(verdict(more))).toBeGreaterThanOrEqual(order.indexOf(verdict(written)))
    }),
  )
})

test('the peak never falls when instances, processes, threads or pools grow', () => {
  const grown = (one: Service): readonly Service[] => [
    { ...one, instances: { desired: one.instances.desired, max: one.instances.max + 1 } },
    { ...one, runtime: { ...one.runtime, processes: one.runtime.processes + 1 } },
    { ...one, runtime: { ...one.runtime, threads: one.runtime.threads === null ? null : one.runtime.threads + 1 } },
    { ...one, pool: { ...one.pool, max: one.pool.max + 1 } },
    { ...one, pool: { ...one.pool, min: one.pool.min + 1, max: Math.max(one.pool.max, one.pool.min + 1) } },
    { ...one, pool: { ...one.pool, maxOverflow: one.pool.maxOverflow + 1 } },
    { ...one, connectionsPerRequest: one.connectionsPerRequest + 1 },
  ]
  fc.assert(
    fc.property(anyEstate, (written) => {
      const [first, ...rest] = written.services
      if (first === undefined) return
      for (const one of grown(first))
        expect(peak({ ...written, services: [one, ...rest] })).toBeGreaterThanOrEqual(peak(written))
    }),
  )
})

test('steady is never over the peak, and a rollout never has fewer instances than run', () => {
  fc.assert(
    fc.property(anyEstate, (written) => {
      for (const { total } of budgets(written)) expect(total.steady).toBeLessThanOrEqual(total.peak)
    }),
  )
  fc.assert(fc.property(fc.integer({ min: 0, max: 100 }), anyDeploy, (n, deploy) => peakInstances(n, deploy) >= n))
})

test('each total of the waterfall is the sum of the lines above it, down to the headroom', () => {
  fc.assert(
    fc.property(anyEstate, (written) => {
      for (const budget of budgets(written)) {
        let sum = 0
        for (const line of waterfall(budget)) {
          if (line.total) expect(line.connections).toBe(sum)
          else sum += line.connections
        }
        expect(sum).toBe(budget.capacity - budget.total.peak)
      }
    }),
  )
})

test('every remedy, made as --what-if makes it, leaves nothing worse; of a server that is short it makes the slots fit', () => {
  let judged = 0
  fc.assert(
    fc.property(anyEstate, (written) => {
      const before = troublesOf(written, new Map(), judgeWithoutRemedies)
      for (const budget of budgets(written)) {
        const short = budget.total.peak > budget.server.warnAt * budget.capacity
        for (const { whatIf, largest } of recommendations(budget, written, judgeWithoutRemedies)) {
          if (largest === null) continue
          const changed = withChanges(written, whatIf)
          const after = troublesOf(changed, new Map(), judgeWithoutRemedies)
          expect(isNoWorse(before, after)).toBe(true)
          if (!short) continue
          judged += 1
          expect(isBetter(before, after)).toBe(true)
          expect(after.has(JSON.stringify(['slots', budget.server.name]))).toBe(false)
        }
      }
    }),
    { numRuns: 60 },
  )
  expect(judged).toBeGreaterThan(10)
})

test('every remedy of a finding that becomes its hint leaves nothing worse and something better', () => {
  let [named, refused] = [0, 0]
  fc.assert(
    fc.property(anyEstate, (written) => {
      const before = troublesOf(written, new Map(), judgeWithoutRemedies)
      const withHint = remedyJudge(written, new Map())
      const findings = [
        ...written.services.flatMap((one) => judgeService(one, written.tenants)),
        ...budgets(written).flatMap((budget) => judgeWithoutRemedies(budget, written)),
      ]
      for (const finding of findings) {
        const { hint = '' } = withHint(finding)
        for (const { text, change } of finding.remedies ?? []) {
          if (!hint.includes(text)) {
            refused += 1
            continue
          }
          named += 1
          expect(isBetter(before, troublesOf(withChanges(written, [change]), new Map(), judgeWithoutRemedies))).toBe(
            true,
          )
        }
      }
    }),
    { numRuns: 200 },
  )
  expect(named).toBeGreaterThan(10)
  expect(refused).toBeGreaterThan(10)
})

test('suggested sizes together leave nothing worse and the peak within the warning share; what fits no sizes says why', () => {
  let [divided, refused] = [0, 0]
  fc.assert(
    fc.property(anyEstate, (written) => {
      const [one] = suggest(written, budgets(written))
      if (one?.reason !== null) {
        refused += 1
        expect(one?.sizes).toEqual([])
        return
      }
      divided += 1
      const changed = withChanges(written, changesOf(one.sizes))
      const before = troublesOf(written, new Map(), judgeWithoutRemedies)
      expect(isNoWorse(before, troublesOf(changed, new Map(), judgeWithoutRemedies))).toBe(true)
      for (const { total, server: of, capacity } of budgets(changed))
        expect(total.peak).toBeLessThanOrEqual(of.warnAt * capacity)
    }),
    { numRuns: 100 },
  )
  expect(divided).toBeGreaterThan(10)
  expect(refused).toBeGreaterThan(5)
})

test('the largest flow is the smallest cut', () => {
  const users = ['u1', 'u2', 'u3']
  const aliases = ['a1', 'a2', 'a3']
  const limit = fc.integer({ min: 0, max: 30 })
  fc.assert(
    fc.property(fc.array(limit, { minLength: 15, maxLength: 15 }), (limits) => {
      const next = limits.values()
      const value = () => next.next().value ?? 0
      const edges: Edge[] = [
        ...aliases.map((alias) => ({ from: 's', to: alias, capacity: value() })),
        ...users.map((user) => ({ from: user, to: 't', capacity: value() })),
        ...aliases.flatMap((alias) => users.map((user) => ({ from: alias, to: user, capacity: value() }))),
      ]
      const nodes = [...aliases, ...users]
      const cuts = Array.from({ length: 2 ** nodes.length }, (_, bits) => {
        const near = new Set(['s', ...nodes.filter((_node, index) => (bits >> index) % 2 === 1)])
        return edges
          .filter((edge) => near.has(edge.from) && !near.has(edge.to))
          .reduce((sum, edge) => sum + edge.capacity, 0)
      })
      expect(maxFlow(edges, 's', 't')).toBe(Math.min(...cuts))
    }),
  )
})

test('the fewest connections keep the promise, one fewer breaks it', () => {
  const load = [
    fc.double({ min: 0.1, max: 500, noNaN: true }),
    fc.double({ min: 0.001, max: 0.5, noNaN: true }),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
  ] as const
  fc.assert(
    fc.property(...load, (rate, time, seconds) => {
      const fewest = fewestServers(rate, time, seconds)
      expect(waitsLongerThan(rate, time, fewest, seconds)).toBeLessThanOrEqual(0.01)
      if (fewest > 1) expect(waitsLongerThan(rate, time, fewest - 1, seconds)).toBeGreaterThan(0.01)
    }),
  )
})
