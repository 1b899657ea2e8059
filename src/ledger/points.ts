import type { Kysely } from 'kysely'
import type { Tables } from './tables/tables.js'

/** A step of a run, as the ledger wrote it down. */
export interface StepPoint {
  readonly run: number
  readonly at: Date
  readonly schema: string
  readonly index: string
  readonly step: string
  readonly outcome: string | null
  readonly sizeBytes: number | null
  readonly durationMs: number | null
}

/** One side of a query as a run measured it. `document` is whatever stands in the ledger: the reader checks it. */
export interface QueryPoint {
  readonly run: number
  readonly at: Date
  readonly query: string
  readonly parameterSet: string | null
  readonly side: 'before' | 'after'
  readonly verdict: string | null
  readonly document: unknown
}

export interface Points {
  /** How many runs that is: fewer where the ledger has no more. */
  readonly runs: number
  readonly steps: readonly StepPoint[]
  readonly queries: readonly QueryPoint[]
}

/** What the latest `runs` runs wrote of an index or a query of that name, of all without one; the oldest first. An index may be named with its schema. */
export async function readPoints(db: Kysely<Tables>, name: string | null, runs: number): Promise<Points> {
  const latest = db.selectFrom('runs').select('id').orderBy('id', 'desc').limit(runs)
  let steps = db
    .selectFrom('steps')
    .innerJoin('runs', 'runs.id', 'steps.run')
    .where('steps.run', 'in', latest)
    .select([
      'steps.run',
      'runs.started_at as at',
      'steps.schema_name as schema',
      'steps.index_name as index',
      'steps.step',
      'steps.outcome',
      'steps.size_bytes as sizeBytes',
      'steps.duration_ms as durationMs',
    ])
    .orderBy('steps.run')
    .orderBy('steps.number')
  let queries = db
    .selectFrom('measurements')
    .innerJoin('runs', 'runs.id', 'measurements.run')
    .where('measurements.run', 'in', latest)
    .select([
      'measurements.run',
      'runs.started_at as at',
      'measurements.query',
      'measurements.parameter_set as parameterSet',
      'measurements.side',
      'measurements.verdict',
      'measurements.document',
    ])
    .orderBy('measurements.id')
  if (name !== null) {
    const [schema, index] = name.includes('.')
      ? [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)]
      : []
    steps = steps.where((where) =>
      where.or([
        where('steps.index_name', '=', name),
        ...(schema === undefined || index === undefined
          ? []
          : [where.and([where('steps.schema_name', '=', schema), where('steps.index_name', '=', index)])]),
      ]),
    )
    queries = queries.where('measurements.query', '=', name)
  }
  const { length } = await latest.execute()
  return { runs: length, steps: await steps.execute(), queries: await queries.execute() }
}
