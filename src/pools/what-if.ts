import { PerfdbError } from '../errors.js'
import { nearest } from '../yaml/nearest.js'
import type { Deploy, Estate, Pooler, Service } from './model.js'

/**
 * The estate with changes such as `api.instances=6`, `api.pool.max=4`, `api.deploy.strategy=rolling` or `pgb.default_pool_size=10`: keys as the
 * file writes them, of a service or a pooler. Throws BAD_OPTION with the names or keys that there are.
 */
export function withChanges(estate: Estate, changes: readonly string[]): Estate {
  return changes.reduce(withChange, estate)
}

function withChange(estate: Estate, change: string): Estate {
  const { name, key, value } = parts(change)
  const services = estate.services.filter((service) => service.name === name)
  const poolers = estate.poolers.filter((pooler) => pooler.name === name)
  if (services.length + poolers.length === 0) {
    const names = [...estate.services, ...estate.poolers].map((one) => one.name)
    const near = nearest(name, names)
    throw new PerfdbError(
      'BAD_OPTION',
      `--what-if ${change}: no service or pooler is named ${name}${near === undefined ? '' : `; did you mean ${near}?`}`,
      { hint: `there are ${[...new Set(names)].slice(0, 20).join(', ')}` },
    )
  }
  const { change: changeService, keys: serviceKeys } = serviceChange(key, value, change)
  const { change: changePooler, keys: poolerKeys } = poolerChange(key, value, change)
  if ((services.length > 0 ? changeService : changePooler) === undefined) {
    throw new PerfdbError('BAD_OPTION', `--what-if ${change}: ${key} cannot be changed here`, {
      hint: `keys of a ${services.length > 0 ? `service: ${serviceKeys}` : `pooler: ${poolerKeys}`}`,
    })
  }
  return {
    ...estate,
    services: estate.services.map((one) => (one.name === name ? (changeService?.(one) ?? one) : one)),
    poolers: estate.poolers.map((one) => (one.name === name ? (changePooler?.(one) ?? one) : one)),
  }
}

/** Names may have dots: the key begins at the last one, or at the word before `pool`, `instances`, `runtime` and `deploy`. */
function parts(change: string): { readonly name: string; readonly key: string; readonly value: string } {
  const match = /^(.+?)\.((?:(?:pool|instances|runtime|deploy)\.)?[a-z_]+)=(.+)$/.exec(change.replaceAll(' ', ''))
  const [, name, key, value] = match ?? []
  if (name === undefined || key === undefined || value === undefined)
    throw new PerfdbError('BAD_OPTION', `--what-if ${change}: the form is NAME.KEY=VALUE`, {
      hint: '--what-if api.instances=6 --what-if api.pool.max=4',
    })
  return { name, key, value }
}

function serviceChange(key: string, value: string, change: string) {
  const count = () => wholeNumber(value, change)
  const changes: Readonly<Record<string, () => (service: Service) => Service>> = {
    instances: () => (one) => ({ ...one, ...functions(one, count()), instances: { desired: count(), max: count() } }),
    'instances.desired': () => (one) => ({
      ...one,
      instances: { desired: count(), max: Math.max(count(), one.instances.max) },
    }),
    'instances.max': () => (one) => ({
      ...one,
      instances: { desired: Math.min(count(), one.instances.desired), max: count() },
    }),
    'pool.max': () => (one) => ({ ...one, pool: { ...one.pool, max: count(), min: Math.min(one.pool.min, count()) } }),
    'pool.min': () => (one) => ({ ...one, pool: { ...one.pool, min: Math.min(count(), one.pool.max) } }),
    'pool.max_overflow': () => (one) => ({ ...one, pool: { ...one.pool, maxOverflow: count() } }),
    'runtime.processes': () => (one) => ({ ...withProcesses(one, count()) }),
    'runtime.threads': () => (one) => ({ ...one, runtime: { ...one.runtime, threads: count() } }),
    'deploy.strategy': () => (one) => ({ ...one, deploy: strategy(value, change) }),
  }
  const short: Readonly<Record<string, string>> = {
    max: 'pool.max',
    min: 'pool.min',
    max_overflow: 'pool.max_overflow',
    processes: 'runtime.processes',
    threads: 'runtime.threads',
    strategy: 'deploy.strategy',
  }
  return { change: changes[short[key] ?? key]?.(), keys: Object.keys(changes).join(', ') }
}

function poolerChange(key: string, value: string, change: string) {
  const changes: Readonly<Record<string, (pooler: Pooler) => Pooler>> = {
    replicas: (one) => ({ ...one, replicas: wholeNumber(value, change) }),
    default_pool_size: (one) => ({ ...one, defaultPoolSize: wholeNumber(value, change) }),
    reserve_pool_size: (one) => ({ ...one, reservePoolSize: wholeNumber(value, change) }),
    max_client_conn: (one) => ({ ...one, maxClientConn: wholeNumber(value, change) }),
  }
  return { change: changes[key], keys: Object.keys(changes).join(', ') }
}

/** The rule "workers x 6" gives a larger pool with more workers. */
function withProcesses(service: Service, processes: number): Service {
  const { pool, runtime } = service
  const max = pool.policyFactor === null ? pool.max : pool.policyFactor * processes
  return { ...service, runtime: { ...runtime, processes }, pool: { ...pool, max, min: Math.min(pool.min, max) } }
}

function functions({ runtime }: Service, count: number): Pick<Service, 'runtime'> {
  return { runtime: runtime.maxConcurrency === null ? runtime : { ...runtime, maxConcurrency: count } }
}

function wholeNumber(value: string, change: string): number {
  const count = Number(value)
  if (Number.isInteger(count) && count >= 0 && count <= 1e6) return count
  throw new PerfdbError('BAD_OPTION', `--what-if ${change}: ${value} is no whole number`, {
    hint: 'a number from 0 to 1000000',
  })
}

function strategy(value: string, change: string): Deploy {
  const quarter = { percent: 25 }
  switch (value) {
    case 'recreate':
    case 'blue_green':
      return { strategy: value }
    case 'canary':
      return { strategy: 'canary', share: { percent: 10 } }
    case 'rolling':
      return { strategy: 'rolling', maxSurge: quarter, maxUnavailable: quarter, countTerminating: false }
    default:
      throw new PerfdbError('BAD_OPTION', `--what-if ${change}: there is no strategy ${value}`, {
        hint: 'strategies: recreate, rolling, blue_green, canary',
      })
  }
}
