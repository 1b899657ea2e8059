import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session.js'
import type { QueryMeasurement } from '../sample/measurement.js'
import { measureStatement } from './measure-query.js'
import { admit } from '../sample/sample.js'
import { measureVariants } from './variants.js'
import { limitsOf, type MeasureOptions } from '../sample/limits.js'

/**
 * Measures queries one after another on one session of the role `measure`, which must hold no advisory lock. Everything
 * that comes from the user runs as one statement, in a read-only transaction that is rolled back. A query that is
 * refused, fails or takes too long is a measurement that says so; CONNECTION_LOST and INTERRUPTED (the
 * signal) are thrown, and what the control query meets.
 */
export async function measureQueries(
  session: Session,
  queries: readonly Query[],
  options: MeasureOptions,
): Promise<readonly QueryMeasurement[]> {
  const all = limitsOf(options)
  if (all.control !== null) await admit(all.control, false)
  const stop = () => void session.cancel().catch(() => undefined)
  all.signal?.addEventListener('abort', stop, { once: true })
  try {
    const measured: QueryMeasurement[] = []
    const started = performance.now()
    for (const [at, query] of queries.entries()) {
      const left = (all.totalBudgetMs - (performance.now() - started)) / (queries.length - at)
      const limits = { ...all, timeBudgetMs: Math.min(all.timeBudgetMs, Math.max(leastBudgetMs, left)) }
      const one: QueryMeasurement =
        query.variants.length > 0
          ? await measureVariants(session, query, limits)
          : {
              query,
              ...(await measureStatement(session, query, query.sql ?? '', limits)),
              variants: [],
              roundTripMs: null,
            }
      measured.push(one)
      options.onMeasured?.(one, measured.length, queries.length)
    }
    return measured
  } finally {
    all.signal?.removeEventListener('abort', stop)
  }
}

/**
 * The queries with the values that the statistics gave for them before: after ANALYZE the same names (`common`, `rare`) stand
 * for other values, and two different questions would be compared.
 */
export function withValuesOf(before: readonly QueryMeasurement[], queries: readonly Query[]): readonly Query[] {
  return queries.map((query) => {
    const namesakes = before.filter((one) => one.query.name === query.name && one.query.sql === query.sql)
    const { sampled } = namesakes.find((one) => one.query.place.file === query.place.file) ?? namesakes[0] ?? {}
    return query.parameters.length > 0 || sampled === undefined ? query : { ...query, parameters: sampled }
  })
}

/** Of each query when the budget of all is spent: 21 samples of 10 ms and their control. */
const leastBudgetMs = 300
