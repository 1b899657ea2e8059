import { quoteLiteral } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { duration } from '../../text/amounts.js'
import { readQueryPlan, type QueryPlan } from '../plan/query-plan.js'
import { parameterText } from '../../server/session/values.js'
import { refuseAborted, rolledBack } from './sample.js'
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
 * Execution times of the generic query plan with these values, in ms; empty where it did not end in time. Nothing else decides whether it is the worse one:
 * its cost is a guess over all values. Runs the statement as measuring does, so never one that writes. Throws the server's errors.
 */
export async function timeGeneric(
  session: Session,
  { text, values }: Subject,
  limits: Limits,
): Promise<readonly number[]> {
  const given = values.map((value) => {
    const written = parameterText(value)
    return written === null ? 'null' : quoteLiteral(written)
  })
  const execute = `explain (analyze, timing off, format json) execute ${prepared} (${given.join(', ')})`
  try {
    return await rolledBack(
      session,
      limits,
      { readOnly: true, set: { plan_cache_mode: 'force_generic_plan' } },
      async () => {
        await session.query(`prepare ${prepared} as ${text}`)
        const times: number[] = []
        for (let run = 0; run < genericRuns; run += 1) {
          refuseAborted(limits.signal)
          const [row] = await session.query<Readonly<Record<string, unknown>>>(execute)
          const ms = readQueryPlan(row?.['QUERY PLAN'])?.executionMs ?? null
          // The first one fills caches.
          if (ms !== null && run > 0) times.push(ms)
        }
        await session.query(`deallocate ${prepared}`)
        return times
      },
    )
  } catch (error) {
    if (!session.lost) await session.query(`deallocate ${prepared}`).catch(() => undefined)
    if (error instanceof PerfdbError && error.sqlstate === '57014' && limits.signal?.aborted !== true) return []
    throw error
  }
}

const genericRuns = 4

/** Both query plans with the same values, in ms; `generic` is null where it did not end in time. */
export interface BothTimes {
  readonly custom: number
  readonly generic: number | null
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
  const slower = ran === null ? null : ran.generic === null || ran.generic > 1.5 * ran.custom
  const times =
    ran === null
      ? 'not run'
      : `${ran.generic === null ? 'not ended in time' : duration(ran.generic)} instead of ${duration(ran.custom)}`
  return [
    {
      code: 'GENERIC_PLAN',
      severity: dearer || slower !== true ? 'info' : 'warning',
      index,
      query: query.name,
      place: query.place,
      message: `the generic query plan of a prepared statement does not use ${lost.join(', ')}: cost ${generic.cost} instead of ${custom.cost}, ${times}`,
      hint: genericAdvice(dearer, slower, ran),
    },
  ]
}

function genericAdvice(dearer: boolean, slower: boolean | null, ran: BothTimes | null): string {
  if (slower === false)
    return ran !== null && ran.generic !== null && 1.5 * ran.generic < ran.custom
      ? 'the generic one is the better one for these values: plan_cache_mode = force_generic_plan where the statement is prepared'
      : 'both take about as long for these values: leave plan_cache_mode as it is'
  if (slower === null)
    return 'which of them is the better one is not known, since it was not run: compare both before you set plan_cache_mode'
  return dearer
    ? 'with plan_cache_mode = auto the server plans it anew each time; do not force generic query plans for it'
    : 'set plan_cache_mode = force_custom_plan for this role, or write the value that the index depends on as a constant'
}
