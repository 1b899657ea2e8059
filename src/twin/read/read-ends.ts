import { readForeignCode } from '../../catalog/trust.js'
import { quoteName, quoteQualified } from '../../definition/quote.js'
import { allBy } from '../../plan/match/grouping.js'
import type { Session } from '../../server/session/session.js'
import { twinEndsProbeSql, twinOwnerSql, twinUnchangedSql } from '../../sql/twin/twin-statistics.js'
import type { RelationStatistics } from '../statistics.js'

/** A column that a btree begins with. */
export interface End {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly column: string
}

/** A queue leaves many dead rows at the end of its index: the planner does not wait for them either, and goes by the histogram. */
const endsTimeoutMs = 3000

/**
 * A superuser's look at somebody else's table: its owner could put a view in its place, or an index on it whose expression the planner
 * computes, between the question whose code would run and the statement. So the table is locked against both, which keeps out neither readers
 * nor writers, and is then the same one and without expressions, or is not read. Others ask with rights that are theirs alone.
 */
async function unchanged(session: Session, name: string, oid: number): Promise<boolean> {
  const [me] = await session.query<{ superuser: boolean; own: boolean }>(twinOwnerSql, [oid])
  if (me === undefined || !me.superuser || me.own) return true
  if (session.inRecovery) return false
  await session.query(`lock table only ${name} in share update exclusive mode`)
  const [now] = await session.query<{ same: boolean }>(twinUnchangedSql, [name, oid])
  return now?.same === true
}

/** The ends of btrees, by the oid of their table, and what was not read. Throws CONNECTION_LOST. */
export async function readEnds(
  session: Session,
  wanted: readonly End[],
  own: Readonly<Record<string, string>>,
): Promise<{
  readonly ends: ReadonlyMap<number, NonNullable<RelationStatistics['ends']>>
  readonly notes: readonly string[]
}> {
  const tables = [...allBy(wanted, ({ oid }) => String(oid))]
  const nameOf = ([one]: readonly End[]) => (one === undefined ? '' : quoteQualified(one.schema, one.name))
  const foreign = await readForeignCode(
    session,
    tables.map(([, columns]) => `select from only ${nameOf(columns)}`),
  )
  const ends = new Map<number, NonNullable<RelationStatistics['ends']>>()
  let [late, strange] = [0, 0]
  // The index, whatever it costs; and a least value of a domain or an enum is one as well.
  const set = { enable_seqscan: 'off', enable_bitmapscan: 'off', enable_sort: 'off', jit: 'off', ...own }
  const settings = { readOnly: true, statementTimeoutMs: endsTimeoutMs, lockTimeoutMs: 1000, set }
  for (const [at, [oid, columns]] of tables.entries()) {
    if ((foreign[at] ?? []).length > 0) {
      strange += 1
      continue
    }
    const text = twinEndsProbeSql(
      nameOf(columns),
      columns.map(({ column }) => quoteName(column)),
    )
    try {
      const row = await session.rolledBack(settings, async () => {
        if (!(await unchanged(session, nameOf(columns), Number(oid)))) return null
        const [found = {}] = await session.query<Readonly<Record<string, string | null>>>(text)
        return found
      })
      if (row === null) {
        strange += 1
        continue
      }
      const found = columns.flatMap(({ column }, position) => {
        const [least, greatest] = [row[`least_${position}`], row[`greatest_${position}`]]
        return typeof least === 'string' && typeof greatest === 'string' ? [{ column, least, greatest }] : []
      })
      if (found.length > 0) ends.set(Number(oid), found)
    } catch (error) {
      if (session.lost) throw error
      late += 1
    }
  }
  const several = (count: number) => `${count} ${count === 1 ? 'table' : 'tables'}`
  return {
    ends,
    notes: [
      ...(strange === 0
        ? []
        : [`the ends of the btrees of ${several(strange)} were not read: it would run code of others`]),
      ...(late === 0 ? [] : [`the ends of the btrees of ${several(late)} were not read: it took too long, or a lock`]),
    ],
  }
}
