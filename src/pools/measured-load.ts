import type { Demand } from './demand.js'
import { groupBy } from './demand.js'
import type { Estate, Load, Service } from './model.js'
import type { Live } from './sessions.js'

/** What pg_stat_database has counted for a database since its statistics began, and when it was read. */
export interface Work {
  readonly database: string
  /** active_time + idle_in_transaction_time. */
  readonly busyMs: number
  readonly transactions: number
  readonly atMs: number
}

/** Work of a database between two looks. */
export interface DatabaseLoad {
  /** Connections that were busy on average: the offered load. */
  readonly erlangs: number
  readonly transactionsPerSecond: number
  readonly seconds: number
}

/**
 * Load by database: the growth of busy time by second is the load in erlangs (a known load of 1.7 and 0.6 was measured as 1.72 and 0.61 on 14,
 * 15 and 18). A database whose counters went back (a reset) has none. From 15 on a backend counts its work at most once a second, so
 * seconds are the least that says anything.
 */
export function loadBetween(before: readonly Work[], after: readonly Work[]): Readonly<Record<string, DatabaseLoad>> {
  const start = new Map(before.map((work) => [work.database, work]))
  return Object.fromEntries(
    after.flatMap((work): readonly (readonly [string, DatabaseLoad])[] => {
      const from = start.get(work.database)
      if (from === undefined) return []
      const seconds = (work.atMs - from.atMs) / 1000
      const [busyMs, transactions] = [work.busyMs - from.busyMs, work.transactions - from.transactions]
      if (seconds <= 0 || busyMs <= 0 || transactions <= 0) return []
      const load = { erlangs: busyMs / 1000 / seconds, transactionsPerSecond: transactions / seconds, seconds }
      return [[work.database, load]]
    }),
  )
}

/**
 * The estate with the measured load of services whose file declares none: only where one declared service alone uses the database,
 * since the counters do not tell services apart.
 */
export function withMeasuredLoad(estate: Estate, rows: readonly Demand[], lives: ReadonlyMap<string, Live>): Estate {
  const direct = rows.filter((row) => row.service.via.kind === 'direct' && row.database !== null)
  const users = groupBy(direct, (row) => JSON.stringify([row.server, row.database]))
  const measured = new Map<Service, Load>()
  for (const [row, ...others] of users.values()) {
    if (row === undefined || others.some((other) => other.service !== row.service)) continue
    const load = lives.get(row.server ?? '')?.load[row.database ?? '']
    if (load !== undefined && row.service.load?.ratePerSecond == null)
      measured.set(row.service, measuredLoad(row.service.load, load))
  }
  if (measured.size === 0) return estate
  return {
    ...estate,
    services: estate.services.map((service) => {
      const load = measured.get(service)
      return load === undefined ? service : { ...service, load }
    }),
  }
}

function measuredLoad(declared: Load | null, { erlangs, transactionsPerSecond, seconds }: DatabaseLoad): Load {
  return {
    cv2: 1,
    sloWaitMs: null,
    expectedConcurrent: null,
    maxConcurrent: null,
    ...declared,
    ratePerSecond: transactionsPerSecond,
    serviceTimeSeconds: erlangs / transactionsPerSecond,
    measuredSeconds: seconds,
  }
}
