import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import { stoppedEarly } from './estimate-rules.js'
import type { QueryPlan } from '../plan/query-plan.js'
import type { TableFacts } from '../sample/tables.js'
import { count, tableOf } from '../plan/plan-node.js'

/**
 * STALE_STATISTICS for the tables that a query plan reads: never analyzed, changed by more than autovacuum's threshold
 * since, or a whole sequential scan found 20 % more or fewer rows than the planner believes.
 */
export function staleFindings(plan: QueryPlan, tables: readonly TableFacts[], query: Query): readonly Finding[] {
  return tables.flatMap((row) => {
    const reason = staleReason(row, scannedRows(plan, row.table))
    if (reason === null) return []
    return [
      {
        code: 'STALE_STATISTICS',
        severity: 'warning',
        table: row.table,
        query: query.name,
        place: query.place,
        message: `${row.table} ${reason}`,
        hint: `analyze ${row.table}`,
      },
    ]
  })
}

/** Why the statistics are stale, null when they are not. `scanned` is the rows that a whole scan met. */
export function staleReason(table: Omit<TableFacts, 'pages'>, scanned: number | null): string | null {
  if (table.never) return 'was never analyzed'
  if (table.changed_rows > table.threshold) {
    return `had ${count(table.changed_rows)} rows changed since it was analyzed (autovacuum analyzes after ${count(table.threshold)})`
  }
  if (scanned === null || table.estimated_rows < 0) return null
  const most = Math.max(scanned, table.estimated_rows)
  if (most < 100 || Math.abs(scanned - table.estimated_rows) <= 0.2 * most) return null
  return `holds ${count(scanned)} rows, and the planner believes ${count(table.estimated_rows)}`
}

/** Rows that a sequential scan to the end met, null when there is none. */
function scannedRows(plan: QueryPlan, table: string): number | null {
  const scan = plan.nodes.find(
    (node) => node.type === 'Seq Scan' && tableOf(node) === table && node.loops > 0 && !stoppedEarly(plan, node),
  )
  if (scan === undefined) return null
  // Parallel workers share one scan; another node scans the table anew in each loop.
  return (scan.rows + scan.removedByFilter) / (scan.parallel ? 1 : scan.loops)
}
