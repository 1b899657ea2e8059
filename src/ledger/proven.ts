import type { Kysely } from 'kysely'
import type { ProvenSpeedup } from './ledger.js'
import type { Tables } from './tables.js'

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
  const speedup = speedupOf(row?.document)
  return row === undefined || speedup === null ? null : { run: row.run, speedup }
}

/** Of a kept measurement; null of one that earlier versions kept without. */
function speedupOf(document: unknown): ProvenSpeedup['speedup'] | null {
  if (typeof document !== 'object' || document === null || !('speedup' in document)) return null
  const { speedup } = document
  if (typeof speedup !== 'object' || speedup === null) return null
  const { median, low, high } = { median: NaN, low: NaN, high: NaN, ...speedup }
  return [median, low, high].every(Number.isFinite) ? { median, low, high } : null
}
