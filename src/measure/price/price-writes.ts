import type { WriteCost } from '../../result/documents/result.js'
import { counterpart } from './price-uses.js'
import type { Measurement, QueryMeasurement } from '../sample/measurement.js'
import { round, rounded } from '../query/result-queries.js'
import { medianInterval } from '../sample/statistics.js'
import { tableOf } from '../plan/plan-node.js'

/**
 * What each declared statement that writes cost before and after, on tables that the run built on (`built` counts the
 * indexes by `schema.table`). Buffers and WAL records have little noise (pruning what
 * earlier runs left, pages that split); times have more.
 */
export function writeCosts(
  before: readonly QueryMeasurement[],
  after: readonly QueryMeasurement[],
  built: ReadonlyMap<string, number>,
): WriteCost[] {
  return after.flatMap((measured) =>
    measured.measurements.flatMap((one, at) => {
      const other = counterpart(before, measured, one, at)
      const table = writtenTable(one)
      const indexes = built.get(table) ?? 0
      if (other === null || indexes === 0 || other.status !== 'measured' || one.status !== 'measured') return []
      const params = one.params === null || one.params === 'default' ? {} : { params: one.params }
      return [{ query: measured.query.name, ...params, table, indexes, before: sideOf(other), after: sideOf(one) }]
    }),
  )
}

/** `schema.table` of an INSERT, UPDATE, DELETE or MERGE; empty for a statement that only reads. */
function writtenTable({ plan }: Measurement): string {
  const node = plan?.nodes.find(({ type }) => type === 'ModifyTable')
  return node === undefined ? '' : tableOf(node)
}

function sideOf({ executionMs, buffers, plan }: Measurement): WriteCost['before'] {
  return {
    execution_ms: rounded(medianInterval(executionMs)),
    buffers: buffers.hit + buffers.read,
    wal_records: plan?.wal.records ?? 0,
    wal_bytes: round(plan?.wal.bytes ?? 0),
  }
}
