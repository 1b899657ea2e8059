import { sql, type Kysely, type Selectable } from 'kysely'
import type { Run } from '../ledger.js'
import type { Tables } from '../tables/tables.js'

/** A column of steps that a ledger of an older version does not have: null there. */
function later(name: string) {
  return sql`pg_catalog.to_jsonb(steps) ->> ${sql.lit(name)}`
}

/** Every run with what is counted of its steps. */
export function runQuery(db: Kysely<Tables>) {
  const stepsThat = (condition: ReturnType<typeof sql>) =>
    sql<number>`(select pg_catalog.count(*) from perfdb.steps where run = runs.id and ${condition})`
  return db
    .selectFrom('runs')
    .selectAll()
    .select([
      stepsThat(sql`outcome in ('built', 'rebuilt', 'replaced') and state = 'done'`).as('built'),
      stepsThat(sql`outcome = 'dropped' and state = 'done'`).as('dropped'),
      stepsThat(sql`state = 'failed'`).as('failed'),
      // The second half of an earlier run's replace is nobody's to undo.
      stepsThat(
        sql`state = 'done' and outcome not in ('waited', 'reindexed') and ${later('undone')} is null and not (outcome = 'dropped' and index_name ~ '_perfdb_(new|old)$')`,
      ).as('changed'),
      stepsThat(sql`state <> 'done' and ${later('undone')} is null`).as('unfinished'),
      stepsThat(sql`${later('undone')} is not null`).as('undone'),
    ])
}

type Counts = Pick<Run, 'built' | 'dropped' | 'failed' | 'changed' | 'unfinished' | 'undone'>

export function toRun(row: Selectable<Tables['runs']> & Counts): Run {
  return {
    run: row.id,
    command: row.command,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome,
    perfdbVersion: row.perfdb_version,
    user: row.database_user,
    clientHost: row.client_host,
    profiles: row.profiles,
    profileNames: row.profile_names ?? [],
    extensions: row.extensions ?? [],
    fleet: typeof row.fleet_run === 'string' ? { run: row.fleet_run, tenant: row.tenant ?? '' } : null,
    fingerprint: row.plan_fingerprint,
    backendPid: row.backend_pid,
    rolledBackAt: row.rolled_back_at,
    rolledBackBy: row.rolled_back_by,
    built: row.built,
    dropped: row.dropped,
    failed: row.failed,
    changed: row.changed,
    unfinished: row.unfinished,
    undone: row.undone,
  }
}
