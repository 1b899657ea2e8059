import { proxyLimit, type Budget } from './budget.js'
import { someOf } from './describe.js'
import { arrivalRate } from './judge-queue.js'
import { preparingDrivers } from '../sums/drivers.js'
import type { PoolFinding, Service } from '../sums/model.js'
import { poolerKind } from '../sums/pooler-kinds.js'
import type { Pooler } from '../sums/pooler-model.js'
import { clientsOf, isSizedByClients, type PoolerPool } from '../sums/pooler.js'
import { several } from '../../text/amounts.js'

type About = Pick<PoolFinding, 'server' | 'place'>

/** What is peculiar to a kind of pooler: POOLER_UNKNOWN, POOLER_PINNED (the proxy of RDS) and POOLER_CPU (a process of PgBouncer uses one core). */
export function judgePoolerKind(budget: Budget, pooler: Pooler, pools: readonly PoolerPool[]): readonly PoolFinding[] {
  const about = { server: budget.server.name, place: pooler.place }
  return [...unknown(pooler, about), ...pinned(budget, pooler, pools, about), ...proxyCores(pooler, pools, about)]
}

/** What its kind has no default for: the sum is an upper bound, and the verdict cannot be better than UNKNOWN. */
function unknown(pooler: Pooler, about: About): readonly PoolFinding[] {
  const { unknown: keys = [], name, kind } = pooler
  if (keys.length === 0) return []
  const bound = isSizedByClients(pooler) ? '; counted is a server connection for each client' : ''
  return [
    {
      ...about,
      code: 'POOLER_UNKNOWN',
      severity: 'warning',
      message: `${name}: ${keys.join(', ')} ${keys.length === 1 ? 'is' : 'are'} not declared, and ${kind} has no default that is known${bound}`,
      hint: keys.map((key) => `${key}: ...`).join(', '),
    },
  ]
}

/** A client that keeps session state has a server connection of its own for as long as it stays. RDS manual, "Avoiding pinning an RDS Proxy". */
function pinned(budget: Budget, pooler: Pooler, pools: readonly PoolerPool[], about: About): readonly PoolFinding[] {
  if (poolerKind(pooler.kind).sessionState !== 'pinned') return []
  const services = new Set(pools.flatMap((pool) => pool.services.map(({ service }) => service)))
  const pinning = [...services].filter(({ pool }) => pinsBy(pool).length > 0)
  const [first] = pinning
  if (first === undefined) return []
  const clients = clientsOf(pooler, budget.allRows)
    .filter((row) => pinning.includes(row.service))
    .reduce((sum, row) => sum + row.peak, 0)
  const limit = proxyLimit(pooler, budget.limits)
  const why = [...new Set(pinning.flatMap(({ pool }) => pinsBy(pool)))].join(', ')
  const over = clients > limit ? ` and it has ${limit}: the others wait` : ''
  return [
    {
      ...about,
      code: 'POOLER_PINNED',
      severity: clients > limit ? 'error' : 'warning',
      service: first.name,
      message: `${pooler.name}: ${someOf(pinning.map(({ name }) => name))} pin by ${why}: each of ${clients} clients holds a server connection for as long as it stays${over}`,
      hint: 'set local instead of set, pool.prepared_statements: false in the driver, pg_advisory_xact_lock; or fewer clients',
      place: first.place,
    },
  ]
}

function pinsBy({ driver, preparedStatements, sessionState }: Service['pool']): readonly string[] {
  const prepares = preparedStatements ?? preparingDrivers.has(driver ?? '')
  return [...(prepares ? ['prepared statements'] : []), ...sessionState.map((state) => pinTexts[state])]
}

const pinTexts = {
  settings: 'set',
  advisory_locks: 'advisory locks',
  listen: 'listen',
  temporary_tables: 'temporary tables',
  cursors: 'cursors',
} as const

/** Transactions a second that one core of PgBouncer passes on; a rule of thumb, so a warning only. */
const perCore = 20_000

/** One process of PgBouncer uses one core, however many there are: a proxy that is bound by its processor is a queue of its own. */
function proxyCores(pooler: Pooler, pools: readonly PoolerPool[], about: About): readonly PoolFinding[] {
  const loads = pools.map((pool) => declaredLoad(pool)?.ratePerSecond ?? 0)
  const rate = loads.reduce((sum, one) => sum + one, 0)
  const cores = pooler.kind === 'pgbouncer' ? 1 : pooler.cores
  if (cores == null || rate <= 0.7 * cores * pooler.replicas * perCore) return []
  const each = Math.round(rate / pooler.replicas)
  return [
    {
      ...about,
      code: 'POOLER_CPU',
      severity: 'warning',
      message: `${pooler.name}: ${each} transactions a second through ${several(cores, 'core')} of each replica, which passes on about ${cores * perCore}`,
      hint: `replicas: ${Math.ceil(rate / (0.7 * cores * perCore))}; for pgbouncer with so_reuseport`,
    },
  ]
}

/** The load of a pool whose services all declare theirs, since half a load says nothing; undefined where one does not. */
export function declaredLoad({
  services,
}: PoolerPool):
  | { readonly ratePerSecond: number; readonly serviceTimeSeconds: number; readonly cv2: number }
  | undefined {
  let [rate, work, squares] = [0, 0, 0]
  for (const { service, share } of services) {
    const { serviceTimeSeconds, cv2 = 1 } = service.load ?? {}
    const ratePerSecond = arrivalRate(service)
    if (ratePerSecond === null || serviceTimeSeconds == null) return undefined
    rate += ratePerSecond * share
    work += ratePerSecond * share * serviceTimeSeconds
    squares += ratePerSecond * share * serviceTimeSeconds ** 2 * (1 + cv2)
  }
  if (rate === 0) return undefined
  const mean = work / rate
  // Quick and slow services mixed vary more than each does alone.
  const cv2 = mean === 0 ? 1 : Math.max(0, squares / rate / mean ** 2 - 1)
  return { ratePerSecond: rate, serviceTimeSeconds: mean, cv2 }
}
