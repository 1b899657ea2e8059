import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { hideableSql, hideSql } from '../../sql/measure/hide-index.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { tableOf } from '../plan/plan-node.js'
import type { Limits } from '../sample/limits.js'
import { explain, rolledBack, type ExplainMode } from '../sample/sample.js'
import type { Subject } from '../sample/subject.js'
import { catalogOnly } from '../sample/tables.js'

/** An index that a run built, and what is hidden for it: itself, or the indexes of the partitions. */
export interface Hideable {
  readonly schema: string
  readonly name: string
  /** Why it cannot be hidden; null when it can. */
  readonly reason: string | null
  readonly leaves: readonly { readonly oid: number; readonly name: string; readonly table: string }[]
}

/** Those of these indexes that exist and are valid. Throws the server's errors. */
export async function readHideable(
  session: Session,
  indexes: readonly { readonly schema: string; readonly name: string }[],
  limits: Limits,
): Promise<readonly Hideable[]> {
  const names = [indexes.map(({ schema }) => schema), indexes.map(({ name }) => name)]
  return rolledBack(session, limits, catalogOnly, async () => session.query<Hideable>(hideableSql, names))
}

/** Whether a query plan uses the index, or one of its partitions. */
export function planUses(plan: QueryPlan | null, { leaves }: Hideable): boolean {
  const tables = new Set(plan?.nodes.map(tableOf))
  return leaves.some(({ name, table }) => plan?.indexes.includes(name) === true && tables.has(table))
}

/** Of the session: only a superuser may write pg_index. */
export async function isSuperuser(session: Session): Promise<boolean> {
  const [row] = await session.query<{ readonly on: string }>("select pg_catalog.current_setting('is_superuser') as on")
  return row?.on === 'on'
}

/** Throws PRIVILEGE for a role that could not hide an index. */
export async function assertMayHide(session: Session): Promise<void> {
  if (await isSuperuser(session)) return
  throw new PerfdbError('PRIVILEGE', `${session.user} is not a superuser, and only a superuser can hide an index`, {
    hint: 'without --counterfactual on the queries are compared before and after the builds',
  })
}

/**
 * Explains a statement that only reads, up to `count` times, in one transaction in which the planner of this session does not see the indexes
 * with these oids; rolled back always, and by the server when the connection is lost. Calls `each` with every query plan; stops early when it
 * returns false. Returns false, and runs nothing, when the indexes could not be hidden: an index is being built. Throws the server's errors,
 * and INTERRUPTED once the signal is aborted.
 */
export async function hiddenRuns(
  session: Session,
  subject: Subject,
  oids: readonly number[],
  mode: ExplainMode,
  count: number,
  limits: Limits,
  each: (plan: QueryPlan) => boolean,
): Promise<boolean> {
  return rolledBack(session, limits, { readOnly: oids.length === 0 }, async () => {
    if (oids.length > 0 && !(await hide(session, oids))) return false
    for (let run = 0; run < count; run += 1) if (!each(await explain(session, subject, mode))) break
    return true
  })
}

/** With the names of pg_catalog alone, so that no operator of the user's runs; afterwards nothing can be written any more. */
async function hide(session: Session, oids: readonly number[]): Promise<boolean> {
  const [[row], , hidden] = await Promise.all([
    session.query<{ readonly path: string }>("select pg_catalog.current_setting('search_path') as path"),
    session.query("select pg_catalog.set_config('search_path', 'pg_catalog', true)"),
    session.query(hideSql, [oids]),
  ])
  await session.query(
    "select pg_catalog.set_config('search_path', $1, true), pg_catalog.set_config('transaction_read_only', 'on', true)",
    [row?.path ?? ''],
  )
  return hidden.length === oids.length
}
