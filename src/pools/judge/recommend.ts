import type { Place } from '../../errors.js'
import { budgets, type Budget, type BudgetLine } from './budget.js'
import { isBetter, isNoWorse, troublesOf, type JudgeServer, type Troubles } from './troubles.js'
import type { Deployment, Service } from '../sums/model.js'
import { poolerKind } from '../sums/pooler-kinds.js'
import { withChanges } from '../what-if/what-if.js'
import { several } from '../../text/amounts.js'

/** The largest value of one number of the file with which the peak stays within the warning share of the capacity, and nothing else gets worse. */
export interface Recommendation {
  readonly server: string
  /** A service or pooler; `all 4 services`; `tenants`. */
  readonly name: string
  /** The key of the file. */
  readonly change: string
  readonly now: number
  /** null when not even 1 fits. */
  readonly largest: number | null
  readonly text: string
  /** For --what-if; empty when not even 1 fits. */
  readonly whatIf: readonly string[]
  /** Where the file writes the number, or would. */
  readonly place: Place
}

/** One number that may change, alone or of several services together. */
interface Candidate extends Pick<Recommendation, 'name' | 'change' | 'now' | 'place'> {
  /** What --what-if would be given for a value. */
  changes(value: number): readonly string[]
  readonly noun?: string
}

const made = new WeakMap<Budget, readonly Recommendation[]>()

/**
 * By search through the whole judgement, changes made as --what-if makes them: first each line alone, then pools and instances of all services of
 * the server together, then the tenants. Where the server has no trouble with its slots, how far each may grow. What would break something else is
 * not among them. In large estates the largest lines alone are tried.
 */
export function recommendations(
  budget: Budget,
  deployment: Deployment,
  judgeServer: JudgeServer,
): readonly Recommendation[] {
  if (budget.limits === null) return []
  const known = made.get(budget)
  if (known !== undefined) return known
  const isShort = budget.total.peak > budget.server.warnAt * budget.capacity
  // A smaller pool takes nothing from another server; a larger one may.
  const here = isShort ? partOn(budget, deployment) : deployment
  const tried = triedLines(deployment, isShort)
  const lines = budget.lines.toSorted((a, b) => b.peak - a.peak).slice(0, tried)
  const candidates = [
    ...lines.flatMap((line) => [...serviceCandidates(line), ...poolerCandidates(line)]),
    ...(isShort ? [...jointCandidates(budget, tried), ...tenantCandidates(budget, here)] : []),
  ]
  const before = candidates.length === 0 ? new Map() : troublesOf(here, budget.lives, judgeServer)
  const judging = { budget, deployment: here, judgeServer, before, isShort }
  const found = candidates.flatMap((candidate) => judged(candidate, judging))
  made.set(budget, found)
  return found
}

/** What was recommended for a server; nothing where nobody asked. */
export function knownRecommendations(budget: Budget): readonly Recommendation[] {
  return made.get(budget) ?? []
}

/** One sentence of what makes the slots fit: single changes, else those of all services together. */
export function remedy(all: readonly Recommendation[], { lines }: Budget): string | undefined {
  const possible = all.filter((one) => one.largest !== null && one.largest < one.now)
  if (possible.length > 0)
    return possible
      .slice(0, 3)
      .map((one) => one.text)
      .join('; or ')
  if (all.length === 0) return undefined
  const poolable = lines.some(({ service }) => service !== null && !service.pool.perTenant)
  const pooler = poolable ? 'put a transaction pooler in front, or ' : ''
  return `no smaller pools or fewer instances are enough: ${pooler}move services to another server`
}

/** What a deployment has on one server. */
function partOn({ server, rows, lines }: Budget, deployment: Deployment): Deployment {
  const services = new Set(rows.map((row) => row.service))
  const poolers = new Set(lines.flatMap((line) => line.pooler?.name ?? []))
  const through = (one: Service) => one.via.kind === 'pooler' && poolers.has(one.via.pooler)
  return {
    servers: [server],
    tenants: deployment.tenants.filter((tenant) => tenant.server === server.name),
    services: deployment.services.filter((one) => services.has(one) || through(one)),
    poolers: deployment.poolers.filter((pooler) => poolers.has(pooler.name)),
  }
}

/** Each change that fits is judged whole: a few of a large deployment, all of a small one. */
function triedLines({ services, servers, tenants }: Deployment, isShort: boolean): number {
  const size = services.length * servers.length + tenants.length / 10
  return size > 1000 ? 0 : size > 100 ? (isShort ? 4 : 2) : 40
}

const beyond = 10_000

interface Judging {
  readonly budget: Budget
  readonly deployment: Deployment
  readonly judgeServer: JudgeServer
  readonly before: Troubles
  /** The slots are what is short: a change has to make that better. */
  readonly isShort: boolean
}

function judged(candidate: Candidate, judging: Judging): readonly Recommendation[] {
  const { budget, deployment, judgeServer, before, isShort } = judging
  const { name, change, now, place } = candidate
  const changed = (value: number) => withChanges(deployment, candidate.changes(value))
  const fits = (value: number) => {
    const after = budgets(changed(value), budget.lives).find((one) => one.server.name === budget.server.name)
    return after !== undefined && after.total.peak <= after.server.warnAt * after.capacity
  }
  const stands = (value: number) => {
    const after = troublesOf(changed(value), budget.lives, judgeServer)
    return isShort ? isBetter(before, after) : isNoWorse(before, after)
  }
  const fitting = isShort ? largestBelow(now, fits) : largestFrom(now, fits)
  if (fitting === beyond) return []
  const largest =
    fitting === null || stands(fitting)
      ? fitting
      : isShort
        ? null
        : largestFrom(now, (value) => fits(value) && stands(value))
  // It would break something else, such as a pool with fewer connections than threads.
  if (largest === null && fitting !== null) return []
  const what = candidate.noun ?? change
  const text =
    largest === null
      ? `${name}: not even ${what} 1 fits (now ${now})`
      : `${name}: ${what} ${largest}${largest < now ? '' : ' at most'} (now ${now})`
  // Of several that do not fit alone nobody wants to read; whoever reads the document may.
  if (largest === null && name !== budget.lines[0]?.name) return []
  const whatIf = largest === null ? [] : candidate.changes(largest)
  return [{ server: budget.server.name, name, change, now, largest, text, whatIf, place }]
}

function serviceCandidates({ service }: BudgetLine): readonly Candidate[] {
  if (service === null) return []
  const { name, pool, runtime, instances } = service
  const counted = runtime.maxConcurrency ?? instances.max
  const key = runtime.maxConcurrency === null ? 'instances.max' : 'runtime.max_concurrency'
  return [
    {
      name,
      change: 'pool.max',
      now: pool.max,
      place: service.poolPlace,
      changes: (max) => [`${name}.pool.max=${max}`],
    },
    { name, change: key, now: counted, place: service.instancesPlace, changes: (count) => [`${name}.${key}=${count}`] },
  ]
}

function poolerCandidates({ pooler, pools, unbounded }: BudgetLine): readonly Candidate[] {
  if (pooler === null || unbounded === true) return []
  const { sizeKey } = poolerKind(pooler.kind)
  const { name, place } = pooler
  if (pooler.kind === 'rds-proxy') {
    const now = pooler.maxConnectionsPercent ?? 100
    return [{ name, change: sizeKey, now, place, changes: (percent) => [`${name}.${sizeKey}=${percent}`] }]
  }
  // Where each alias or user has a size of its own the default changes nothing.
  const sized = pools.every(
    ({ alias, user }) => alias.poolSize !== null || (pooler.users[user]?.poolSize ?? null) !== null,
  )
  if (sized || pooler.unknown?.includes(sizeKey) === true) return []
  const key = pooler.kind === 'pgpool' ? sizeKey : 'default_pool_size'
  const now = pooler.defaultPoolSize
  return [{ name, change: key, now, place, changes: (size) => [`${name}.${key}=${size}`] }]
}

/** One number for all services that connect to the server directly: what is smaller already stays. */
function jointCandidates({ lines }: Budget, tried: number): readonly Candidate[] {
  const services = lines.flatMap(({ service }) => service ?? [])
  const [first] = services
  if (first === undefined || services.length < 2) return []
  const name = `all ${several(services.length, 'service')}`
  const joint = (change: string, of: (service: Service) => number, place: Place): Candidate => ({
    name,
    change,
    now: Math.max(...services.map(of)),
    place,
    changes: (value) => services.filter((one) => of(one) > value).map((one) => `${one.name}.${change}=${value}`),
  })
  const instances = tried > 0 && services.every(({ runtime }) => runtime.maxConcurrency === null)
  return [
    joint('pool.max', ({ pool }) => pool.max, first.poolPlace),
    ...(instances ? [joint('instances.max', (one) => one.instances.max, first.instancesPlace)] : []),
  ]
}

function tenantCandidates({ lines, server }: Budget, { tenants }: Deployment): readonly Candidate[] {
  const service = lines.find((line) => line.service?.pool.perTenant === true)?.service
  if (service == null || tenants.length === 0) return []
  const place = tenants.find((one) => one.server === server.name)?.place ?? service.place
  return [{ name: 'tenants', change: 'tenants', now: tenants.length, place, changes: (count) => [`tenants=${count}`] }]
}

/** Largest value below `now` that holds, for a property that a smaller value never breaks; null when not even 1 does. */
function largestBelow(now: number, holds: (value: number) => boolean): number | null {
  if (now < 2) return null
  let [low, high] = [1, now - 1]
  if (holds(high)) return high
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2)
    if (holds(middle)) low = middle
    else high = middle - 1
  }
  return holds(low) ? low : null
}

/** Largest value from `now` to 10 000 that holds. */
function largestFrom(now: number, holds: (value: number) => boolean): number {
  let [low, high] = [now, beyond]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle - 1
  }
  return low
}
