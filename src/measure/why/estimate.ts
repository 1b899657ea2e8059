import { quoteLiteral, quoteName } from '../../definition/quote.js'
import type { Session } from '../../server/session/session.js'
import { parameterText } from '../../server/session/values.js'
import { readQueryPlan } from '../plan/query-plan.js'
import type { Limits } from '../sample/limits.js'
import { rolledBack } from '../sample/sample.js'
import type { Subject } from '../sample/subject.js'
import type { Candidate, Conjunct, Need } from './need.js'
import { tableSql } from './serves-text.js'

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
  const where =
    conditions.length === 0 ? '' : ` where ${conditions.map((one) => withValues(one, values)).join(' and ')}`
  const [row] = await session.query<Readonly<Record<string, unknown>>>(
    `explain (verbose, format json) select 1 from ${tableSql(table)} as ${quoteName(alias)}${where}`,
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
 * The candidate that reads the fewest rows, by the planner's estimates: of two that read about as many the first, and none that reads most of the table. An
 * index for a condition that most rows meet would be built for nothing, so one whose predicate most rows meet; what gives the order stops at the Limit.
 */
export async function fewestRows(
  session: Session,
  need: Need,
  able: readonly Candidate[],
  { values, limits }: { readonly values: Subject['values']; readonly limits: Limits },
): Promise<Candidate | undefined> {
  const { table, alias, conjuncts, limit } = need
  const whole = ({ bounds, implied, ordered }: Candidate) =>
    implied.length === 0 && bounds.length === conjuncts.length && (ordered || need.order.length === 0)
  if (able[0] === undefined || whole(able[0])) return able[0]
  const chosen = rolledBack(session, limits, { readOnly: true }, async () => {
    const rows = async (asked: readonly Conjunct[]) =>
      expectedRows(session, { table, alias, conditions: asked.map(({ text }) => text) }, values)
    const [all, wanted] = [await rows([]), await rows(conjuncts)]
    let best: { readonly candidate: Candidate; readonly read: number } | undefined
    for (const candidate of able) {
      if (candidate.implied.length > 0 && (await rows(candidate.implied)) > most * all) continue
      const found = await rows(candidate.bounds)
      const read = candidate.ordered && limit !== null ? found * Math.min(1, limit / Math.max(1, wanted)) : found
      if (read > most * all) continue
      if (best === undefined || read * clearly < best.read) best = { candidate, read }
    }
    return best?.candidate
  })
  // A condition that cannot be asked by itself is no reason against the index.
  return await chosen.catch((error: unknown) => {
    if (session.lost || limits.signal?.aborted) throw error
    return able[0]
  })
}

/** Of the rows; beyond it the planner takes a sequential scan of all but the widest tables. */
const most = 0.15
/** So many times fewer rows make a later candidate the better one: these are guesses. */
const clearly = 4
