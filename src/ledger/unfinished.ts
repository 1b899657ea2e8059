import type { TableName } from '../definition/definition.js'
import type { Session } from '../server/session.js'
import type { IndexName } from './ownership.js'

/** A step that was begun by a run that was cut short, and has no end in the ledger. */
export interface UnfinishedStep extends IndexName {
  readonly run: number
  readonly number: number
  readonly step: string
  /** The name before a rename. */
  readonly indexBefore: string | null
  readonly table: TableName
  readonly ddlBefore: string | null
  /** What the catalog had to say of the index afterwards. */
  readonly canonical: unknown
}

/** Of these runs, in their order. Without Kysely, as all that every apply may ask. */
export async function unfinishedSteps(session: Session, runs: readonly number[]): Promise<readonly UnfinishedStep[]> {
  return session.query<UnfinishedStep>(
    `select run, number, step, schema_name as schema, index_name as name, index_before as "indexBefore",
       pg_catalog.json_build_object('schema', table_schema, 'name', table_name) as "table",
       ddl_before as "ddlBefore", canonical
     from perfdb.steps where run = any ($1::bigint[]) and state = 'started' order by run, number`,
    [runs],
  )
}

/** Writes the end that the run itself could not write any more; how long it took nobody knows. */
export async function recordAsDone(
  session: Session,
  { run, number }: UnfinishedStep,
  outcome: string,
  sizeBytes: number | null,
): Promise<void> {
  await session.query(
    `update perfdb.steps set state = 'done', outcome = $3, size_bytes = $4, finished_at = pg_catalog.clock_timestamp()
     where run = $1 and number = $2 and state = 'started'`,
    [run, number, outcome, sizeBytes],
  )
}
