import type { ExistingIndex } from '../../catalog/snapshot.js'
import type { TableName } from '../../definition/definition.js'
import type { Session } from '../../server/session/session.js'
import type { IndexName } from '../ownership.js'
import { ledgerQuery } from '../tables/query.js'
import { assertLedgerTrusted } from '../trust.js'

/** A step that was begun by a run that was cut short, and has no end in the ledger. */
export interface UnfinishedStep extends IndexName {
  readonly run: number
  readonly number: number
  readonly step: string
  /** The name before a rename. */
  readonly indexBefore: string | null
  readonly table: TableName
  readonly ddlBefore: string | null
  /** What belonged to it before; not looked at yet. */
  readonly keptBefore: unknown
  /** What the catalog had to say of the index afterwards. */
  readonly canonical: unknown
}

/** Of these runs, in their order. Without Kysely, as all that every apply may ask. */
export async function unfinishedSteps(session: Session, runs: readonly number[]): Promise<readonly UnfinishedStep[]> {
  return ledgerQuery<UnfinishedStep>(
    session,
    `select run, number, step, schema_name as schema, index_name as name, index_before as "indexBefore",
       pg_catalog.json_build_object('schema', table_schema, 'name', table_name) as "table",
       ddl_before as "ddlBefore", pg_catalog.to_jsonb(steps) -> 'kept_before' as "keptBefore", canonical
     from perfdb.steps where run = any ($1::bigint[]) and state = 'started' order by run, number`,
    [runs],
  )
}

/** Writes the end that the run itself could not write any more; how long it took nobody knows. */
export async function recordAsDone(
  session: Session,
  { run, number }: UnfinishedStep,
  outcome: string,
  index: Pick<ExistingIndex, 'oid' | 'tableOid' | 'sizeBytes'> | undefined,
): Promise<void> {
  await session.query(
    `update perfdb.steps set state = 'done', outcome = $3, size_bytes = $4, finished_at = pg_catalog.clock_timestamp()
     where run = $1 and number = $2 and state = 'started'`,
    [run, number, outcome, index?.sizeBytes ?? null],
  )
}

/** Tables on which steps of these runs built an index. */
export async function tablesBuiltOn(session: Session, runs: readonly number[]): Promise<readonly TableName[]> {
  return ledgerQuery<TableName>(
    session,
    `select distinct table_schema as schema, table_name as name from perfdb.steps
     where run = any ($1::bigint[]) and state = 'done' and outcome in ('built', 'rebuilt', 'replaced', 'reindexed') order by 1, 2`,
    [runs],
  )
}

/** What belonged to an index before a step that dropped it and did not come to its end, in the last run that touched it. */
export interface LostProperties extends IndexName {
  readonly keptBefore: unknown
}

export async function lostProperties(session: Session): Promise<readonly LostProperties[]> {
  if (!(await assertLedgerTrusted(session))) return []
  const [ledger] = await session.query<{ there: boolean }>(
    `select exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'perfdb' and c.relname = 'steps' and a.attname = 'kept_before') as there`,
  )
  if (ledger?.there !== true) return []
  return ledgerQuery<LostProperties>(
    session,
    `select schema_name as schema, index_name as name, kept_before as "keptBefore"
     from (select distinct on (schema_name, index_name) * from perfdb.steps order by schema_name, index_name, run desc, number desc) as last
     where state <> 'done' and step in ('create', 'rebuild') and kept_before is not null order by 1, 2`,
  )
}
