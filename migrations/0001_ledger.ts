import { sql, type Kysely } from 'kysely'

/**
 * The ledger: what perfdb did in this database, so that a run can be undone and read about later. It is a log; the
 * catalog is the truth, and a row that says `done` without a valid index is drift (fault 72). Every moment is the
 * server's (fault 57).
 *
 * runs: one row for each apply and rollback that had something to do. `finished_at` is null while it runs, and for
 * good when it was killed; then `ledger_pid` with `ledger_start` is no backend of the server any more.
 *
 * steps: one row for each step that was begun, in the order of the plan. `state` is started, done or failed. `outcome`
 * says what was done (built, dropped ...). `ddl_before` makes again what a drop, rebuild or replacement removed; `index_before` is
 * the name before a rename. `canonical` is what the catalog had to say of the index afterwards.
 *
 * measurements: what a query cost before and after the steps of a run, as the JSON document of the report.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema.withSchema('perfdb')
  await schema
    .createTable('runs')
    .addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn('command', 'text', (column) => column.notNull())
    .addColumn('started_at', 'timestamptz', (column) => column.notNull().defaultTo(now))
    .addColumn('finished_at', 'timestamptz')
    .addColumn('outcome', 'text')
    .addColumn('perfdb_version', 'text', (column) => column.notNull())
    .addColumn('database_user', 'text', (column) => column.notNull().defaultTo(sql`current_user`))
    .addColumn('client_host', 'text', (column) => column.notNull())
    .addColumn('profiles', sql`text[]`, (column) => column.notNull())
    .addColumn('plan_fingerprint', 'text', (column) => column.notNull())
    .addColumn('backend_pid', 'integer')
    .addColumn('ledger_pid', 'integer', (column) => column.notNull().defaultTo(sql`pg_catalog.pg_backend_pid()`))
    .addColumn('ledger_start', 'timestamptz')
    .addColumn('rolled_back_at', 'timestamptz')
    .addColumn('rolled_back_by', 'bigint', (column) => column.references('perfdb.runs.id'))
    .execute()
  await schema
    .createTable('steps')
    .addColumn('run', 'bigint', (column) => column.notNull().references('perfdb.runs.id').onDelete('cascade'))
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('step', 'text', (column) => column.notNull())
    .addColumn('schema_name', 'text', (column) => column.notNull())
    .addColumn('index_name', 'text', (column) => column.notNull())
    .addColumn('index_before', 'text')
    .addColumn('table_schema', 'text', (column) => column.notNull())
    .addColumn('table_name', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull().check(sql`state in ('started', 'done', 'failed')`))
    .addColumn('outcome', 'text')
    .addColumn('ddl_before', 'text')
    .addColumn('ddl_after', 'text')
    .addColumn('canonical', 'jsonb')
    .addColumn('predicted_bytes', 'bigint')
    .addColumn('size_bytes', 'bigint')
    .addColumn('duration_ms', 'float8')
    .addColumn('waited_ms', 'float8')
    .addColumn('error', 'jsonb')
    .addColumn('started_at', 'timestamptz', (column) => column.notNull().defaultTo(now))
    .addColumn('finished_at', 'timestamptz')
    .addPrimaryKeyConstraint('steps_pkey', ['run', 'number'])
    .execute()
  await schema
    .createTable('measurements')
    .addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn('run', 'bigint', (column) => column.notNull().references('perfdb.runs.id').onDelete('cascade'))
    .addColumn('query', 'text', (column) => column.notNull())
    .addColumn('parameter_set', 'text')
    .addColumn('side', 'text', (column) => column.notNull().check(sql`side in ('before', 'after')`))
    .addColumn('verdict', 'text')
    .addColumn('document', 'jsonb', (column) => column.notNull())
    .addColumn('measured_at', 'timestamptz', (column) => column.notNull().defaultTo(now))
    .execute()
  await schema.createIndex('measurements_run').on('measurements').column('run').execute()
}

const now = sql`pg_catalog.clock_timestamp()`
