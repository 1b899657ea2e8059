import { quoteLiteral } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { duration } from '../../text/amounts.js'
import { readQueryPlan, type QueryPlan } from '../plan/query-plan.js'
import { parameterText } from '../../server/session/values.js'
import { runBothWays, type BothWays } from './both-ways.js'
import { explainOnce, rolledBack } from './sample.js'
import type { Subject } from './subject.js'
import type { Limits } from './limits.js'

const prepared = 'perfdb_generic'

export interface GenericPlan {
  readonly plan: QueryPlan
  /** Types of $1, $2 ... as the server inferred them. */
  readonly types: readonly string[]
}

/**
 * The generic query plan, which a prepared statement may get from its sixth run on: it must suit every value, so that it
 * uses no partial index whose predicate depends on a parameter. PREPARE and EXECUTE work on every version and print what
 * EXPLAIN (GENERIC_PLAN) prints on 16 and later. Nothing is executed. Throws the server's errors.
 * https://www.postgresql.org/docs/current/sql-prepare.html
 */
export async function genericPlan(
  session: Session,
  subject: Subject,
  parameterCount: number,
  limits: Limits,
): Promise<GenericPlan | null> {
  const settings = { readOnly: true, set: { plan_cache_mode: 'force_generic_plan' } }
  try {
    return await rolledBack(session, limits, settings, async () => {
      await session.query(`prepare ${prepared} as ${subject.text}`)
      const [inferred] = await session.query<{ readonly types: readonly string[] }>(
        'select parameter_types::pg_catalog.text[] as types from pg_catalog.pg_prepared_statements where name operator(pg_catalog.=) $1',
        [prepared],
      )
      const nulls = Array.from({ length: parameterCount }, () => 'null').join(', ')
      const execute = `explain (verbose, settings, format json) execute ${prepared}${nulls === '' ? '' : ` (${nulls})`}`
      const [row] = await session.query<Readonly<Record<string, unknown>>>(execute)
      // Inside too: behind a pooler the next statement may run on another backend.
      await session.query(`deallocate ${prepared}`)
      const plan = readQueryPlan(row?.['QUERY PLAN'])
      return plan === null ? null : { plan: withoutForcing(plan), types: inferred?.types ?? [] }
    })
  } catch (error) {
    // PREPARE survives ROLLBACK: left behind, the next one fails with 42P05.
    if (!session.lost) await session.query(`deallocate ${prepared}`).catch(() => undefined)
    throw error
  }
}

/** perfdb's own setting is none of the server's. */
function withoutForcing(plan: QueryPlan): QueryPlan {
  const settings = Object.entries(plan.settings).filter(([name]) => name !== 'plan_cache_mode')
  return { ...plan, settings: Object.fromEntries(settings) }
}

/**
 * Runs the custom and the generic query plan with these values in turns; null where a run failed. Nothing else decides which is the worse one: the cost of the
 * generic one is a guess over all values. Runs the statement as measuring does, so never one that writes. Throws the server's errors.
 */
export async function timeGeneric(
  session: Session,
  subject: Subject,
  limits: Limits,
  customMs: number,
): Promise<BothTimes | null> {
  const given = subject.values.map((value) => {
    const written = parameterText(value)
    return written === null ? 'null' : quoteLiteral(written)
  })
  const generic = async () => runGeneric(session, subject.text, given, limits)
  // It fills caches.
  if ((await generic()) === null) return { asIs: customMs, other: null }
  const custom = async () => explainOnce(session, subject, 'sample', limits)
  return runBothWays(
    custom,
    async () => (await generic()) ?? Promise.reject(new Error('not in time')),
    limits.timeBudgetMs,
    (both) => genericIs(both) !== null,
  )
}

/** null where it did not end in time. */
async function runGeneric(
  session: Session,
  text: string,
  given: readonly string[],
  limits: Limits,
): Promise<QueryPlan | null> {
  const settings = { readOnly: true, set: { plan_cache_mode: 'force_generic_plan' } }
  const execute = `explain (analyze, timing off, format json) execute ${prepared} (${given.join(', ')})`
  try {
    return await rolledBack(session, limits, settings, async () => {
      await session.query(`prepare ${prepared} as ${text}`)
      const [row] = await session.query<Readonly<Record<string, unknown>>>(execute)
      await session.query(`deallocate ${prepared}`)
      return readQueryPlan(row?.['QUERY PLAN'])
    })
  } catch (error) {
    if (!session.lost) await session.query(`deallocate ${prepared}`).catch(() => undefined)
    if (error instanceof PerfdbError && error.sqlstate === '57014' && limits.signal?.aborted !== true) return null
    throw error
  }
}

/** Both query plans with the same values, in ms: as it is is the custom one; `other`, the generic one, is null where it did not end in time. */
export type BothTimes = BothWays | { readonly asIs: number; readonly other: null }

/** So many times as long at least is slower. */
const muchSlower = 1.5

/** Of the generic one; null where it cannot be told. */
function genericIs({ low, high }: Pick<BothWays, 'low' | 'high'>): 'slower' | 'quicker' | 'alike' | null {
  if (high <= 1 / muchSlower) return 'slower'
  if (low >= muchSlower) return 'quicker'
  return low > 1 / muchSlower && high < muchSlower ? 'alike' : null
}

/** The indexes of the custom query plan that the generic one does without. */
export function lostIndexes(custom: QueryPlan, generic: QueryPlan): readonly string[] {
  return custom.indexes.filter((index) => !generic.indexes.includes(index))
}

/**
 * GENERIC_PLAN when the generic query plan loses an index that the custom one used, by what both took: a warning when the server would take
 * the generic one and it is slower; while it costs more, plan_cache_mode auto keeps planning anew, and the finding only informs. `ran` is null where
 * the generic one could not be run.
 */
export function genericFindings(
  custom: QueryPlan,
  generic: QueryPlan,
  query: Query,
  ran: BothTimes | null,
): readonly Finding[] {
  const lost = lostIndexes(custom, generic)
  const [index] = lost
  if (index === undefined) return []
  // plancache.c charges 1000 cpu_operator_cost (0.0025 by default) for each relation to planning anew.
  const relations = custom.nodes.filter((node) => node.relation !== '').length
  const dearer = generic.cost > custom.cost + 2.5 * (relations + 1)
  const is = ran === null ? null : ran.other === null ? 'slower' : genericIs(ran)
  return [
    {
      code: 'GENERIC_PLAN',
      severity: dearer || is !== 'slower' ? 'info' : 'warning',
      index,
      query: query.name,
      place: query.place,
      message: `the generic query plan of a prepared statement does not use ${lost.join(', ')}: cost ${generic.cost} instead of ${custom.cost}, ${timesText(ran)}`,
      hint: genericAdvice(dearer, is, ran !== null),
    },
  ]
}

function timesText(ran: BothTimes | null): string {
  if (ran === null) return 'not run'
  if (ran.other === null) return `not ended in time instead of ${duration(ran.asIs)}`
  return `${duration(ran.other)} instead of ${duration(ran.asIs)} (${ran.runs} runs each, in turns)`
}

function genericAdvice(dearer: boolean, is: ReturnType<typeof genericIs>, ran: boolean): string {
  if (is === 'quicker')
    return 'the generic one is the better one for these values: plan_cache_mode = force_generic_plan where the statement is prepared'
  if (is === 'alike') return 'both take about as long for these values: leave plan_cache_mode as it is'
  if (is === null)
    return `which of them is the better one is not known, since ${ran ? 'their times lie too near for a machine as busy as this one' : 'it was not run'}: compare both before you set plan_cache_mode`
  return dearer
    ? 'with plan_cache_mode = auto the server plans it anew each time; do not force generic query plans for it'
    : 'set plan_cache_mode = force_custom_plan for this role, or write the value that the index depends on as a constant'
}
