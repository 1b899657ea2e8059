import { expect, test } from 'vitest'
import { budgets } from '../../src/pools/judge/budget.js'
import { capacity } from '../../src/pools/sums/capacity.js'
import { judge, judgeWithoutRemedies, verdictOf } from '../../src/pools/judge/judge.js'
import type { Deployment, Server } from '../../src/pools/sums/model.js'
import { queue, waitsLongerThan } from '../../src/pools/sums/queue.js'
import { recommendations } from '../../src/pools/judge/recommend.js'
import { peakInstances } from '../../src/pools/sums/rollout.js'
import type { Live } from '../../src/pools/server/sessions.js'
import { deployment, liveServer, pool, runtime, server, service, tenant } from './builders.js'

function budgetOf(written: Deployment, live?: Live) {
  const [budget] = budgets(written, live === undefined ? new Map() : new Map([['main', live]]))
  if (budget === undefined) throw new Error('no budget')
  return { budget, verdict: verdictOf(budget, judge(budget, written)) }
}

test('no rollout holds more than every old and every new instance', () => {
  const all = { percent: 100 }
  const deploy = {
    strategy: 'rolling',
    maxSurge: all,
    maxUnavailable: all,
    countTerminating: true,
    endsQuickly: true,
  } as const
  expect([1, 2, 7].map((n) => peakInstances(n, deploy))).toEqual([2, 4, 14])
})

test('what the provider keeps back is gone for ordinary roles alone', () => {
  const limits = {
    maxConnections: 100,
    superuserReserved: 3,
    reserved: 2,
    providerReserved: 4,
    source: 'live',
  } as const
  expect([capacity(limits), capacity(limits, 'reserved'), capacity(limits, 'superuser')]).toEqual([91, 97, 100])
})

test('the least privileged role decides what there is', () => {
  const roles: Server['roles'] = {
    admin: { kind: 'superuser', connectionLimit: null },
    monitor: { kind: 'reserved', connectionLimit: null },
  }
  const slots = (...names: readonly string[]) => {
    const services = names.map((role) => service({ name: role, role }))
    return budgetOf(deployment({ servers: [server({ reserved: 10, roles })], services })).budget.capacity
  }
  expect([slots('admin'), slots('admin', 'monitor'), slots('admin', 'monitor', 'app')]).toEqual([100, 97, 87])
})

test('the largest pool that fits a server is that for its own tenants', () => {
  const tenants = ['a', 'b', 'c']
    .map((id) => tenant(id))
    .concat(['d', 'e'].map((id) => tenant(id, { server: 'other' })))
  const written = deployment({
    servers: [server(), server({ name: 'other' })],
    tenants,
    services: [service({ name: 'api', server: null, pool: pool({ max: 10, perTenant: true }) })],
  })
  const largest = budgets(written).map((budget) =>
    recommendations(budget, written, judgeWithoutRemedies).map((one) => one.largest),
  )
  // 80 % of 97 are 77: 25 for each of three tenants, and what two tenants would bear the other server does not; 2 instances of 10.
  expect(largest).toEqual([
    [25, 2],
    [25, 2],
  ])
})

test('strangers use up what is declared for others first', () => {
  const groups = [
    { role: 'bi', database: 'app', applicationName: 'metabase', connections: 9, busy: 0, hidden: 0 },
  ] as const
  const unmanaged = (otherConnections: number) =>
    budgetOf(
      deployment({ servers: [server({ otherConnections })] }),
      liveServer({ samples: [{ groups, authenticating: 0 }] }),
    ).budget
  expect(unmanaged(4)).toMatchObject({ unmanaged: 5, other: 4, total: { peak: 12 } })
  expect(unmanaged(20)).toMatchObject({ unmanaged: 0, other: 20, total: { peak: 23 } })
})

test('sessions that nobody may see are never OK', () => {
  const groups = [{ role: 'bi', database: 'app', applicationName: null, connections: 0, busy: 0, hidden: 1 }] as const
  const live = { seesAll: false, samples: [{ groups, authenticating: 0 }] }
  expect(budgetOf(deployment(), liveServer(live)).verdict).toBe('UNKNOWN')
  expect(budgetOf(deployment(), liveServer({ ...live, seesAll: true })).verdict).not.toBe('UNKNOWN')
})

test('functions that linger while new ones start count at the peak', () => {
  const edge = service({
    runtime: runtime({ kind: 'serverless', maxConcurrency: 25, overlap: 1.5 }),
    pool: pool({ max: 1 }),
  })
  expect(budgetOf(deployment({ services: [edge] })).budget.declared).toEqual({ steady: 25, peak: 38 })
})

test('one request in a hundred waits longer than the 99th percentile; steady service halves the mean wait', () => {
  const line = queue(300, 0.05, 17)
  expect(waitsLongerThan(300, 0.05, 17, line.p99WaitSeconds)).toBeCloseTo(0.01, 9)
  expect(queue(300, 0.05, 17, 0).meanWaitSeconds).toBeCloseTo(line.meanWaitSeconds / 2, 12)
  expect(queue(1, 0.001, 50).p99WaitSeconds).toBe(0)
})
