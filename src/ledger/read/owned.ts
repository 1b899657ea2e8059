import type { Session } from '../../server/session/session.js'
import { ownedIndexes, type DoneStep, type OwnedIndex } from '../ownership.js'
import { ledgerQuery } from '../tables/query.js'
import { hasTrustedTable } from '../trust.js'

/**
 * What perfdb built in this database and nobody dropped or rolled back since; nothing without a ledger. Without Kysely: every plan asks. Throws PRIVILEGE,
 * LEDGER_UNTRUSTED and BAD_RECORD.
 */
export async function readOwnedIndexes(session: Pick<Session, 'query'>): Promise<readonly OwnedIndex[]> {
  return (await ownedIndexesReader(session))()
}

/** The same in two round trips that a caller may share with others: first whether there is a ledger to trust, then what it says. */
export async function ownedIndexesReader(
  session: Pick<Session, 'query'>,
): Promise<() => Promise<readonly OwnedIndex[]>> {
  const there = await hasTrustedTable(session, 'steps')
  return async () => (there ? ownedIndexes(await ledgerQuery<DoneStep>(session, doneStepsSql)) : [])
}

/** Columns that a ledger of an older version does not have are null. */
const doneStepsSql = `select r.command, s.outcome, s.schema_name as schema, s.index_name as index, s.index_before as "indexBefore", s.canonical,
    r.profiles as files, r.rolled_back_at is not null as "rolledBack",
    pg_catalog.json_build_object('schema', s.table_schema, 'name', s.table_name) as "table",
    s.row ->> 'undone' as undone, s.row ->> 'profile' as profile,
    (s.row ->> 'table_oid')::int8 as "tableOid", (s.row ->> 'index_oid')::int8 as oid
  from (select steps.*, pg_catalog.to_jsonb(steps) as row from perfdb.steps where state = 'done') as s
  join perfdb.runs r on r.id = s.run
  order by s.run, s.number`

/** Oids of the indexes that steps of perfdb left behind when they had built or rebuilt them. Throws as readOwnedIndexes does. */
export async function readMadeOids(session: Pick<Session, 'query'>): Promise<ReadonlySet<number>> {
  if (!(await hasTrustedTable(session, 'steps'))) return new Set()
  const rows = await ledgerQuery<{ oid: number | null }>(
    session,
    `select (pg_catalog.to_jsonb(steps) ->> 'index_oid')::int8 as oid from perfdb.steps
     where state = 'done' and outcome in ('built', 'rebuilt', 'replaced', 'reindexed')`,
  )
  return new Set(rows.flatMap(({ oid }) => oid ?? []))
}
