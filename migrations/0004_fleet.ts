import type { Kysely } from 'kysely'

/** Of a run for many tenants: its name, which is one in all their ledgers, the tenant, and the wave that the tenant was in. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .withSchema('perfdb')
    .alterTable('runs')
    .addColumn('fleet_run', 'text')
    .addColumn('tenant', 'text')
    .addColumn('wave', 'integer')
    .execute()
}
