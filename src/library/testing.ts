import { AssertionError } from 'node:assert'
import type { ResultQuery } from '../result/documents/result.js'
import type { WrittenProfile, WrittenQuery, WrittenValue } from '../profile/written/schema.js'
import type { CommonOptions } from './options.js'

/* `import { assertQuery } from 'perfdb/testing'`: for a test of any runner, since all it does is throw. */

/** What a query must be, as `expect` in a profile says it, and how it is run. */
export interface QueryExpectation extends CommonOptions {
  /** For $1, $2 ...; a Date and a bigint as PostgreSQL writes them, an object as JSON. */
  readonly params?: readonly ParameterValue[] | undefined
  /** Indexes that the query plan must use. On a table of under 50 pages, which is rightly read whole, it counts what the planner does without sequential scans. */
  readonly uses?: string | readonly string[] | undefined
  /** Shared blocks, hit and read, at most. */
  readonly buffers?: number | undefined
  /** Findings that must not appear: SEQ_SCAN, SPILL, MISESTIMATE ... */
  readonly forbid?: Forbidden | readonly Forbidden[] | undefined
  /** Median execution time at most. Blocks have no noise, times have: prefer `buffers`. */
  readonly timeMs?: number | undefined
  /** Measure a statement that changes data; it is rolled back. */
  readonly allowWrites?: boolean | undefined
  /** Ends a query that takes longer; 30000 by default. */
  readonly statementTimeoutMs?: number | undefined
}

export type ParameterValue = WrittenValue | Date | bigint | { readonly [key: string]: unknown }
type Forbidden = NonNullable<NonNullable<WrittenQuery['expect']>['forbid']>[number]

/**
 * Asserts that a query uses an index, reads so few blocks, and has none of these findings: measured by EXPLAIN ANALYZE in a transaction of
 * its own that is rolled back, so rows that a test has not committed are not seen. Returns what was measured. Throws AssertionError with
 * the query plan when an expectation is missed or the query fails, PerfdbError when it could not even be asked (no connection, SQL that
 * cannot be parsed).
 */
export async function assertQuery(sql: string, expectation: QueryExpectation = {}): Promise<ResultQuery> {
  const { params, uses, buffers, forbid, timeMs, allowWrites = false, statementTimeoutMs, ...common } = expectation
  const { explain } = await import('./perfdb.js')
  const profile: WrittenProfile = {
    version: 1,
    queries: [
      {
        name: 'query',
        sql,
        ...(params === undefined ? {} : { params: params.map(parameterValue) }),
        expect: {
          ...(uses === undefined ? {} : { uses: listed(uses) }),
          ...(buffers === undefined ? {} : { buffers }),
          ...(timeMs === undefined ? {} : { time: `${timeMs}ms` }),
          ...(forbid === undefined ? {} : { forbid: listed(forbid) }),
        },
      },
    ],
  }
  const { queries } = await explain({
    ...common,
    profiles: [profile],
    allow: allowWrites ? ['WRITE_QUERY'] : [],
    statementTimeoutMs,
    // One run tells indexes, blocks and findings; a median needs more.
    samples: timeMs === undefined ? 1 : 21,
  })
  const [query] = queries
  if (query !== undefined && query.status === 'measured' && query.expectations.every((one) => one.met)) return query
  const { queryText } = await import('./query-text.js')
  throw new AssertionError({
    message: query === undefined ? 'the query was not measured' : queryText(sql, query),
    operator: 'assertQuery',
    stackStartFn: assertQuery,
  })
}

function listed<T extends string>(one: T | readonly T[]): T[] {
  return typeof one === 'string' ? [one] : [...one]
}

function parameterValue(value: ParameterValue): WrittenValue {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint') return String(value)
  if (isList(value)) return value
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value
}

function isList(value: ParameterValue): value is readonly WrittenValue[] {
  return Array.isArray(value)
}
