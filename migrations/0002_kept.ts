import type { Kysely } from 'kysely'

/**
 * steps.kept_before: what belongs to an index that is dropped, rebuilt or replaced and that `ddl_before` leaves out, as JSON: comment,
 * statistics targets of expressions, tablespace, whether the table is clustered on it, replica identity. null: nothing of that.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.withSchema('perfdb').alterTable('steps').addColumn('kept_before', 'jsonb').execute()
}
