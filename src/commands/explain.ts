import { measureQueries } from '../measure/rounds.js'
import type { MeasureOptions, QueryMeasurement } from '../measure/measurement.js'
import { comparisons } from '../measure/comparisons.js'
import { toResultQueries } from '../measure/result-queries.js'
import type { Query } from '../profile/profile.js'
import type { Session } from '../server/session.js'
import { about } from './documents.js'
import { exitCode } from './exit-code.js'
import type { ExplainResult, ResultQuery } from './result.js'

export interface ExplainOptions extends MeasureOptions {
  /** What was measured at another time, to compare with. */
  readonly before?: readonly QueryMeasurement[] | undefined
}

/**
 * The query audit: measures each query, checks what its profile expects of it, compares variants. Changes nothing and
 * prints nothing. The exit code is 1 when an expectation was missed or a query was refused or failed; findings about
 * the query plan are warnings and leave it 0. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function runExplain(
  session: Session,
  queries: readonly Query[],
  options: ExplainOptions,
): Promise<ExplainResult> {
  const startedAt = new Date()
  const measured = await measureQueries(session, queries, options)
  const documents = toResultQueries(options.before ?? null, measured)
  const code = exitCode({ refusals: documents.filter(missed).length })
  return {
    ...about(code, session, startedAt),
    command: 'explain',
    queries: documents,
    comparisons: comparisons(measured),
    findings: [],
  }
}

function missed({ status, expectations }: ResultQuery): boolean {
  return status === 'refused' || status === 'failed' || expectations.some((expectation) => !expectation.met)
}
