import { demands } from '../sums/demand.js'
import type { Deployment, Service } from '../sums/model.js'
import { lockingMinimum } from '../sums/pool.js'
import { poolerKind } from '../sums/pooler-kinds.js'
import type { Pooler } from '../sums/pooler-model.js'
import { clientsOf, poolerDemands } from '../sums/pooler.js'
import { fewestServers } from '../sums/queue.js'
import { withChanges } from '../what-if/what-if.js'
import { budgets, type Budget, type BudgetLine } from './budget.js'
import { queueLine, warnShare } from './judge-queue.js'
import { judgeWithoutRemedies } from './judge.js'
import { isNoWorse, troublesOf } from './troubles.js'

/** A size that is suggested, by the key of the file. */
export interface Size {
  readonly name: string
  readonly key: string
  readonly from: number
  readonly to: number
  /** Of the service or pooler that it belongs to. */
  readonly of: Service | Pooler
}

/** Sizes with which the services and poolers of one server share what it leaves; `reason` says why there are none. */
export interface Suggested {
  readonly server: string
  /** Connections that are divided: the warning share of the capacity, less what no size here changes. */
  readonly connections: number
  readonly sizes: readonly Size[]
  readonly reason: string | null
}

/** Something whose size may change, and what it opens on the server with a size. */
interface Sharer {
  readonly name: string
  readonly key: string
  readonly now: number
  /** Erlangs of its declared load; null where it declares none. */
  readonly load: number | null
  /** Smallest size that no finding is due for, and largest of any use. */
  readonly least: number
  readonly most: number
  readonly of: Service | Pooler
  readonly cost: (size: number) => number
}

/**
 * Divides what each server leaves among its services and poolers in proportion to the load that they declare, one without a declaration as the
 * average of the others, so evenly where none does. Every size is at least what threads, connections per request and the queue need. The whole
 * deployment was judged with all sizes together: nothing is worse, and the peak is within the warning share. Where one service has pools on several
 * servers, the smallest of its sizes counts.
 */
export function suggest(deployment: Deployment, all: readonly Budget[]): readonly Suggested[] {
  const [first] = all
  if (first === undefined) return []
  const before = troublesOf(deployment, first.lives, judgeWithoutRemedies)
  const plans = all.map((budget) => ({ budget, sharers: budget.limits === null ? [] : sharersOf(budget, deployment) }))
  for (const { grows, needs } of attempts) {
    const divided = plans.map(({ budget, sharers }) => divide(budget, sharers, { grows, needs }))
    const sizes = smallest(divided.flatMap((one) => one ?? []))
    if (divided.includes(null)) continue
    const changed = withChanges(deployment, changesOf(sizes))
    if (!isNoWorse(before, troublesOf(changed, first.lives, judgeWithoutRemedies))) continue
    const after = budgets(changed, first.lives)
    if (after.some((one) => one.limits !== null && one.total.peak > one.server.warnAt * one.capacity)) continue
    return plans.map(({ budget, sharers }) => ({
      server: budget.server.name,
      connections: shared(budget, sharers),
      sizes: sizes.filter((size) => sharers.some(({ name }) => name === size.name)),
      reason: sharers.length > 0 ? null : 'nothing with a size connects to it, or its limit is not known',
    }))
  }
  return plans.map(({ budget, sharers }) => ({
    server: budget.server.name,
    connections: shared(budget, sharers),
    sizes: [],
    reason: reasonOf(budget, sharers),
  }))
}

/** The changes of sizes for --what-if. */
export function changesOf(sizes: readonly Size[]): readonly string[] {
  return sizes.filter(({ from, to }) => from !== to).map(({ name, key, to }) => `${name}.${key}=${to}`)
}

interface Attempt {
  readonly grows: boolean
  readonly needs: boolean
}

/** Sizes that grow may break a limit of a role or database; needs that do not fit leave what is declared already. */
const attempts: readonly Attempt[] = [
  { grows: true, needs: true },
  { grows: false, needs: true },
  { grows: false, needs: false },
]

/** One connection after another to whoever has least for its load; null when not even the least sizes fit. */
function divide(budget: Budget, sharers: readonly Sharer[], { grows, needs }: Attempt): readonly Size[] | null {
  const declared = sharers.flatMap(({ load }) => load ?? [])
  const average = declared.reduce((sum, load) => sum + load, 0) / declared.length
  const parts = sharers.map((sharer) => {
    const to = needs ? sharer.least : Math.min(sharer.least, sharer.now)
    const most = grows ? sharer.most : Math.min(sharer.most, sharer.now)
    return { sharer, to, most: Math.max(to, most), weight: sharer.load ?? (declared.length === 0 ? 1 : average) }
  })
  let left = shared(budget, sharers) - parts.reduce((sum, { sharer, to }) => sum + sharer.cost(to), 0)
  if (left < 0) return null
  const growing = new Set(parts)
  while (growing.size > 0) {
    let next: (typeof parts)[number] | undefined
    let lowest = Infinity
    for (const part of growing) {
      const share = part.sharer.cost(part.to) / Math.max(part.weight, 1e-9)
      if (share < lowest) [next, lowest] = [part, share]
    }
    if (next === undefined) break
    const more = next.sharer.cost(next.to + 1) - next.sharer.cost(next.to)
    if (next.to >= next.most || more > left) growing.delete(next)
    else {
      next.to += 1
      left -= more
    }
  }
  return parts.map(({ sharer: { name, key, now, of }, to }) => ({ name, key, from: now, to, of }))
}

function smallest(sizes: readonly Size[]): readonly Size[] {
  const byName = new Map<string, Size>()
  for (const size of sizes) {
    const known = byName.get(size.name)
    if (known === undefined || size.to < known.to) byName.set(size.name, size)
  }
  return [...byName.values()]
}

function shared({ server, capacity, total }: Budget, sharers: readonly Sharer[]): number {
  const own = sharers.reduce((sum, { cost, now }) => sum + cost(now), 0)
  return Math.floor(server.warnAt * capacity) - (total.peak - own)
}

function reasonOf(budget: Budget, sharers: readonly Sharer[]): string {
  const least = sharers.reduce((sum, { cost, least: size }) => sum + cost(size), 0)
  const have = Math.max(0, shared(budget, sharers))
  return least > have
    ? `the smallest sizes that threads and load allow take ${least} connections, ${have} may be used: fewer instances, a pooler, or another server`
    : 'every division breaks another limit, here or on another server'
}

function sharersOf(budget: Budget, deployment: Deployment): readonly Sharer[] {
  return budget.lines.flatMap((line) => {
    const { service, pooler } = line
    if (service !== null) return [serviceSharer(service, budget, deployment)]
    return pooler === null ? [] : poolerSharer(pooler, line, budget)
  })
}

function serviceSharer(service: Service, { server, capacity }: Budget, deployment: Deployment): Sharer {
  const { name, pool, load } = service
  const cost = (max: number) =>
    demands({ ...service, pool: { ...pool, max, min: Math.min(pool.min, max) } }, deployment.tenants, server.name)
      .filter((row) => row.server === server.name)
      .reduce((sum, row) => sum + row.peak, 0)
  const { least, most } = boundsOf(service, deployment)
  const erlangs =
    load?.ratePerSecond == null || load.serviceTimeSeconds === null
      ? null
      : load.ratePerSecond * load.serviceTimeSeconds
  return {
    name,
    key: 'pool.max',
    now: pool.max,
    load: erlangs,
    least,
    most: Math.min(most, capacity),
    of: service,
    cost: kept(cost),
  }
}

/** What POOL_LOCKING, POOL_SHORT and QUEUE_WAIT ask for, and what its threads can use. */
function boundsOf(service: Service, deployment: Deployment): { readonly least: number; readonly most: number } {
  const { runtime, pool, connectionsPerRequest } = service
  const line = queueLine(service, deployment.tenants)
  const rate = line === null ? 0 : line.rate / line.pools
  const queued =
    line === null
      ? 1
      : line.waitMs === null
        ? Math.floor(rate * line.serviceTimeSeconds) + 1
        : fewestServers(rate, line.serviceTimeSeconds, line.waitMs / 1000, { cv2: line.cv2, share: warnShare })
  const threads =
    runtime.threads === null ? null : runtime.threads * (runtime.scope === 'instance' ? runtime.processes : 1)
  const wanted = threads === null || threads >= 1000 ? 1 : threads
  const locking = threads === null || connectionsPerRequest < 2 ? 1 : lockingMinimum(threads, connectionsPerRequest)
  const least = Math.max(1, Math.max(queued, connectionsPerRequest < 2 ? wanted : locking) - pool.maxOverflow)
  return {
    least,
    most: Math.max(least, threads === null ? Infinity : threads * connectionsPerRequest - pool.maxOverflow),
  }
}

/** Nothing where each alias or user has a size of its own, or the pooler none. */
function poolerSharer(pooler: Pooler, { pools, unbounded }: BudgetLine, budget: Budget): readonly Sharer[] {
  const { sizeKey } = poolerKind(pooler.kind)
  const sized = pools.every(
    ({ alias, user }) => alias.poolSize !== null || (pooler.users[user]?.poolSize ?? null) !== null,
  )
  if (unbounded === true || sized || pooler.kind === 'rds-proxy' || pooler.unknown?.includes(sizeKey) === true)
    return []
  const clients = clientsOf(pooler, budget.allRows)
  const cost = (size: number) =>
    poolerDemands({ poolers: [{ ...pooler, defaultPoolSize: size }] }, budget.allRows)
      .filter(({ server }) => server === budget.server.name)
      .reduce((sum, one) => sum + one.connections, 0)
  const loads = clients.flatMap(({ service: { load } }) =>
    load?.ratePerSecond == null || load.serviceTimeSeconds === null
      ? []
      : [load.ratePerSecond * load.serviceTimeSeconds],
  )
  return [
    {
      name: pooler.name,
      key: pooler.kind === 'pgpool' ? sizeKey : 'default_pool_size',
      now: pooler.defaultPoolSize,
      load: loads.length === 0 ? null : loads.reduce((sum, load) => sum + load, 0),
      least: 1,
      most: Math.min(
        budget.capacity,
        clients.reduce((sum, row) => sum + row.peak, 0),
      ),
      of: pooler,
      cost: kept(cost),
    },
  ]
}

/** Each size is asked for many times. */
function kept(cost: (size: number) => number): (size: number) => number {
  const known = new Map<number, number>()
  return (size) => {
    const before = known.get(size) ?? cost(size)
    known.set(size, before)
    return before
  }
}
