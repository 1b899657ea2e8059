import { quoteName } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { parseArray } from '../../server/session/values.js'
import { usesColumn } from '../../sql/parser/column-references.js'
import { expressionKeysSql, expressionValuesSql, restoreColumnsSql } from '../../sql/twin/twin-restore.js'
import { distinctOf } from '../files/sizes.js'
import { arrayText } from '../read/stand-ins.js'
import type { ColumnStatistics, RelationStatistics } from '../statistics.js'

/** A leaf index on the twin, and what the source knows of its table. */
export interface ExpressionIndex {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly table: RelationStatistics | undefined
}

interface KeyRow {
  readonly number: number
  /** As the catalog prints it for an empty search_path. */
  readonly expression: string
  readonly types: Readonly<Record<string, string>>
}

interface Value {
  readonly value: string | null
  readonly weight: number
  /** Of it the part of most common values. */
  readonly common: number
  readonly width: number
}

/**
 * An index that is nowhere yet has no statistics of its expressions, and the planner would guess that each value is one of 200. They are made of the values
 * that the statistics of the column hold, for an expression of one column: about what ANALYZE will find after the build. For a session of the
 * ordinary role with search_path = pg_catalog: the expression runs. What cannot be computed stays a guess. Throws CONNECTION_LOST.
 */
export async function restoreExpressions(owner: Session, { oid, schema, name, table }: ExpressionIndex): Promise<void> {
  if (table === undefined) return
  for (const { number, expression, types } of await owner.query<KeyRow>(expressionKeysSql, [oid])) {
    const used: ColumnStatistics[] = []
    for (const column of table.columns) if (await usesColumn(expression, column.name)) used.push(column)
    const own = used.filter(({ inherited }) => !inherited)
    const [column] = own.length > 0 ? own : used
    const type = types[column?.name ?? '']
    if (column === undefined || type === undefined || new Set(used.map((one) => one.name)).size !== 1) continue
    const sample = sampleOf(column)
    try {
      const values = await owner.query<Value>(expressionValuesSql(expression, quoteName(column.name), type), [
        sample.map(({ value }) => value),
        sample.map(({ weight }) => weight),
        sample.map(({ common }) => String(common)),
      ])
      const found = statisticsOf(column, sample.length, values, table.tuples)
      if (found !== null)
        await owner.query(restoreColumnsSql, [
          JSON.stringify([{ ...found, schema, relation: name, name: expression, number, inherited: false }]),
        ])
    } catch (error) {
      if (!(error instanceof PerfdbError) || owner.lost) throw error
    }
  }
}

/** Values of a column with the share of the rows that each stands for. */
function sampleOf({ most_common_vals, most_common_freqs, histogram_bounds, null_frac }: ColumnStatistics) {
  const list = (text: string | undefined) => (text === undefined ? [] : parseArray(text, String))
  const shares = list(most_common_freqs).map(Number)
  const bounds = list(histogram_bounds)
  const rest = Math.max(0, 1 - null_frac - shares.reduce((sum, one) => sum + one, 0))
  return [
    ...list(most_common_vals).map((value, at) => ({ value: String(value), weight: shares[at] ?? 0, common: true })),
    ...bounds.map((value) => ({ value: String(value), weight: rest / bounds.length, common: false })),
  ]
}

/** null where the sample is too small to say anything. */
function statisticsOf(column: ColumnStatistics, sampled: number, all: readonly Value[], rows: number) {
  const values = all.filter(({ value }) => value !== null).toSorted((one, other) => other.weight - one.weight)
  if (sampled < 2 || values.length === 0) return null
  const few = values.length <= sampled / 2
  const most = distinctOf(column, Math.max(1, rows)) ?? Math.max(1, rows)
  // So many values would be expected to meet as often in a sample of that size.
  const meeting = (sampled * (sampled - 1)) / (2 * Math.max(sampled - values.length, 0.5))
  const distinct = few ? values.length : values.length === sampled ? most : Math.min(most, meeting)
  const common = values.filter((one) => few || one.common > 0)
  const nulls = all.find(({ value }) => value === null)?.weight ?? 0
  return {
    null_frac: Math.min(1, column.null_frac + nulls),
    avg_width: Math.max(1, Math.round(values.reduce((sum, { width }) => sum + width, 0) / values.length)),
    n_distinct: distinct > rows / 10 ? -Math.min(1, distinct / Math.max(1, rows)) : Math.max(1, distinct),
    ...(common.length === 0
      ? {}
      : {
          most_common_vals: arrayText(common.map(({ value }) => value ?? '')),
          most_common_freqs: arrayText(common.map((one) => String(few ? one.weight : one.common))),
        }),
  }
}
