import { hostname } from 'node:os'
import { Kysely, sql, type Selectable } from 'kysely'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { runCompiled } from '../tables/compiled.js'
import { sessionDialect, type Queried } from '../tables/dialect.js'
import type { Ledger, RecordedStep } from '../ledger.js'
import { writerIsGoneSql } from '../read/interrupted.js'
import { readPoints } from '../points.js'
import { provenSpeedup } from '../read/proven.js'
import { readOwnedIndexes } from '../read/owned.js'
import { ledgerQuery } from '../tables/query.js'
import { runQuery, toRun } from '../read/run-rows.js'
import type { Tables } from '../tables/tables.js'

/** The ledger as it stands in the schema perfdb. Every call is one statement; no transaction stays open (fault 24). */
export function ledgerOn(session: Session): Ledger {
  const query: Queried['query'] = (text, parameters) => ledgerQuery(session, text, parameters)
  const db = new Kysely<Tables>({ dialect: sessionDialect({ query }) }).withSchema('perfdb')
  return {
    async startRun(run) {
      const values = {
        command: run.command,
        perfdb_version: run.perfdbVersion,
        client_host: hostname(),
        profiles: run.profiles,
        profile_names: run.profileNames,
        plan_fingerprint: run.fingerprint,
        backend_pid: run.backendPid,
        fleet_run: run.fleet?.run ?? null,
        tenant: run.fleet?.tenant ?? null,
        wave: run.fleet?.wave ?? null,
      }
      const [row] = await runCompiled<{ id: number }>(query, 'startRun', Object.values(values), () =>
        db
          .insertInto('runs')
          .values({ ...values, ledger_start: ownStart })
          .returning('id'),
      )
      if (row === undefined) throw new PerfdbError('INTERNAL', 'a new run has no number')
      return row.id
    },
    async finishRun(run, outcome) {
      await runCompiled(query, 'finishRun', [outcome, run], () =>
        db.updateTable('runs').set({ outcome, finished_at: now }).where('id', '=', run),
      )
    },
    async startStep(run, step) {
      const values = {
        run,
        number: step.number,
        step: step.step,
        schema_name: step.schema,
        index_name: step.index,
        index_before: step.indexBefore ?? null,
        table_schema: step.table.schema,
        table_name: step.table.name,
        profile: step.profile,
        table_oid: step.tableOid,
        index_before_oid: step.indexBeforeOid,
        canonical_before: jsonOf(step.canonicalBefore),
        state: 'started' as const,
        ddl_before: step.ddlBefore,
        kept_before: jsonOf(step.keptBefore),
        ddl_after: step.ddlAfter,
        canonical: jsonOf(step.canonical),
        predicted_bytes: step.predictedBytes ?? null,
      }
      await runCompiled(query, 'startStep', Object.values(values), () =>
        // Asked again after a lost connection it may be there already.
        db
          .insertInto('steps')
          .values(values)
          .onConflict((conflict) => conflict.doNothing()),
      )
    },
    async finishStep(run, number, { outcome, index, sizeBytes, durationMs, waitedMs, error }) {
      const values = {
        state: error === null ? ('done' as const) : ('failed' as const),
        outcome,
        ...(index === null ? {} : { index_oid: index.oid, table_oid: index.tableOid }),
        size_bytes: sizeBytes,
        duration_ms: durationMs,
        waited_ms: waitedMs,
        error: jsonOf(error),
      }
      const name = index === null ? 'finishStep without an index' : 'finishStep'
      await runCompiled(query, name, [...Object.values(values), run, number], () =>
        db
          .updateTable('steps')
          .set({ ...values, finished_at: now })
          .where('run', '=', run)
          .where('number', '=', number),
      )
    },
    async recordMeasurement(run, { query, parameterSet, side, verdict, document }) {
      await db
        .insertInto('measurements')
        .values({ run, query, parameter_set: parameterSet, side, verdict, document: JSON.stringify(document) })
        .execute()
    },
    provenSpeedup: async (query, indexes) => provenSpeedup(db, query, indexes),
    points: async (name, runs) => readPoints(db, name, runs),
    ownedIndexes: async () => readOwnedIndexes(session),
    async runs(limit) {
      const rows = await runQuery(db).orderBy('id', 'desc').limit(limit).execute()
      return rows.map(toRun)
    },
    async run(id) {
      const row = await runQuery(db).where('id', '=', id).executeTakeFirst()
      if (row === undefined) return null
      const steps = await db.selectFrom('steps').selectAll().where('run', '=', id).orderBy('number').execute()
      return { ...toRun(row), steps: steps.map(toStep) }
    },
    async interruptedRuns() {
      const rows = await runQuery(db)
        .where('finished_at', 'is', null)
        .where('outcome', 'is', null)
        .where(writerIsGone)
        .orderBy('id', 'desc')
        .execute()
      return rows.map(toRun)
    },
    async markUndone(run, number, outcome, by) {
      await db
        .updateTable('steps')
        .set({ undone: outcome, undone_by: by })
        .where('run', '=', run)
        .where('number', '=', number)
        .execute()
    },
    async recordExtensions(run, names) {
      await db.updateTable('runs').set({ extensions: names }).where('id', '=', run).execute()
    },
    async markRolledBack(run, by) {
      const marked = await db
        .updateTable('runs')
        .set({ rolled_back_at: now, rolled_back_by: by })
        .where('id', '=', run)
        .returning('id')
        .execute()
      if (marked.length === 0) throw new PerfdbError('NO_RUN', `the ledger has no run ${run}`)
    },
  }
}

const now = sql<Date>`pg_catalog.clock_timestamp()`

function jsonOf(value: object | null | undefined): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}

const ownStart = sql<Date>`(select a.backend_start from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) as a)`

const writerIsGone = sql.raw<boolean>(writerIsGoneSql)

function toStep(row: Selectable<Tables['steps']>): RecordedStep {
  return {
    number: row.number,
    step: row.step,
    schema: row.schema_name,
    index: row.index_name,
    indexBefore: row.index_before,
    table: { schema: row.table_schema, name: row.table_name },
    profile: row.profile ?? null,
    tableOid: row.table_oid ?? null,
    indexOid: row.index_oid ?? null,
    indexBeforeOid: row.index_before_oid ?? null,
    canonicalBefore: row.canonical_before ?? null,
    undone: row.undone ?? null,
    state: row.state,
    outcome: row.outcome,
    ddlBefore: row.ddl_before,
    keptBefore: row.kept_before ?? null,
    ddlAfter: row.ddl_after,
    canonical: row.canonical,
    predictedBytes: row.predicted_bytes,
    sizeBytes: row.size_bytes,
    durationMs: row.duration_ms,
    waitedMs: row.waited_ms,
    error: row.error,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }
}
