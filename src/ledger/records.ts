import { hostname } from 'node:os'
import { Kysely, sql, type Selectable } from 'kysely'
import { PerfdbError } from '../errors.js'
import type { Parameter, Session } from '../server/session/session.js'
import { sessionDialect, type Queried } from './dialect.js'
import type { Ledger, RecordedStep } from './ledger.js'
import { writerIsGoneSql } from './interrupted.js'
import { readPoints } from './points.js'
import { provenSpeedup } from './proven.js'
import { readOwnedIndexes } from './owned.js'
import { ledgerQuery } from './query.js'
import { runQuery, toRun } from './run-rows.js'
import type { Tables } from './tables.js'

/** The ledger as it stands in the schema perfdb. Every call is one statement; no transaction stays open (fault 24). */
export function ledgerOn(session: Session): Ledger {
  const query: Queried['query'] = (text, parameters) => ledgerQuery(session, text, parameters)
  const db = new Kysely<Tables>({ dialect: sessionDialect({ query }) }).withSchema('perfdb')
  // What every run writes, Kysely would compile anew each time: 5 ms of a run's processor time.
  const write = async <Row>({ text, values }: Written) => query<Row>(text, values)

  return {
    async startRun(run) {
      const { text, values } = inserted('runs', {
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
      })
      const withStart = text.replace(' (', ' (ledger_start, ').replace(' values (', ` values (${ownStart}, `)
      const [row] = await query<{ id: number }>(`${withStart} returning id`, values)
      if (row === undefined) throw new PerfdbError('INTERNAL', 'the ledger gave the run no number')
      return row.id
    },
    async finishRun(run, outcome) {
      await write(updated('runs', { outcome }, { id: run }))
    },
    async startStep(run, step) {
      const { text, values } = inserted('steps', {
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
        state: 'started',
        ddl_before: step.ddlBefore,
        kept_before: jsonOf(step.keptBefore),
        ddl_after: step.ddlAfter,
        canonical: jsonOf(step.canonical),
        predicted_bytes: step.predictedBytes ?? null,
      })
      // Asked again after a lost connection it may be there already.
      await query(`${text} on conflict do nothing`, values)
    },
    async finishStep(run, number, end) {
      const row = {
        state: end.error === null ? 'done' : 'failed',
        outcome: end.outcome,
        ...(end.index === null ? {} : { index_oid: end.index.oid, table_oid: end.index.tableOid }),
        size_bytes: end.sizeBytes,
        duration_ms: end.durationMs,
        waited_ms: end.waitedMs,
        error: jsonOf(end.error),
      }
      await write(updated('steps', row, { run, number }))
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

const ownStart = '(select a.backend_start from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) as a)'

interface Written {
  readonly text: string
  readonly values: readonly Parameter[]
}

/** Values of a table's columns. */
type Row<Table extends keyof Tables> = Readonly<Partial<Record<keyof Tables[Table], Parameter>>>

function inserted<Table extends keyof Tables>(table: Table, row: Row<Table>): Written {
  const names = Object.keys(row)
  const places = names.map((_, at) => `$${at + 1}`)
  const text = `insert into "perfdb"."${table}" (${names.join(', ')}) values (${places.join(', ')})`
  return { text, values: valuesOf(row) }
}

/** Ended now. */
function updated<Table extends keyof Tables>(table: Table, row: Row<Table>, where: Row<Table>): Written {
  const names = Object.keys(row)
  const wanted = Object.keys(where).map((name, at) => `${name} = $${names.length + at + 1}`)
  const set = names.map((name, at) => `${name} = $${at + 1}`)
  return {
    text: `update "perfdb"."${table}" set finished_at = pg_catalog.clock_timestamp(), ${set.join(', ')} where ${wanted.join(' and ')}`,
    values: [...valuesOf(row), ...valuesOf(where)],
  }
}

function valuesOf(row: Readonly<Record<string, Parameter | undefined>>): readonly Parameter[] {
  return Object.values(row).map((value) => value ?? null)
}

function jsonOf(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}

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
