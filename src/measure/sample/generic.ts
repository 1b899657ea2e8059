import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { readQueryPlan, type QueryPlan } from '../plan/query-plan.js'
import { rolledBack } from './sample.js'
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
 * GENERIC_PLAN when the generic query plan loses an index that the custom one used. A warning when the server would take
 * the generic one; while it costs more, plan_cache_mode auto keeps planning anew, and the finding only informs.
 */
export function genericFindings(custom: QueryPlan, generic: QueryPlan, query: Query): readonly Finding[] {
  const lost = custom.indexes.filter((index) => !generic.indexes.includes(index))
  const [index] = lost
  if (index === undefined) return []
  // plancache.c charges 1000 cpu_operator_cost (0.0025 by default) for each relation to planning anew.
  const relations = custom.nodes.filter((node) => node.relation !== '').length
  const dearer = generic.cost > custom.cost + 2.5 * (relations + 1)
  const costs = `cost ${generic.cost} instead of ${custom.cost}`
  return [
    {
      code: 'GENERIC_PLAN',
      severity: dearer ? 'info' : 'warning',
      index,
      query: query.name,
      place: query.place,
      message: `the generic query plan of a prepared statement does not use ${lost.join(', ')}: ${costs}`,
      hint: dearer
        ? 'with plan_cache_mode = auto the server plans it anew each time; do not force generic query plans for it'
        : 'set plan_cache_mode = force_custom_plan for this role, or write the value that the index depends on as a constant',
    },
  ]
}
