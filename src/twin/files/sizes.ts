import { predictBytes } from '../../plan/hazards/predict.js'
import type { Definition } from '../../definition/definition.js'
import { btreeLevels, pageBytes } from './pages.js'
import type { ColumnStatistics, RelationStatistics, Statistics } from '../statistics.js'

/** Statistics by relation, looked up by name. */
export interface Known {
  relation(schema: string, name: string): RelationStatistics | undefined
}

/** How many times as many rows: sizes and counts of rows grow, and with them what n_distinct says as a share of the rows. */
export function scaled(statistics: Statistics, factor: number): Statistics {
  if (factor === 1) return statistics
  return {
    ...statistics,
    relations: statistics.relations.map((one) => ({
      ...one,
      // -1 is that of a partitioned table, which has none.
      pages: one.pages < 0 ? one.pages : Math.round(one.pages * factor),
      tuples: one.tuples < 0 ? one.tuples : one.tuples * factor,
      all_visible: Math.round(one.all_visible * factor),
      bytes: Math.ceil((one.bytes / pageBytes) * factor) * pageBytes,
    })),
  }
}

export function knownBy(statistics: Statistics): Known {
  const all = new Map(statistics.relations.map((one) => [`${one.schema}\0${one.name}`, one]))
  return { relation: (schema, name) => all.get(`${schema}\0${name}`) }
}

/** The levels of an index of the source: of its size, and of as many of its keys as tell two pages apart. */
export function levelsOf(
  { pages, grown }: { readonly pages: number; readonly grown: boolean },
  keys: readonly (string | null)[],
  table: RelationStatistics | undefined,
  index: RelationStatistics | undefined,
): number {
  const rows = Math.max(1, table?.tuples ?? 1)
  let width = 0
  let distinct = 1
  for (const [at, key] of keys.entries()) {
    const column = key === null ? expressionOf(index, at + 1) : columnOf(table, key)
    width += column?.avg_width ?? 8
    distinct *= distinctOf(column, rows) ?? rows
    if (distinct >= pages) return btreeLevels(pages, width, grown)
  }
  // Equal keys are told apart by where their rows are, in 8 bytes.
  return btreeLevels(pages, width + 8, grown)
}

function columnOf(table: RelationStatistics | undefined, name: string): ColumnStatistics | undefined {
  return table?.columns.find((one) => one.name === name)
}

function expressionOf(index: RelationStatistics | undefined, number: number): ColumnStatistics | undefined {
  return index?.columns.find((one) => one.number === number)
}

/** The distinct values of a column in so many rows; null where nobody knows. */
export function distinctOf(column: ColumnStatistics | undefined, rows: number): number | null {
  if (column === undefined || column.n_distinct === 0) return null
  return column.n_distinct > 0 ? column.n_distinct : -column.n_distinct * rows
}

/**
 * The pages of an index that is nowhere yet, with so many rows: as perfdb predicts sizes; where that depends on what is in the values (gin, gist,
 * expressions) a guess from the widths. `guess` says so.
 */
export function newIndexPages(
  definition: Definition,
  rows: number,
  table: RelationStatistics | undefined,
): { readonly pages: number; readonly guess: boolean } {
  const columns = Object.fromEntries(
    (table?.columns ?? []).map((one) => [
      one.name,
      { width: one.avg_width, distinct: distinctOf(one, Math.max(1, table?.tuples ?? 1)) },
    ]),
  )
  const [schema, name] = [definition.table.schema, definition.table.name]
  const statistics = {
    schema,
    name,
    rows,
    updates: 0,
    hotUpdates: 0,
    indexedColumns: [],
    columns,
    updatedColumns: null,
    filled: rows > 0,
    wideColumns: [],
  }
  const predicted = predictBytes(definition, statistics)
  if (predicted !== null) return { pages: Math.max(1, Math.ceil(predicted / pageBytes)), guess: false }
  const widths = definition.keys.map((key) =>
    key.column === undefined ? 16 : (columnOf(table, key.column)?.avg_width ?? 16),
  )
  const width = widths.reduce((sum, one) => sum + one, 0)
  return { pages: Math.max(1, Math.ceil((rows * (12 + Math.ceil(width / 8) * 8)) / 7300)), guess: true }
}
