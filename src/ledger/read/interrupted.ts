import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { ledgerQuery } from '../tables/query.js'
import { hasTrustedTable } from '../trust.js'

/** A run that began and never ended: perfdb was killed, or the server crashed. */
export interface InterruptedRun {
  readonly run: number
  readonly startedAt: Date
  /** Indexes of steps that were begun and have no end in the ledger. */
  readonly unfinished: readonly string[]
}

/**
 * SQL: neither the session that writes the record of `runs` nor the one that builds is there any more. A pid is used again in
 * time, so that its start counts too; a role without pg_read_all_stats cannot see it, and then takes it for alive.
 */
export const writerIsGoneSql = `not exists (
  select from pg_catalog.pg_stat_activity a
  where a.pid = runs.ledger_pid and coalesce(a.backend_start = runs.ledger_start, true)
    or a.pid = runs.backend_pid and coalesce(a.application_name = 'perfdb ddl' and a.backend_start <= runs.started_at, true))`

/**
 * Notes in the ledger which runs were interrupted, each once, and gives them. To be called under the run lock, by who is about to
 * see to what they left. Without Kysely: every apply asks. Nothing without a ledger, or for a role that may not write it. Throws
 * LEDGER_UNTRUSTED.
 */
export async function noteInterruptedRuns(session: Session): Promise<readonly InterruptedRun[]> {
  if (!(await hasTrustedTable(session, 'runs', true))) return []
  try {
    return await ledgerQuery<InterruptedRun>(
      session,
      `with noted as (
         update perfdb.runs set outcome = 'interrupted'
         where finished_at is null and outcome is null and ${writerIsGoneSql} returning id, started_at
       )
       select id as run, started_at as "startedAt",
         array(select index_name from perfdb.steps where run = id and state = 'started' order by number) as unfinished
       from noted order by id`,
    )
  } catch (error) {
    if (error instanceof PerfdbError && error.code === 'PRIVILEGE') return []
    throw error
  }
}
