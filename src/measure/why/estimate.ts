import { quoteLiteral, quoteName } from '../../definition/quote.js'
import type { Session } from '../../server/session/session.js'
import { parameterText } from '../../server/session/values.js'
import { readQueryPlan } from '../plan/query-plan.js'
import type { Subject } from '../sample/subject.js'

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
