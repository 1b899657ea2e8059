import type { ColumnType, Generated } from 'kysely'

/** The tables of ../../migrations, as Kysely must know them. */
export interface Tables {
  readonly runs: Runs
  readonly steps: Steps
  readonly measurements: Measurements
}

/** Written as JSON text, read as a value. */
type Json = ColumnType<unknown, string | null, string | null>

interface Runs {
  readonly id: Generated<number>
  readonly command: string
  readonly started_at: Generated<Date>
  readonly finished_at: Date | null
  readonly outcome: string | null
  readonly perfdb_version: string
  readonly database_user: Generated<string>
  readonly client_host: string
  readonly profiles: ColumnType<string[], readonly string[], never>
  readonly plan_fingerprint: string
  readonly backend_pid: number | null
  readonly ledger_pid: Generated<number>
  readonly ledger_start: Date | null
  readonly rolled_back_at: Date | null
  readonly rolled_back_by: number | null
  /** These two, and the columns of steps below that may be missing, are not there before migrations 0002 and 0003. */
  readonly profile_names?: ColumnType<string[] | null, readonly string[] | null, never>
  readonly extensions?: ColumnType<string[] | null, readonly string[] | null, readonly string[] | null>
  /** Before migration 0004 these are not there. */
  readonly fleet_run?: string | null
  readonly tenant?: string | null
  readonly wave?: number | null
}

interface Steps {
  readonly run: number
  readonly number: number
  readonly step: string
  readonly schema_name: string
  readonly index_name: string
  readonly index_before: string | null
  readonly table_schema: string
  readonly table_name: string
  readonly state: 'started' | 'done' | 'failed'
  readonly outcome: string | null
  readonly ddl_before: string | null
  /** A ledger that is only read is not brought up to date. */
  readonly kept_before?: Json
  readonly profile?: string | null
  readonly table_oid?: number | null
  readonly index_oid?: number | null
  readonly index_before_oid?: number | null
  readonly canonical_before?: Json
  readonly undone?: string | null
  readonly undone_by?: number | null
  readonly ddl_after: string | null
  readonly canonical: Json
  readonly predicted_bytes: number | null
  readonly size_bytes: number | null
  readonly duration_ms: number | null
  readonly waited_ms: number | null
  readonly error: Json
  readonly started_at: Generated<Date>
  readonly finished_at: Date | null
}

interface Measurements {
  readonly id: Generated<number>
  readonly run: number
  readonly query: string
  readonly parameter_set: string | null
  readonly side: 'before' | 'after'
  readonly verdict: string | null
  readonly document: ColumnType<unknown, string, string>
  readonly measured_at: Generated<Date>
}
