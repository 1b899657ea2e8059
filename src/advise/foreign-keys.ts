import type { Limits } from '../measure/sample/limits.js'
import { rolledBack } from '../measure/sample/sample.js'
import { catalogOnly } from '../measure/sample/tables.js'
import type { Query } from '../profile/profile.js'
import type { Session } from '../server/session/session.js'
import { unservedForeignKeysSql } from '../sql/statements/advise.js'

/** What PostgreSQL itself asks when a row goes that a foreign key may refer to; how often it did since the counters were reset. */
export interface KeyQuery {
  readonly query: Query
  readonly deleted: number
}

/**
 * The foreign keys that no index serves, though rows that they may refer to are deleted, as queries: each of these deletes reads the referring table
 * whole. Throws the server's errors.
 */
export async function foreignKeyQueries(session: Session, limits: Limits): Promise<readonly KeyQuery[]> {
  const rows = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<{ table: string; name: string; referenced: string; deleted: number; sql: string }>(
      unservedForeignKeysSql,
    ),
  )
  return rows.map(({ table, name, referenced, deleted, sql }) => ({
    deleted,
    query: {
      name: `deletes from ${referenced}, by ${name} of ${table}`,
      sql,
      parameters: [],
      variants: [],
      expect: {},
      place: { file: 'advise', line: 1, column: 1 },
    },
  }))
}
