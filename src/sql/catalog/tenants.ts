/**
 * Which database this is, whatever url led here: the start of the postmaster in microseconds tells servers of one port apart, as clones of one disk
 * have one system identifier and the same oids. Any role may ask.
 */
export const databaseIdentitySql = `select pg_catalog.concat_ws('/', pg_catalog.current_setting('port'),
    extract(epoch from pg_catalog.pg_postmaster_start_time()), d.oid) as identity
  from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()`

/** Slots for ordinary roles that nobody holds now. Sessions of others are seen by every role, if not what they do. */
export const freeSlotsSql = `select pg_catalog.current_setting('max_connections')::int
    - pg_catalog.current_setting('superuser_reserved_connections')::int
    - coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0)
    - (select count(*)::int from pg_catalog.pg_stat_activity where backend_type = 'client backend'
        or (backend_type is null and datid is not null and usesysid is not null)) as free`
