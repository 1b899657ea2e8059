import { expect, test } from 'vitest'
import { budgets } from '../../src/pools/judge/budget.js'
import { judge, verdictOf } from '../../src/pools/judge/judge.js'
import { judgeService } from '../../src/pools/judge/judge-service.js'
import { fewestServers, queue } from '../../src/pools/sums/queue.js'
import { podsAtWorst, seeded, serviceTimes, simulatedWaits } from './simulate.js'
import { tenant } from './builders.js'
import { estateOf } from './written.js'

/** Instances at the worst moment: new ones start one by one, and the old ones end when all of those are ready. */
function besideAtWorst(old: number, fresh: number): number {
  let most = old
  for (let started = 1; started <= fresh; started += 1) most = Math.max(most, old + started)
  return most
}

const rolling = (n: number, surge: number, unavailable: number, slow: boolean) =>
  podsAtWorst(n, { surge, unavailable, startup: () => 20, termination: () => (slow ? 10_000 : 5) })

interface Topology {
  readonly file: string
  /** How many live on the only server. */
  readonly tenants?: number
  /** Worked by hand: what the least privileged role has, and connections steady and at the peak. */
  readonly by: { readonly capacity: number; readonly steady: number; readonly peak: number; readonly verdict: string }
  /** The peak of what is simulated. */
  readonly simulated: number
}

const limit = (max: number) => `servers: { main: { max_connections: ${max} } }`
const topologies: Readonly<Record<string, Topology>> = {
  'one web of 3 instances, replaced at once': {
    file: `${limit(100)}\nservices: { web: { server: main, instances: 3, pool: { max: 10 }, deploy: { strategy: recreate } } }`,
    by: { capacity: 97, steady: 30, peak: 30, verdict: 'OK' },
    simulated: 3 * 10,
  },
  'rolling, old pods end slowly': {
    file: `${limit(100)}\nservices: { web: { server: main, instances: 8, pool: { max: 6 }, deploy: { strategy: rolling, max_surge: 2, max_unavailable: 2 } } }`,
    by: { capacity: 97, steady: 48, peak: 96, verdict: 'WARN' },
    simulated: rolling(8, 2, 2, true) * 6,
  },
  'rolling, old pods end quickly': {
    file: `${limit(100)}\nservices: { web: { server: main, instances: 8, pool: { max: 6 }, deploy: { strategy: rolling, max_surge: 2, max_unavailable: 2, startup: 20s, termination: 5s } } }`,
    by: { capacity: 97, steady: 48, peak: 84, verdict: 'WARN' },
    simulated: rolling(8, 2, 2, false) * 6,
  },
  'blue-green with a worker beside it': {
    file: `${limit(200)}\nservices:\n  web: { server: main, instances: 5, pool: { max: 12 }, deploy: { strategy: blue_green } }\n  jobs: { server: main, instances: 2, runtime: { kind: celery, concurrency: 8 }, pool: { max: 5 }, deploy: { strategy: recreate } }`,
    by: { capacity: 197, steady: 60 + 16, peak: 120 + 16, verdict: 'OK' },
    simulated: besideAtWorst(5, 5) * 12 + 16,
  },
  'a canary of 10 %': {
    file: `${limit(200)}\nservices: { web: { server: main, instances: 12, pool: { max: 14 }, deploy: { strategy: canary, canary: 10% } } }`,
    by: { capacity: 197, steady: 168, peak: 196, verdict: 'WARN' },
    simulated: besideAtWorst(12, 2) * 14,
  },
  'gunicorn gthread: a pool in each worker': {
    file: `${limit(100)}\nservices: { web: { server: main, instances: 2, runtime: { kind: gunicorn, workers: 4, worker_class: gthread, threads: 8 }, pool: { max: 20 }, deploy: { strategy: recreate } } }`,
    by: { capacity: 97, steady: 64, peak: 64, verdict: 'OK' },
    simulated: 2 * 4 * 8,
  },
  'reserved slots of 16 and 6 of others': {
    file: `servers: { main: { max_connections: 100, reserved_connections: 10, other_connections: 6 } }\nservices: { web: { server: main, instances: 4, pool: { max: 20 }, deploy: { strategy: recreate } } }`,
    by: { capacity: 87, steady: 86, peak: 86, verdict: 'WARN' },
    simulated: 4 * 20 + 6,
  },
  'two users behind two PgBouncers': {
    file: `${limit(100)}\nservices:\n  api: { server: main, database: app, role: a, via: pgb, instances: 20, pool: { max: 10 } }\n  web: { server: main, database: app, role: b, via: pgb, instances: 20, pool: { max: 10 } }\npoolers: { pgb: { kind: pgbouncer, pool_mode: transaction, replicas: 2, default_pool_size: 15, reserve_pool_size: 5, max_client_conn: 2000 } }`,
    by: { capacity: 97, steady: 80, peak: 80, verdict: 'WARN' },
    simulated: 2 * 2 * (15 + 5),
  },
  '12 tenants, a pool for each in each process': {
    tenants: 12,
    file: `${limit(3000)}\nservices: { web: { instances: 2, runtime: { kind: uvicorn, workers: 4 }, pool: { max: 20, max_overflow: 5, per_tenant: true }, deploy: { strategy: recreate } } }`,
    by: { capacity: 2997, steady: 2400, peak: 2400, verdict: 'WARN' },
    simulated: 12 * 2 * 4 * 25,
  },
  'functions, two generations at once': {
    file: `${limit(500)}\nservices: { edge: { server: main, runtime: { kind: serverless, max_concurrency: 300, overlap: 2 }, pool: { max: 1 } } }`,
    by: { capacity: 497, steady: 300, peak: 600, verdict: 'FAIL' },
    simulated: besideAtWorst(300, 300),
  },
}

test.each(Object.entries(topologies))('%s', (_, { file, by, simulated, tenants = 0 }) => {
  const estate = { ...estateOf(file), tenants: Array.from({ length: tenants }, (_, n) => tenant(`t${n}`)) }
  const [budget] = budgets(estate)
  if (budget === undefined) throw new Error('no server')
  const findings = [
    ...judge(budget, estate),
    ...estate.services.flatMap((service) => judgeService(service, estate.tenants)),
  ].filter(({ code }) => !/UNREACHED|ASSUMED/.test(code))
  const { steady, peak } = budget.total
  expect({ capacity: budget.capacity, steady, peak, verdict: verdictOf(budget, findings) }).toEqual(by)
  expect(peak).toBe(simulated)
})

test('the wait in front of each pool, and the fewest connections that keep it short, are those of a simulation', () => {
  for (const [rate, serviceTime, servers] of [
    [300, 0.05, 24],
    [80, 0.05, 5],
    [900, 0.01, 12],
  ] as const) {
    const random = seeded(servers)
    const times = serviceTimes(1, random)
    const waits = simulatedWaits(rate, servers, () => times() * serviceTime, random, 200_000)
    const mean = waits.reduce((sum, one) => sum + one, 0) / waits.length
    expect(Math.abs(queue(rate, serviceTime, servers).meanWaitSeconds / mean - 1)).toBeLessThan(0.15)
    const fewest = fewestServers(rate, serviceTime, 0.05)
    const late = (count: number) => {
      const seed = seeded(count)
      const own = serviceTimes(1, seed)
      const all = simulatedWaits(rate, count, () => own() * serviceTime, seed, 200_000)
      return all.filter((one) => one > 0.05).length / all.length
    }
    expect(late(fewest)).toBeLessThanOrEqual(0.012)
    expect(late(fewest - 1)).toBeGreaterThan(0.008)
  }
})
