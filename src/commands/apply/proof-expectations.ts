import type { Ledger, ProvenSpeedup } from '../../ledger/ledger.js'
import type { StepResult } from '../../build/context.js'
import type { QueryMeasurement } from '../../measure/sample/measurement.js'
import type { Profile, Query } from '../../profile/profile.js'

/** What the ledger knows of the latest run that built one of these indexes and measured this query; null where it knows none. */
export type Proven = Ledger['provenSpeedup']

/** The indexes that this run built, rebuilt or replaced, or that another session built meanwhile. */
export function builtIndexes(results: readonly StepResult[]): readonly BuiltIndex[] {
  return results
    .filter(({ outcome, state }) => state === 'valid' && ['built', 'rebuilt', 'replaced', 'waited'].includes(outcome))
    .map(({ step }) => ({
      schema: step.schema,
      name: step.index,
      table: `${step.table.schema}.${step.table.name}`,
    }))
}

export interface BuiltIndex {
  readonly schema: string
  readonly name: string
  /** `schema.table` */
  readonly table: string
}

/**
 * Why the speedup that a query expects is not checked in this run: it built none of the indexes that `uses` and `for` name (where they name
 * none: none on a table that the query reads), so that before and after are the same thing. null where it is checked.
 */
export async function notCheckedIn(
  results: readonly StepResult[],
  profiles: readonly Profile[],
  measured: readonly QueryMeasurement[],
  proven: Proven,
): Promise<(measured: QueryMeasurement) => string | null> {
  const built = builtIndexes(results)
  const reasons = new Map<QueryMeasurement, string>()
  for (const one of measured) {
    if (one.query.expect.speedup === undefined) continue
    const wanted = wantedBy(one.query, profiles)
    const tables = new Set(one.measurements.flatMap(({ tables: read }) => read.map(({ table }) => table)))
    const changed = built.some(({ name, table }) => (wanted.length > 0 ? wanted.includes(name) : tables.has(table)))
    if (changed) continue
    const found = await proven(one.query.name, wanted).catch(() => null)
    const [first] = wanted
    const what =
      first === undefined
        ? 'this run built no index on its tables'
        : `${wanted.length === 1 ? first : wanted.join(', ')} already existed before this run`
    reasons.set(one, found === null ? what : `${what}; run ${found.run} measured ${speedupText(found)}`)
  }
  return (one) => reasons.get(one) ?? null
}

function wantedBy({ name, expect }: Query, profiles: readonly Profile[]): readonly string[] {
  const declared = profiles.flatMap(({ indexes }) => indexes.filter((index) => index.for.includes(name)))
  const names = [...(expect.uses ?? []), ...declared.map(({ definition }) => definition.name)]
  return [...new Set(names.map((index) => index.slice(index.lastIndexOf('.') + 1)))]
}

function speedupText({ speedup: { median, low, high } }: ProvenSpeedup): string {
  const factor = (value: number) => `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)}x`
  return `${factor(median)} (${factor(low)} to ${factor(high)})`
}
