import type { Listener } from '../../build/events.js'
import type { HazardCode } from '../../codes/hazard-codes.js'
import type { MeasureOptions } from '../../measure/sample/limits.js'
import type { QueryMeasurement } from '../../measure/sample/measurement.js'
import type { Profile } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import type { CounterfactualChoice } from './proof-hiding.js'

export interface ProofOptions {
  /** The profiles' queries, before and after. */
  readonly measure: boolean
  readonly samples: number | undefined
  readonly timeBudgetMs: number | undefined
  readonly allow: ReadonlySet<HazardCode>
  readonly signal: AbortSignal
  readonly listener: Listener
  /** auto when left out. */
  readonly counterfactual?: CounterfactualChoice | undefined
  /** Opens sessions on the replicas, whose counters belong to what an index is used for. */
  readonly openReplicas?: (() => Promise<{ readonly sessions: readonly Session[] } & AsyncDisposable>) | undefined
}

/** The queries of the profiles, so many blocks of samples to be taken of each in all; with the values and the controls of before. */
export async function measure(
  session: Session,
  profiles: readonly Profile[],
  options: ProofOptions,
  blocks: number,
  before: readonly QueryMeasurement[] = [],
): Promise<readonly QueryMeasurement[]> {
  const [{ measureQueries, withValuesOf }, { declaredFor }] = await Promise.all([
    import('../../measure/query/rounds.js'),
    import('../../measure/price/not-used.js'),
  ])
  const queries = withValuesOf(
    before,
    profiles.flatMap((profile) => profile.queries),
  )
  const declared = profiles.flatMap((profile) => profile.indexes)
  const { median } = await import('../../measure/sample/statistics.js')
  return measureQueries(session, queries, {
    ...measureOptions(options, blocks),
    before,
    indexesFor: declaredFor(declared),
    onMeasured: ({ query, measurements }, number, of) => {
      const medians = measurements.flatMap(({ executionMs }) => (executionMs.length === 0 ? [] : [median(executionMs)]))
      const executionMs = medians.length === 0 ? null : Math.max(...medians)
      options.listener({ type: 'measured', query: query.name, number, of, executionMs })
    },
  })
}

/** The second of two blocks. */
export async function measureBlockAgain(
  session: Session,
  measured: readonly QueryMeasurement[],
  options: ProofOptions,
): Promise<readonly QueryMeasurement[]> {
  const { measureAgain } = await import('../../measure/query/again.js')
  return measureAgain(session, measured, measureOptions(options, 2))
}

function measureOptions({ allow, samples, timeBudgetMs, signal }: ProofOptions, blocks: number): MeasureOptions {
  return { allowWrites: allow.has('WRITE_QUERY'), samples, timeBudgetMs, signal, blocks }
}
