import type { Kysely } from 'kysely'
import type { ProvenSpeedup } from '../ledger.js'
import type { Tables } from '../tables/tables.js'

/** The speedup of a query in the latest run that built one of these indexes, and was not rolled back; null without one. */
export async function provenSpeedup(
  db: Kysely<Tables>,
  query: string,
  indexes: readonly string[],
): Promise<ProvenSpeedup | null> {
  const row = await db
    .selectFrom('measurements')
    .innerJoin('runs', 'runs.id', 'measurements.run')
    .where('measurements.query', '=', query)
    .where('measurements.side', '=', 'after')
    .where('runs.rolled_back_at', 'is', null)
    .where((builder) =>
      builder.exists(
        builder
          .selectFrom('steps')
          .whereRef('steps.run', '=', 'measurements.run')
          .where('steps.state', '=', 'done')
          .where('steps.outcome', 'in', ['built', 'rebuilt', 'replaced'])
          .where('steps.index_name', 'in', [...indexes, ''])
          .select('steps.number'),
      ),
    )
    .select(['measurements.run', 'measurements.document'])
    .orderBy('measurements.run', 'desc')
    .limit(1)
    .executeTakeFirst()
  const speedup = intervalOf(row?.document, 'speedup')
  return row === undefined || speedup === null ? null : { run: row.run, speedup }
}

/** An interval of a kept measurement; null of one that earlier versions, or somebody else, wrote without. */
export function intervalOf(document: unknown, key: 'execution_ms' | 'speedup'): ProvenSpeedup['speedup'] | null {
  const written: unknown =
    typeof document === 'object' && document !== null
      ? Object.getOwnPropertyDescriptor(document, key)?.value
      : undefined
  if (typeof written !== 'object' || written === null) return null
  const { median, low, high } = { median: NaN, low: NaN, high: NaN, ...written }
  return [median, low, high].every(Number.isFinite) ? { median, low, high } : null
}
