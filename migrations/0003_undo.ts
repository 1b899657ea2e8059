import { sql, type Kysely } from 'kysely'

/**
 * What ownership and undo go by, as data. runs: `profile_names` as the profiles call themselves, `extensions` that the run created.
 * steps: `profile` that declares the index; `table_oid`, `index_oid` of what the step left, `index_before_oid` and `canonical_before` of
 * what stood there before; `undone` how a rollback ended for this step, when it did, and `undone_by` the number of that run. `ddl_before` is the
 * definition as pg_get_indexdef printed it: it is parsed, and never run as it is.
 *
 * Records of older versions have none of that: they are owned by the profile files of their run, and found by name.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema.withSchema('perfdb')
  await schema
    .alterTable('runs')
    .addColumn('profile_names', sql`text[]`)
    .addColumn('extensions', sql`text[]`)
    .execute()
  await schema
    .alterTable('steps')
    .addColumn('profile', 'text')
    .addColumn('table_oid', 'bigint')
    .addColumn('index_oid', 'bigint')
    .addColumn('index_before_oid', 'bigint')
    .addColumn('canonical_before', 'jsonb')
    .addColumn('undone', 'text')
    .addColumn('undone_by', 'bigint', (column) => column.references('perfdb.runs.id'))
    .execute()
}
