import type { Session } from '../../server/session/session.js'
import { hypotheticalIndexesSql, hypotheticalResetSql } from '../../sql/measure/what-if.js'
import { rolledBack } from '../sample/sample.js'
import type { Limits } from '../sample/limits.js'

/** HypoPG in this database; its schema is quoted. https://hypopg.readthedocs.io */
export interface HypoPg {
  readonly schema: string
  readonly version: string
}

/** An index to suppose as HypoPG reads it, and where the names in it are looked up. */
export interface Hypothetical {
  readonly text: string
  readonly searchPath: string
}

/** Makes hypothetical indexes and returns the names that EXPLAIN shows, in their order. Throws the server's errors. */
type Make = (indexes: readonly Hypothetical[]) => Promise<readonly string[]>

/**
 * A read-only transaction that may make hypothetical indexes, which the planner sees from then on. They live in the
 * backend's memory and survive ROLLBACK: they are forgotten on every way out, inside the transaction, because behind a
 * pooler the next one may run on another backend. Throws the server's errors.
 */
export async function withHypothetical<T>(
  session: Session,
  { schema }: HypoPg,
  limits: Limits,
  work: (make: Make) => Promise<T>,
): Promise<T> {
  return rolledBack(session, limits, { readOnly: true }, async () => {
    await session.query(`savepoint ${savepoint}`)
    try {
      return await work(async (indexes) => make(session, schema, indexes))
    } catch (error) {
      if (!session.lost) await session.query(`rollback to savepoint ${savepoint}`)
      throw error
    } finally {
      if (!session.lost) await session.query(hypotheticalResetSql(schema))
    }
  })
}

const savepoint = 'perfdb_what_if'

/** Names in a definition are looked up as a build would, those of the query as the application does. */
async function make(session: Session, schema: string, indexes: readonly Hypothetical[]): Promise<readonly string[]> {
  const names = indexes.map(() => '')
  for (const searchPath of new Set(indexes.map((index) => index.searchPath))) {
    const positions = [...indexes.keys()].filter((at) => indexes[at]?.searchPath === searchPath)
    await session.query(`set local search_path = ${searchPath}`)
    const rows = await session.query<{ readonly number: number; readonly name: string }>(
      hypotheticalIndexesSql(schema),
      [positions.map((at) => indexes[at]?.text ?? '')],
    )
    for (const { number, name } of rows) names[positions[number - 1] ?? 0] = name
  }
  await session.query(`select pg_catalog.set_config('search_path', $1, true)`, [session.defaultSearchPath])
  return names
}
