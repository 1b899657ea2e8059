import { quoteName, quoteQualified } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { parseArray } from '../../server/session/values.js'
import { relaxSql, strictnessSql, tightenSql } from '../../sql/twin/twin-restore.js'
import type { RelationStatistics } from '../statistics.js'

/**
 * Two rows a table: the planner reads the ends of a btree where the statistics end (rows newer than the last ANALYZE). One has the least value
 * of every column that an index begins with, the other the greatest. They fit no NOT NULL and no CHECK; those are taken away in the catalog
 * meanwhile. Gives the tables whose ends could not be put there.
 */
export async function insertEnds(
  superuser: Session,
  owner: Session,
  relations: readonly RelationStatistics[],
): Promise<readonly string[]> {
  const tables = relations.filter(({ ends }) => ends !== undefined && ends.length > 0)
  if (tables.length === 0) return []
  const [strict] = await superuser.query<{ checks: unknown; columns: unknown }>(strictnessSql)
  for (const text of relaxSql) await superuser.query(text)
  const failed: string[] = []
  try {
    // No foreign key is looked up, no trigger of the schema runs.
    await owner.query('set session_replication_role = replica')
    for (const table of tables) {
      const done = (await insertRows(owner, table, false)) || (await insertRows(owner, table, true))
      if (!done) failed.push(`${table.schema}.${table.name}`)
    }
  } finally {
    if (!superuser.lost) {
      await superuser.query(tightenSql[0], [JSON.stringify(strict?.checks ?? [])])
      await superuser.query(tightenSql[1], [JSON.stringify(strict?.columns ?? [])])
    }
  }
  return failed
}

/** With `filled`, columns that no index begins with get a value of their statistics: a partition may ask for it. */
async function insertRows(
  owner: Session,
  { schema, name, ends = [], columns }: RelationStatistics,
  filled: boolean,
): Promise<boolean> {
  const others = filled
    ? columns.flatMap((column) => {
        const value = someValue(column.most_common_vals ?? column.histogram_bounds)
        const own = ends.some((end) => end.column === column.name)
        return value === null || own || column.inherited ? [] : [{ column: column.name, least: value, greatest: value }]
      })
    : []
  const all = [...ends, ...others]
  const names = all.map(({ column }) => quoteName(column)).join(', ')
  const places = all.map((_, at) => `$${at + 1}`).join(', ')
  const text = `insert into ${quoteQualified(schema, name)} (${names}) overriding system value values (${places}) on conflict do nothing`
  for (const row of [all.map(({ least }) => least), all.map(({ greatest }) => greatest)]) {
    try {
      await owner.query(text, row)
    } catch (error) {
      if (!(error instanceof PerfdbError) || owner.lost) throw error
      return false
    }
  }
  return true
}

function someValue(values: string | undefined): string | null {
  const [first] = values === undefined ? [] : parseArray(values, (element) => element)
  return typeof first === 'string' ? first : null
}
