import { buildSearchPath } from '../catalog/probe.js'
import type { Definition } from '../definition/definition.js'
import { quoteQualified } from '../definition/quote.js'
import type { Session } from '../server/session.js'
import { keyExpressionSql } from '../sql/index-ddl.js'

/**
 * Up to five keys that stand in the way of a unique index, the most frequent first, as `(a, b): 3 rows`. Bounded by a
 * statement timeout of 30 s; null when it could not look in that time or may not read the table.
 */
export async function duplicateKeys(session: Session, definition: Definition): Promise<readonly string[] | null> {
  const keys = definition.keys.map(keyExpressionSql)
  const conditions = [
    ...(definition.predicate === undefined ? [] : [`(${definition.predicate}\n)`]),
    // Nulls are distinct from each other unless the index says otherwise.
    ...(definition.nullsDistinct ? keys.map((key) => `${key} is not null`) : []),
  ]
  const sql = `select pg_catalog.concat_ws(', ', ${keys.map((key) => `coalesce((${key})::text, 'null')`).join(', ')}) as key, count(*)::int8 as rows
    from ${quoteQualified(definition.table.schema, definition.table.name)}
    ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
    group by ${keys.join(', ')} having count(*) > 1 order by count(*) desc, 1 limit 5`
  return session
    .rolledBack(
      {
        readOnly: true,
        statementTimeoutMs: 30_000,
        lockTimeoutMs: 600,
        set: { search_path: buildSearchPath(session, definition.table.schema) },
      },
      () => session.query<{ key: string; rows: number }>(sql),
    )
    .then(
      (rows) => rows.map(({ key, rows: count }) => `(${key}): ${count} rows`),
      () => null,
    )
}
