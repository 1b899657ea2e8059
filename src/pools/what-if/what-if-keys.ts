import { PerfdbError } from '../../errors.js'
import type { Deploy, Server, Service, Share } from '../sums/model.js'
import type { Pooler } from '../sums/pooler-model.js'
import { percentOf, percentPattern } from '../../text/units.js'

/** By key, what a value makes of a thing; `option` stands before every message. Throw BAD_OPTION for a value that is none. */
export type Keys<One> = Readonly<Record<string, (one: One, value: string, option: string) => One>>

/** Keys of a service that need no group. */
export const shortKeys: Readonly<Record<string, string>> = {
  max: 'pool.max',
  min: 'pool.min',
  max_overflow: 'pool.max_overflow',
  active: 'pool.active',
  processes: 'runtime.processes',
  threads: 'runtime.threads',
  max_concurrency: 'runtime.max_concurrency',
  workers: 'runtime.processes',
  'runtime.workers': 'runtime.processes',
  strategy: 'deploy.strategy',
  max_surge: 'deploy.max_surge',
  max_unavailable: 'deploy.max_unavailable',
  count_terminating: 'deploy.count_terminating',
}

export const serviceKeys: Keys<Service> = {
  instances: (one, value, option) => {
    notServerless(one, option)
    const count = wholeNumber(value, option)
    return { ...one, instances: { desired: count, max: count } }
  },
  process_max: (one, value, option) => ({ ...one, processMax: positive(value, option) }),
  'runtime.max_concurrency': (one, value, option) => {
    const maxConcurrency = positive(value, option)
    if (one.runtime.maxConcurrency !== null) return { ...one, runtime: { ...one.runtime, maxConcurrency } }
    throw new PerfdbError('BAD_OPTION', `${option}: ${one.name} is not serverless`, {
      hint: `${one.name}.instances=${value}`,
    })
  },
  'instances.desired': (one, value, option) => {
    notServerless(one, option)
    const count = wholeNumber(value, option)
    return { ...one, instances: { desired: count, max: Math.max(count, one.instances.max) } }
  },
  'instances.max': (one, value, option) => {
    notServerless(one, option)
    const count = wholeNumber(value, option)
    return { ...one, instances: { desired: Math.min(count, one.instances.desired), max: count } }
  },
  'pool.max': (one, value, option) => {
    const max = positive(value, option)
    return { ...one, pool: { ...one.pool, max, min: Math.min(one.pool.min, max), policyFactor: null } }
  },
  'pool.min': (one, value, option) => ({
    ...one,
    pool: { ...one.pool, min: Math.min(wholeNumber(value, option), one.pool.max) },
  }),
  'pool.max_overflow': (one, value, option) => ({
    ...one,
    pool: { ...one.pool, maxOverflow: wholeNumber(value, option) },
  }),
  'pool.active': (one, value, option) => ({
    ...one,
    pool: { ...one.pool, active: { tenants: positive(value, option), part: null } },
  }),
  'runtime.processes': (one, value, option) => withProcesses(one, positive(value, option)),
  'runtime.threads': (one, value, option) => ({
    ...one,
    runtime: { ...one.runtime, threads: positive(value, option) },
  }),
  'deploy.strategy': (one, value, option) => ({ ...one, deploy: strategy(one.deploy, value, option) }),
  'deploy.max_surge': (one, value, option) => ({
    ...one,
    deploy: { ...rolling(one.deploy), maxSurge: share(value, option) },
  }),
  'deploy.max_unavailable': (one, value, option) => ({
    ...one,
    deploy: { ...rolling(one.deploy), maxUnavailable: share(value, option) },
  }),
  'deploy.count_terminating': (one, value, option) => {
    const countTerminating = truth(value, option)
    return one.deploy.strategy === 'rolling' ? { ...one, deploy: { ...one.deploy, countTerminating } } : one
  },
}

export const poolerKeys: Keys<Pooler> = {
  replicas: (one, value, option) => ({ ...one, replicas: positive(value, option) }),
  default_pool_size: (one, value, option) => ({ ...one, defaultPoolSize: positive(value, option) }),
  reserve_pool_size: (one, value, option) => ({ ...one, reservePoolSize: wholeNumber(value, option) }),
  min_pool_size: (one, value, option) => ({ ...one, minPoolSize: wholeNumber(value, option) }),
  max_connections_percent: (one, value, option) => ({
    ...one,
    maxConnectionsPercent: Math.min(100, positive(value, option)),
  }),
  num_init_children: (one, value, option) => {
    const count = positive(value, option)
    return { ...one, defaultPoolSize: count, maxClientConn: count }
  },
  pool_mode: (one, value, option) => ({ ...one, poolMode: poolMode(value, option) }),
  max_client_conn: (one, value, option) => ({ ...one, maxClientConn: positive(value, option) }),
  max_db_connections: (one, value, option) => ({
    ...one,
    maxDbConnections: { ...one.maxDbConnections, '*': wholeNumber(value, option) },
  }),
  max_user_connections: (one, value, option) => ({
    ...one,
    maxUserConnections: { ...one.maxUserConnections, '*': wholeNumber(value, option) },
  }),
}

/** Settings that need a restart of the server: they count against what a live server says now. */
export const serverKeys: Keys<Server> = {
  max_connections: (one, value, option) => ({
    ...one,
    assumed: { ...one.assumed, maxConnections: positive(value, option) },
  }),
  superuser_reserved_connections: (one, value, option) => ({
    ...one,
    assumed: { ...one.assumed, superuserReserved: wholeNumber(value, option) },
  }),
  reserved_connections: (one, value, option) => ({
    ...one,
    assumed: { ...one.assumed, reserved: wholeNumber(value, option) },
  }),
  other_connections: (one, value, option) => ({ ...one, otherConnections: wholeNumber(value, option) }),
  perfdb_connections: (one, value, option) => ({ ...one, perfdbConnections: wholeNumber(value, option) }),
}

/** The rule "workers x 6" gives a larger pool with more workers. */
function withProcesses(service: Service, processes: number): Service {
  const { pool, runtime } = service
  const max = pool.policyFactor === null ? pool.max : pool.policyFactor * processes
  return { ...service, runtime: { ...runtime, processes }, pool: { ...pool, max, min: Math.min(pool.min, max) } }
}

/** Functions have no instances in the file: what bounds them is another key. */
function notServerless({ name, runtime }: Service, option: string): void {
  if (runtime.maxConcurrency === null) return
  throw new PerfdbError('BAD_OPTION', `${option}: ${name} is serverless: its key is runtime.max_concurrency`, {
    hint: `--what-if ${name}.runtime.max_concurrency=${runtime.maxConcurrency}`,
  })
}

/** 0 is "unlimited" to pools, and to the file no number of processes. */
function positive(value: string, option: string): number {
  const count = wholeNumber(value, option)
  if (count > 0) return count
  throw new PerfdbError('BAD_OPTION', `${option}: 0 is not possible here`, { hint: 'a number from 1 on' })
}

/** From 0 to a million. Throws BAD_OPTION. */
export function wholeNumber(value: string, option: string): number {
  const count = Number(value)
  if (Number.isInteger(count) && count >= 0 && count <= 1e6) return count
  throw new PerfdbError('BAD_OPTION', `${option}: ${value} is not a whole number`, {
    hint: 'a number from 0 to 1000000',
  })
}

/** `true` or `false`. Throws BAD_OPTION. */
export function truth(value: string, option: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  throw new PerfdbError('BAD_OPTION', `${option}: ${value} is neither true nor false`, { hint: 'true or false' })
}

function share(value: string, option: string): Share {
  if (percentPattern.test(value)) return { percent: percentOf(value) }
  return { instances: wholeNumber(value, option) }
}

function poolMode(value: string, option: string): Pooler['poolMode'] {
  if (value === 'session' || value === 'transaction' || value === 'statement') return value
  throw new PerfdbError('BAD_OPTION', `${option}: there is no pool_mode ${value}`, {
    hint: 'pool_mode: session, transaction, statement',
  })
}

type Rolling = Extract<Deploy, { strategy: 'rolling' }>

/** As declared, else with the defaults of Kubernetes. */
function rolling(deploy: Deploy): Rolling {
  if (deploy.strategy === 'rolling') return deploy
  const quarter = { percent: 25 }
  return {
    strategy: 'rolling',
    maxSurge: quarter,
    maxUnavailable: quarter,
    countTerminating: true,
    endsQuickly: false,
  }
}

function strategy(before: Deploy, value: string, option: string): Deploy {
  switch (value) {
    case 'recreate':
    case 'blue_green':
      return { strategy: value }
    case 'canary':
      return before.strategy === 'canary' ? before : { strategy: 'canary', share: { percent: 10 } }
    case 'rolling':
      return rolling(before)
    default:
      throw new PerfdbError('BAD_OPTION', `${option}: there is no strategy ${value}`, {
        hint: 'strategies: recreate, rolling, blue_green, canary',
      })
  }
}
