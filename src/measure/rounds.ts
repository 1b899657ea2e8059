import type { Query } from '../profile/profile.js'
import type { Session } from '../server/session.js'
import { limitsOf, type MeasureOptions, type QueryMeasurement } from './measurement.js'
import { measureStatement } from './measure-query.js'
import { admit } from './sample.js'
import { measureVariants } from './variants.js'

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
  const limits = limitsOf(options)
  await admit(limits.control, false)
  const stop = () => void session.cancel().catch(() => undefined)
  limits.signal?.addEventListener('abort', stop, { once: true })
  try {
    const measured: QueryMeasurement[] = []
    for (const query of queries) {
      const one: QueryMeasurement =
        query.variants.length > 0
          ? await measureVariants(session, query, limits)
          : {
              query,
              measurements: await measureStatement(session, query, query.sql ?? '', limits),
              variants: [],
              roundTripMs: null,
            }
      measured.push(one)
      options.onMeasured?.(one, measured.length, queries.length)
    }
    return measured
  } finally {
    limits.signal?.removeEventListener('abort', stop)
  }
}
