/** What pg_stat_database has counted for a database since its statistics began, and when it was read. */
export interface Work {
  readonly database: string
  /** active_time + idle_in_transaction_time. */
  readonly busyMs: number
  readonly transactions: number
  /** Sessions that began. */
  readonly sessions: number
  readonly atMs: number
}

/** Work of a database between two looks. */
export interface DatabaseLoad {
  /** Connections that were busy on average: the offered load. */
  readonly erlangs: number
  readonly transactionsPerSecond: number
  /** Connections opened. */
  readonly sessionsPerSecond: number
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
      const load = {
        erlangs: busyMs / 1000 / seconds,
        transactionsPerSecond: transactions / seconds,
        sessionsPerSecond: Math.max(0, work.sessions - from.sessions) / seconds,
        seconds,
      }
      return [[work.database, load]]
    }),
  )
}
