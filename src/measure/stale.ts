import type { Finding } from '../plan/plan.js'
import type { Query } from '../profile/profile.js'
import type { Session } from '../server/session.js'
import { stoppedEarly } from './estimate-rules.js'
import type { Limits } from './measurement.js'
import type { QueryPlan } from './query-plan.js'
import { count, tableOf } from './rule.js'
import { rolledBack } from './sample.js'

/** What the planner knows of a table, and since when. Rows are counts. */
export interface TableStatistics {
  /** `schema.table` */
  readonly table: string
  /** pg_class.reltuples; -1 when it was never vacuumed or analyzed. */
  readonly estimated_rows: number
  /** It holds rows and no column of it has statistics. */
  readonly never: boolean
  readonly changed_rows: number
  /** Changed rows after which autovacuum analyzes it. */
  readonly threshold: number
}

/**
 * STALE_STATISTICS for the tables that a query plan reads: never analyzed, changed by more than autovacuum's threshold
 * since, or a whole sequential scan found 20 % more or fewer rows than the planner believes. Throws the server's errors.
 */
export async function staleFindings(
  session: Session,
  plan: QueryPlan,
  query: Query,
  limits: Limits,
): Promise<readonly Finding[]> {
  const tables = new Map(plan.nodes.filter((node) => node.schema !== '').map((node) => [tableOf(node), node]))
  if (tables.size === 0) return []
  const names = [[...tables.values()].map((node) => node.schema), [...tables.values()].map((node) => node.relation)]
  const settings = { readOnly: true, set: { search_path: 'pg_catalog' } }
  const rows = await rolledBack(session, limits, settings, async () =>
    session.query<TableStatistics>(statisticsSql, names),
  )
  return rows.flatMap((row) => {
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
export function staleReason(table: TableStatistics, scanned: number | null): string | null {
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

/** Thresholds as autovacuum takes them: storage parameters of the table before settings of the server. */
const statisticsSql = `
  select n.nspname || '.' || c.relname as table, c.reltuples::float8 as estimated_rows,
    pg_relation_size(c.oid) > 0 and coalesce(s.last_analyze, s.last_autoanalyze) is null
      and not exists (select from pg_stats p where p.schemaname = n.nspname and p.tablename = c.relname) as never,
    coalesce(s.n_mod_since_analyze, 0)::float8 as changed_rows,
    coalesce(o.threshold, current_setting('autovacuum_analyze_threshold')::float8)
      + coalesce(o.factor, current_setting('autovacuum_analyze_scale_factor')::float8) * greatest(c.reltuples, 0) as threshold
  from unnest($1::text[], $2::text[]) as wanted (schema, name)
  join pg_namespace n on n.nspname = wanted.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name and c.relkind in ('r', 'm')
  left join pg_stat_user_tables s on s.relid = c.oid
  left join lateral (
    select max(option_value::float8) filter (where option_name = 'autovacuum_analyze_threshold') as threshold,
      max(option_value::float8) filter (where option_name = 'autovacuum_analyze_scale_factor') as factor
    from pg_options_to_table(c.reloptions) where option_name like 'autovacuum_analyze%'
  ) o on true`
