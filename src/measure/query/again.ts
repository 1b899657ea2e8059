import type { Session } from '../../server/session/session.js'
import { limitsOf, type Limits, type MeasureOptions } from '../sample/limits.js'
import type { Measurement, QueryMeasurement } from '../sample/measurement.js'
import { blocksOf } from '../sample/noise.js'
import { newSeries, takeSamples, type Series } from '../sample/series.js'
import { median } from '../sample/statistics.js'
import { budgetOf, stoppable } from './budget.js'

/**
 * One more block of samples for each query that was measured: the same statements with the same values and the same control query, at another
 * time of the run. The budget of all queries together is shared anew, so that what quick queries left goes to the slow ones. Variants, and
 * what could not be measured the first time, stay as they are. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function measureAgain(
  session: Session,
  measured: readonly QueryMeasurement[],
  options: MeasureOptions,
): Promise<readonly QueryMeasurement[]> {
  const all = limitsOf(options)
  return stoppable(session, all.signal, async () => {
    const budget = budgetOf(all)
    const again: QueryMeasurement[] = []
    for (const [at, one] of measured.entries())
      again.push(await oneMore(session, one, { ...all, timeBudgetMs: budget(measured.length - at) }))
    return again
  })
}

async function oneMore(session: Session, one: QueryMeasurement, limits: Limits): Promise<QueryMeasurement> {
  if (one.query.variants.length > 0) return one
  const series = one.measurements.map(({ subject, status }) =>
    subject === undefined || status !== 'measured' ? null : newSeries(subject),
  )
  await takeSamples(
    session,
    series.filter((each) => each !== null),
    one.control ?? null,
    limits,
  )
  return { ...one, measurements: one.measurements.map((each, at) => withBlock(each, series[at] ?? null)) }
}

/** What failed the second time keeps its first block. */
function withBlock(measured: Measurement, series: Series | null): Measurement {
  if (series === null || series.executionMs.length === 0) return measured
  const { executionMs, controlMs, planningMs } = series
  return {
    ...measured,
    executionMs: [...measured.executionMs, ...executionMs],
    controlMs: [...measured.controlMs, ...controlMs],
    blocks: [...blocksOf(measured), { executionMs, controlMs }],
    planningMs: (measured.planningMs + median(planningMs)) / 2,
  }
}
