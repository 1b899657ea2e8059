import { PerfdbError } from '../../errors.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { quoteName } from '../../definition/quote.js'
import { limitsOf } from '../sample/limits.js'
import type { QueryMeasurement } from '../sample/measurement.js'
import { rolledBack } from '../sample/sample.js'

/** What one run of a query counts for against one run of another. */
export interface Weights {
  /** By the name of the query; 1 for what is not in it. */
  readonly of: ReadonlyMap<string, number>
  /** Calls in pg_stat_statements, `weight:` of the profile, or all alike. */
  readonly by: 'calls' | 'declared' | 'equal'
}

/**
 * The calls of pg_stat_statements where every query has some: found by the identifier that EXPLAIN (VERBOSE) prints, so only for statements that
 * the application sends with the same parameters. Else `weight:` where a query has one, else all alike. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function weightsOf(
  session: Session,
  measured: readonly QueryMeasurement[],
  signal: AbortSignal | undefined,
): Promise<Weights> {
  const single = measured.filter(({ query, measurements }) => query.variants.length === 0 && measurements.length > 0)
  const calls = await callsOf(session, single, signal).catch((error: unknown) => {
    if (signal?.aborted || !(error instanceof PerfdbError) || error.code === 'CONNECTION_LOST') throw error
    return new Map<string, number>()
  })
  if (single.length > 0 && single.every(({ query }) => calls.has(query.name))) return { of: calls, by: 'calls' }
  return declaredWeights(measured.map(({ query }) => query))
}

export function declaredWeights(queries: readonly Query[]): Weights {
  const of = new Map(queries.flatMap(({ name, weight }) => (weight === undefined ? [] : [[name, weight] as const])))
  return { of, by: of.size > 0 ? 'declared' : 'equal' }
}

async function callsOf(
  session: Session,
  measured: readonly QueryMeasurement[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, number>> {
  const [extension] = await session.query<{ readonly schema: string }>(
    `select n.nspname as schema from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) e.extnamespace
     where e.extname operator(pg_catalog.=) 'pg_stat_statements'`,
  )
  const calls = new Map<string, number>()
  if (extension === undefined) return calls
  const limits = limitsOf({ allowWrites: false, signal })
  for (const { query, measurements } of measured) {
    const subject = measurements.find((one) => one.subject !== undefined)?.subject
    if (subject === undefined) continue
    const text = `explain (verbose, costs off) ${subject.text}`
    const lines = await rolledBack(session, limits, { readOnly: true }, async () =>
      session.query<Readonly<Record<string, string>>>(text, subject.values),
    )
    const id = /^Query Identifier: (-?\d+)$/m.exec(lines.map((line) => line['QUERY PLAN'] ?? '').join('\n'))?.[1]
    if (id === undefined) continue
    const [row] = await rolledBack(session, limits, { readOnly: true, set: { search_path: 'pg_catalog' } }, async () =>
      session.query<{ readonly calls: number }>(
        `select coalesce(sum(calls), 0)::int8 as calls from ${quoteName(extension.schema)}.pg_stat_statements
         where queryid = $1::int8 and dbid = (select oid from pg_database where datname = current_database())`,
        [id],
      ),
    )
    if (row !== undefined && row.calls > 0) calls.set(query.name, row.calls)
  }
  return calls
}
