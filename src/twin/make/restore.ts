import type { Session } from '../../server/session/session.js'
import { restoreColumnsSql, restoreRelationsSql } from '../../sql/twin/twin-restore.js'
import type { RelationStatistics, Statistics } from '../statistics.js'

const batch = 200

/** Restores statistics as the owner of everything. Gives what the schema has not, and what PostgreSQL did not take. Throws the server's errors. */
export async function restore(owner: Session, { relations }: Statistics): Promise<readonly string[]> {
  await restoreRelations(owner, relations)
  const columns = relations.flatMap(({ schema, name: relation, columns: all }) =>
    all.map((column) => ({ ...column, schema, relation })),
  )
  const gaps: string[] = []
  for (let at = 0; at < columns.length; at += batch) {
    const rows = await owner.query<{ schema: string; relation: string; name: string; missing: boolean }>(
      restoreColumnsSql,
      [JSON.stringify(columns.slice(at, at + batch))],
    )
    gaps.push(
      ...rows.map(({ schema, relation, name, missing }) =>
        missing
          ? `${schema}.${relation}.${name}: the statistics have it, the schema has not`
          : `${schema}.${relation}.${name}: PostgreSQL did not take its statistics`,
      ),
    )
  }
  return gaps
}

/** Pages and rows of relations. */
export async function restoreRelations(
  owner: Session,
  relations: readonly Pick<RelationStatistics, 'schema' | 'name' | 'pages' | 'tuples' | 'all_visible'>[],
): Promise<void> {
  const rows = relations.map(({ schema, name, pages, tuples, all_visible }) => ({
    schema,
    name,
    pages,
    tuples,
    all_visible,
  }))
  for (let at = 0; at < rows.length; at += batch)
    await owner.query(restoreRelationsSql, [JSON.stringify(rows.slice(at, at + batch))])
}
