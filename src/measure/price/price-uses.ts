import { PerfdbError } from '../../errors.js'
import type { Definition } from '../../definition/definition.js'
import type { DeclaredIndex, Query } from '../../profile/profile.js'
import type { Without } from '../query/counterfactual.js'
import { tableOf } from '../plan/plan-node.js'
import type { Session } from '../../server/session/session.js'
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
  /** Other new indexes of the query plan: the gain is of all together. Empty where it was measured without this one alone. */
  readonly together: readonly string[]
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
  { before, after, noiseFor, without, built }: Compared,
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
      query: measured.query,
      noise: noiseFor(measured),
      without,
      built,
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
      return [indexKey(definition.table.schema, definition.name), users.map((pair) => useOf(pair, definition))]
    }),
  )
}

/** Both sides of a run, and what else tells the gain of one index. */
export interface Compared {
  readonly before: readonly QueryMeasurement[]
  readonly after: readonly QueryMeasurement[]
  readonly noiseFor: (after: QueryMeasurement) => number
  readonly without: readonly Without[]
  /** Built in this run; `table` is `schema.table`. */
  readonly built: readonly { readonly schema: string; readonly name: string; readonly table: string }[]
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

interface Pair extends Pick<Compared, 'without' | 'built'> {
  readonly query: Query
  readonly before: Measurement | null
  readonly after: Measurement
  readonly noise: number
}

function useOf(pair: Pair, { name, table }: Definition): IndexUse {
  const { query, before, after, noise, without, built } = pair
  const alone = without.find(
    (one) =>
      one.query === query.name &&
      one.file === query.place.file &&
      one.params === after.params &&
      one.index.name === name &&
      one.index.schema === table.schema,
  )
  const comparison = alone?.comparison ?? (before === null ? null : compareMeasurements(before, after, noise))
  const tables = new Set(after.plan?.nodes.map(tableOf))
  const others = built.filter(
    (one) => one.name !== name && tables.has(one.table) && after.plan?.indexes.includes(one.name) === true,
  )
  const timed =
    comparison !== null && comparison.before.executionMs.length > 0 && comparison.after.executionMs.length > 0
  return {
    query: query.name,
    params: after.params,
    verdict: comparison?.verdict ?? null,
    ratio: comparison?.speedup?.median ?? null,
    savedMs: timed ? medianMs(comparison.before) - medianMs(comparison.after) : null,
    together: alone === undefined ? others.map((one) => one.name) : [],
    small: after.tables.every(({ pages }) => pages < smallPages),
  }
}
