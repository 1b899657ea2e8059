import { quoteLiteral, quoteName } from '../../definition/quote.js'
import type { Session } from '../../server/session/session.js'
import { parameterText } from '../../server/session/values.js'
import { readQueryPlan } from '../plan/query-plan.js'
import type { Limits } from '../sample/limits.js'
import { rolledBack } from '../sample/sample.js'
import type { Subject } from '../sample/subject.js'
import type { Candidate, Need } from './serves.js'

/** Conditions that a scan asks of its table, as EXPLAIN prints them. */
export interface Asked {
  /** `schema.table` */
  readonly table: string
  readonly alias: string
  readonly conditions: readonly string[]
}

/** Rows that the planner expects of a table with all of the conditions; inside a transaction. Throws the server's errors, such as for a condition of a join. */
export async function expectedRows(
  session: Session,
  { table, alias, conditions }: Asked,
  values: Subject['values'],
): Promise<number> {
  const dot = table.indexOf('.')
  const name = `${quoteName(table.slice(0, dot))}.${quoteName(table.slice(dot + 1))}`
  const where =
    conditions.length === 0 ? '' : ` where ${conditions.map((one) => withValues(one, values)).join(' and ')}`
  const [row] = await session.query<Readonly<Record<string, unknown>>>(
    `explain (verbose, format json) select 1 from ${name} as ${quoteName(alias)}${where}`,
  )
  return readQueryPlan(row?.['QUERY PLAN'])?.nodes[0]?.estimatedRows ?? 0
}

/** Values that the statistics gave stand as $n in the query plan. */
export function withValues(text: string, values: Subject['values']): string {
  return text.replaceAll(/\$(\d+)/g, (name, number: string) => {
    const value = values[Number(number) - 1]
    const literal = value === undefined ? null : parameterText(value)
    return literal === null ? name : quoteLiteral(literal)
  })
}

/**
 * The first that finds few enough of the rows: where other conditions throw the most away, an index for a condition that most rows meet would be built
 * for nothing. What serves all conditions, or gives the order, is worth its place.
 */
export async function firstSelective(
  session: Session,
  { table, alias, conjuncts }: Need,
  able: readonly Candidate[],
  { values, limits }: { readonly values: Subject['values']; readonly limits: Limits },
): Promise<Candidate | undefined> {
  const partial = ({ serves, where, ordered }: Candidate) =>
    where === null && !ordered && serves.length < conjuncts.length
  if (!able.some(partial)) return able[0]
  const selective = rolledBack(session, limits, { readOnly: true }, async () => {
    const all = await expectedRows(session, { table, alias, conditions: [] }, values)
    for (const candidate of able) {
      if (!partial(candidate)) return candidate
      const conditions = candidate.serves.map(({ text }) => text)
      if ((await expectedRows(session, { table, alias, conditions }, values)) <= most * all) return candidate
    }
    return undefined
  })
  // A condition that cannot be asked by itself is no reason against the index.
  return await selective.catch((error: unknown) => {
    if (session.lost || limits.signal?.aborted) throw error
    return able[0]
  })
}

/** Of the rows; beyond it the planner takes a sequential scan of all but the widest tables. */
const most = 0.3
