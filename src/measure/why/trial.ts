import { quoteName } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { readQueryPlan } from '../plan/query-plan.js'
import type { Limits } from '../sample/limits.js'
import { rolledBack } from '../sample/sample.js'
import type { Subject } from '../sample/subject.js'
import { withValues } from './estimate.js'
import { namesAlias, tableSql } from './serves-text.js'
import type { Candidate, Need } from './need.js'

/** taken: the planner can search it for what is asked; refused: PostgreSQL builds no such index; passed: it can, and searches nothing with it. */
export type Trial = 'taken' | 'refused' | 'passed' | 'unknown'

const copy = 'perfdb_try'
const named = 'perfdb_try_index'

/**
 * Builds each candidate on an empty copy of the table, in a transaction that is rolled back, and asks for the query plan of what the scan
 * asks: whether PostgreSQL takes the definition (immutable functions, an opclass of the type) and the planner the index for these operators. The
 * copy belongs to the owner of the table, so that functions in an index run as they would there. `unknown` where no copy can be made: on a standby, in
 * a read-only session, without TEMP on the database, where the role may not hand it over. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function tryIndexes(
  session: Session,
  need: Need,
  owner: string | null,
  list: readonly Candidate[],
  { values, limits }: { readonly values: Subject['values']; readonly limits: Limits },
): Promise<readonly Trial[]> {
  if (list.length === 0) return []
  const unknown = list.map((): Trial => 'unknown')
  if (owner === null || session.inRecovery || session.readOnly) return unknown
  const short = {
    ...limits,
    statementTimeoutMs: Math.min(limits.statementTimeoutMs, 5000),
    lockTimeoutMs: Math.min(limits.lockTimeoutMs, 500),
  }
  try {
    return await rolledBack(
      session,
      short,
      { readOnly: false, set: { enable_seqscan: 'off', enable_sort: 'off' } },
      async () => {
        await session.query(`create temporary table ${copy} (like ${tableSql(need.table)}) on commit drop`)
        await session.query(`alter table pg_temp.${copy} owner to ${quoteName(owner)}`)
        const trials: Trial[] = []
        for (const candidate of list) trials.push(await tryOne(session, need, candidate, values))
        return trials
      },
    )
  } catch (error) {
    if (limits.signal?.aborted || (error instanceof PerfdbError && error.code === 'CONNECTION_LOST')) throw error
    return unknown
  }
}

async function tryOne(
  session: Session,
  need: Need,
  { method, keys, where, serves, bounds, ordered }: Candidate,
  values: Subject['values'],
): Promise<Trial> {
  const alias = quoteName(need.alias)
  const asked = serves.map(({ text }) => withValues(text, values))
  const predicate = where === null ? '' : ` where ${where}`
  await session.query('savepoint perfdb_try')
  let trial: Trial = 'refused'
  try {
    await session.query(`create index ${named} on pg_temp.${copy} using ${method} (${keys.join(', ')})${predicate}`)
    trial = 'unknown'
    const order = ordered ? ` order by ${need.order.join(', ')} limit 1` : ''
    const conditions = asked.length === 0 ? '' : ` where ${asked.join(' and ')}`
    const select = `select * from pg_temp.${copy} as ${alias}${conditions}${order}`
    const others = [...need.others].filter(([name]) => asked.some((text) => namesAlias(text, name)))
    // OFFSET 0 keeps the copy the inner side, asked once for each row of the others.
    const joined = others.map(([name, table]) => `${tableSql(table)} as ${quoteName(name)}`).join(', ')
    const [row] = await session.query<Readonly<Record<string, unknown>>>(
      `explain (verbose, format json) ${joined === '' ? select : `select from ${joined}, lateral (${select} offset 0) as perfdb_asked`}`,
    )
    const plan = readQueryPlan(row?.['QUERY PLAN'])
    const nodes = plan?.nodes.filter(({ index }) => index === named) ?? []
    const searched = nodes.some(({ indexCondition }) => indexCondition !== '') || (where !== null && nodes.length > 0)
    const inOrder =
      plan?.nodes.every(({ type, disabled }) => !/Sort/.test(type) && (type !== 'Seq Scan' || !disabled)) === true
    // What stands behind the order in the keys leaves rows out without a search.
    const unsearched = ordered ? bounds.length === 0 : serves.length === 0
    const wanted = keys.length > 0 && nodes.length > 0 && (searched || unsearched)
    trial = wanted && (!ordered || inOrder) ? 'taken' : 'passed'
  } catch (error) {
    if (session.lost || !(error instanceof PerfdbError)) throw error
  }
  await session.query('rollback to savepoint perfdb_try')
  return trial
}
