import { PerfdbError } from '../../errors.js'
import type { Definition } from '../../definition/definition.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import type { Session } from '../../server/session.js'
import { compareMeasurements, medianMs, type Verdict } from '../sample/compare.js'
import { readIndexes } from '../sample/indexes.js'
import type { Measurement, QueryMeasurement } from '../sample/measurement.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { namesakeOf } from '../sample/namesake.js'
import { smallPages } from '../sample/tables.js'
import { limitsOf } from '../sample/limits.js'

/** A query (with one parameter set) whose query plan uses an index. */
export interface IndexUse {
  readonly query: string
  readonly params: string | null
  /** Against the measurement before; null when there is none. */
  readonly verdict: Verdict | null
  /** Before divided by after; null without samples on both sides. */
  readonly ratio: number | null
  /** Of the medians; null without samples on both sides. */
  readonly savedMs: number | null
  /** Every table of the query plan is so small that it would be read whole. */
  readonly small: boolean
}

/**
 * Who uses each declared index after the run, and what that query gained, by indexKey. An index of a partition
 * counts for the partitioned one. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function indexUses(
  session: Session,
  declared: readonly DeclaredIndex[],
  before: readonly QueryMeasurement[],
  after: readonly QueryMeasurement[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly IndexUse[]>> {
  const names = declared.map(({ definition }) => definition.name)
  const named = new Set(after.flatMap(({ measurements }) => measurements.flatMap((one) => one.plan?.indexes ?? [])))
  const parts = await partsOf(
    session,
    names.filter((name) => !named.has(name)),
    signal,
  )
  const pairs = after.flatMap((measured) =>
    measured.measurements.map((one, at) => ({
      query: measured.query.name,
      after: one,
      before: counterpart(before, measured, one, at),
    })),
  )
  return new Map(
    declared.map(({ definition }) => {
      const own = parts.get(definition.name) ?? []
      const users = pairs.filter(
        ({ after: { plan } }) =>
          usesIndex(plan, definition) || plan?.indexes.some((index) => own.includes(index)) === true,
      )
      return [indexKey(definition.table.schema, definition.name), users.map(useOf)]
    }),
  )
}

/** Several schemas may have an index of one name: tenants have. */
export function indexKey(schema: string, name: string): string {
  return JSON.stringify([schema, name])
}

/** Whether a query plan uses the index: it names indexes without their schema, so that it must read the table as well. */
export function usesIndex(plan: QueryPlan | null, { name, table }: Pick<Definition, 'name' | 'table'>): boolean {
  return (
    plan !== null &&
    plan.indexes.includes(name) &&
    plan.nodes.some(({ relation, schema }) => relation === table.name && (schema === '' || schema === table.schema))
  )
}

async function partsOf(
  session: Session,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (names.length === 0 || session.lost) return new Map()
  const facts = await readIndexes(session, [], names, limitsOf({ allowWrites: false, signal })).catch(
    (error: unknown) => {
      if (signal?.aborted || (error instanceof PerfdbError && error.code === 'CONNECTION_LOST')) throw error
      return []
    },
  )
  return new Map(facts.map(({ name, parts }) => [name, parts]))
}

/** The same statement with the same values, before. */
export function counterpart(
  before: readonly QueryMeasurement[],
  measured: QueryMeasurement,
  one: Measurement,
  at: number,
): Measurement | null {
  const other = namesakeOf(before, measured.query)
  // The statements of variants have no parameter sets: their order tells them apart.
  if (measured.query.variants.length > 0) return other?.measurements[at] ?? null
  return other?.measurements.find(({ params }) => params === one.params) ?? null
}

function useOf(pair: {
  readonly query: string
  readonly before: Measurement | null
  readonly after: Measurement
}): IndexUse {
  const { query, before, after } = pair
  const comparison = before === null ? null : compareMeasurements(before, after)
  const timed = before !== null && before.executionMs.length > 0 && after.executionMs.length > 0
  return {
    query,
    params: after.params,
    verdict: comparison?.verdict ?? null,
    ratio: comparison?.speedup?.median ?? null,
    savedMs: timed ? medianMs(before) - medianMs(after) : null,
    small: after.tables.every(({ pages }) => pages < smallPages),
  }
}
