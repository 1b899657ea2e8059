import type { Place } from '../../errors.js'
import type { Budget, Line } from './budget.js'
import { demands } from '../sums/demand.js'
import type { Estate, Service } from '../sums/model.js'
import type { Pooler } from '../sums/pooler-model.js'
import { resized, serverConnections } from '../sums/pooler.js'
import { several } from '../../text/amounts.js'

/** The largest value of one number of the file with which the peak stays within the warning share of the capacity. */
export interface Recommendation {
  readonly server: string
  readonly name: string
  readonly change: 'pool.max' | 'instances.max' | 'default_pool_size'
  readonly now: number
  /** null when not even 1 fits. */
  readonly largest: number | null
  readonly text: string
  /** Where the file writes the number, or would. */
  readonly place: Place
}

/**
 * The inverse of the model, by search: demand never falls when a pool or a number of instances grows, so the largest value that fits
 * is well defined. One number changes at a time; values beyond 10 000 are no limit and not told.
 */
export function recommendations(budget: Budget, estate: Estate): readonly Recommendation[] {
  if (budget.limits === null) return []
  return budget.lines.flatMap((line) => {
    if (line.service !== null)
      return [...poolChange(budget, estate, line, line.service), ...instancesChange(budget, estate, line, line.service)]
    return poolerChange(budget, line)
  })
}

/** Share of the recommendations that shrink something: what makes a verdict that is not OK good again, as one sentence. */
export function remedy(all: readonly Recommendation[], name: string): string | undefined {
  const shrinking = all.filter((one) => one.name === name && (one.largest === null || one.largest < one.now))
  const possible = shrinking.filter((one) => one.largest !== null).map((one) => one.text)
  if (possible.length > 0) return possible.join('; or ')
  return shrinking.length > 0
    ? `no single change of ${name} is enough: put a transaction pooler in front, or move it to another server`
    : undefined
}

const beyond = 10_000

function poolChange(budget: Budget, estate: Estate, line: Line, service: Service): readonly Recommendation[] {
  const { pool } = service
  const largest = largestThat((max) =>
    fits(
      budget,
      line,
      servicePeak(budget, estate, { ...service, pool: { ...pool, max, min: Math.min(pool.min, max) } }),
    ),
  )
  if (largest === beyond) return []
  const overflow = pool.maxOverflow > 0 ? ` with max_overflow ${pool.maxOverflow}` : ''
  const text =
    largest === null
      ? `${line.name}: not even pool max 1 fits${overflow} (now ${pool.max})`
      : `${line.name}: pool max ${largest} at most${overflow} (now ${pool.max})`
  return [
    {
      server: budget.server.name,
      name: line.name,
      change: 'pool.max',
      now: pool.max,
      largest,
      text,
      place: service.poolPlace,
    },
  ]
}

function instancesChange(budget: Budget, estate: Estate, line: Line, service: Service): readonly Recommendation[] {
  const { maxConcurrency } = service.runtime
  const changed = (count: number): Service =>
    maxConcurrency === null
      ? { ...service, instances: { desired: Math.min(service.instances.desired, count), max: count } }
      : { ...service, runtime: { ...service.runtime, maxConcurrency: count } }
  const largest = largestThat((count) => fits(budget, line, servicePeak(budget, estate, changed(count))))
  if (largest === beyond) return []
  const now = maxConcurrency ?? service.instances.max
  const noun = maxConcurrency === null ? 'instance' : 'concurrent function'
  const text =
    largest === null
      ? `${line.name}: not even 1 ${noun} fits with pool ${service.pool.max} (now ${now})`
      : `${line.name}: ${several(largest, noun)} at most with pool ${service.pool.max} (now ${now})`
  return [
    {
      server: budget.server.name,
      name: line.name,
      change: 'instances.max',
      now,
      largest,
      text,
      place: service.instancesPlace,
    },
  ]
}

function poolerChange(budget: Budget, line: Line): readonly Recommendation[] {
  const { pooler } = line
  if (pooler === null) return []
  const largest = largestThat((size) => {
    const changed: Pooler = { ...pooler, defaultPoolSize: size }
    return fits(budget, line, serverConnections(changed, resized(changed, line.pools)))
  })
  if (largest === beyond) return []
  const text =
    largest === null
      ? `${line.name}: not even default_pool_size 1 fits (now ${pooler.defaultPoolSize})`
      : `${line.name}: default_pool_size ${largest} at most (now ${pooler.defaultPoolSize})`
  return [
    {
      server: budget.server.name,
      name: line.name,
      change: 'default_pool_size',
      now: pooler.defaultPoolSize,
      largest,
      text,
      place: pooler.place,
    },
  ]
}

/** With one line changed and everything else as it is. */
function fits({ server, total, capacity }: Budget, line: Line, peak: number): boolean {
  return total.peak - line.peak + peak <= server.warnAt * capacity
}

function servicePeak({ server }: Budget, estate: Estate, changed: Service): number {
  return demands(changed, estate.tenants, server.name)
    .filter((row) => row.server === server.name)
    .reduce((sum, row) => sum + row.peak, 0)
}

/** Largest of 1 to 10 000 that holds, for a property that only ever turns false. */
function largestThat(holds: (value: number) => boolean): number | null {
  if (!holds(1)) return null
  let low = 1
  let high = beyond
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle - 1
  }
  return low
}
