import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import type { QueryMeasurement } from '../sample/measurement.js'
import { measureStatement } from './measure-query.js'
import { namesakeOf } from '../sample/namesake.js'
import { budgetOf, stoppable } from './budget.js'
import { admit } from '../sample/sample.js'
import { measureVariants } from './variants.js'
import { limitsOf, type Limits, type MeasureOptions } from '../sample/limits.js'

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
  return stoppable(session, all.signal, async () => {
    const measured: QueryMeasurement[] = []
    const budget = budgetOf(all)
    for (const [at, query] of queries.entries()) {
      const limits = { ...all, timeBudgetMs: budget(queries.length - at) }
      const one = await measureQuery(session, query, limits, options.before)
      measured.push(one)
      options.onMeasured?.(one, measured.length, queries.length)
    }
    return measured
  })
}

async function measureQuery(
  session: Session,
  query: Query,
  limits: Limits,
  before: MeasureOptions['before'],
): Promise<QueryMeasurement> {
  if (query.variants.length > 0) return measureVariants(session, query, inOneBlock(limits))
  const { control } = namesakeOf(before, query) ?? {}
  const measured = await measureStatement(session, query, query.sql ?? '', limits, control)
  return { query, ...measured, variants: [], roundTripMs: null }
}

/** Variants are compared with one another within one block. */
function inOneBlock({ blocks, ...limits }: Limits): Limits {
  const { samples, leastSamples, timeBudgetMs } = limits
  return {
    ...limits,
    blocks,
    samples: samples * blocks,
    leastSamples: leastSamples * blocks,
    timeBudgetMs: timeBudgetMs * blocks,
  }
}

/**
 * The queries with the values that the statistics gave for them before: after ANALYZE the same names (`common`, `rare`) stand
 * for other values, and two different questions would be compared.
 */
export function withValuesOf(before: readonly QueryMeasurement[], queries: readonly Query[]): readonly Query[] {
  return queries.map((query) => {
    const { sampled } =
      namesakeOf(
        before.filter((one) => one.query.sql === query.sql),
        query,
      ) ?? {}
    return query.parameters.length > 0 || sampled === undefined ? query : { ...query, parameters: sampled }
  })
}
