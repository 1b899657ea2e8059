import type { TableStatistics } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import type { Hazard } from '../plan.js'

/** Fewer HOT updates than this since the statistics were reset say nothing about a table. */
const fewUpdates = 1000

/**
 * An index on a column that the application updates takes HOT from those updates: each then writes to every index of the table
 * (2,000 of 2,000 HOT updates became 0 in the field). Proof are the UPDATEs in pg_stat_statements; where that is not to be
 * read, names such as updated_at and last_seen speak for themselves. https://www.postgresql.org/docs/current/storage-hot.html
 */
export function hotLoss(definition: Definition, statistics: TableStatistics | undefined): readonly Hazard[] {
  // BRIN summarizes: since 16 it does not stand in the way of HOT.
  if (statistics === undefined || definition.method === 'brin') return []
  const { updates, hotUpdates, indexedColumns, updatedColumns } = statistics
  if (hotUpdates < fewUpdates || hotUpdates < updates / 2) return []
  const fresh = columnsOf(definition, Object.keys(statistics.columns)).filter(
    (column) => !indexedColumns.includes(column),
  )
  const hot = fresh.filter((column) =>
    updatedColumns === null ? restless.test(column) : updatedColumns.includes(column),
  )
  if (hot.length === 0) return []
  const share = Math.round((100 * hotUpdates) / Math.max(1, updates))
  const proof =
    updatedColumns === null
      ? 'by its name it changes with every update'
      : 'the application updates it (pg_stat_statements)'
  return [
    {
      code: 'HOT_LOSS',
      message: `${share} % of the updates of ${definition.table.name} are HOT, and ${hot.join(', ')} is in no index yet: ${proof}, so these updates would write to every index of the table`,
    },
  ]
}

const restless =
  /(^|_)(updated|modified|changed|touched|last|seen|heartbeat|counter|count|counts|hits|views|version|revision)(_|$)/i

/** Columns of keys, include, expressions and predicate; in SQL text a column counts where its name stands as a word. */
function columnsOf(definition: Definition, columns: readonly string[]): readonly string[] {
  const named = [...definition.keys.flatMap((key) => key.column ?? []), ...definition.include]
  const texts = [...definition.keys.flatMap((key) => key.expression ?? []), definition.predicate ?? '']
  const words = new Set(texts.flatMap((text) => text.match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? []))
  return columns.filter((column) => named.includes(column) || words.has(column))
}
