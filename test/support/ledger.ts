import type postgres from 'postgres'

/** Makes the ledger one of perfdb 0.1.0's first days: migration 0001 alone. */
export async function olderLedger(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`alter table perfdb.runs drop column profile_names, drop column extensions, drop column fleet_run, drop column tenant, drop column wave;
    alter table perfdb.steps drop column kept_before, drop column profile, drop column table_oid, drop column index_oid,
      drop column index_before_oid, drop column canonical_before, drop column undone, drop column undone_by;
    delete from perfdb.migrations where name > '0001_ledger'`)
}
