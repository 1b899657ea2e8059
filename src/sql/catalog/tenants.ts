/* They run under the search_path of the tenant's database, as whoever connects: no name is looked up in it. */

/**
 * Which database this is, whatever url led here: the start of the postmaster in microseconds tells servers of one port apart, as clones of one disk
 * have one system identifier and the same oids. Any role may ask.
 */
export const databaseIdentitySql = `select pg_catalog.concat_ws('/', pg_catalog.current_setting('port'),
    extract(epoch from pg_catalog.pg_postmaster_start_time()), d.oid) as identity
  from pg_catalog.pg_database d where d.datname operator(pg_catalog.=) pg_catalog.current_database()`

/** Slots for ordinary roles that nobody holds now. Sessions of others are seen by every role, if not what they do. */
export const freeSlotsSql = `select pg_catalog.current_setting('max_connections')::pg_catalog.int4
    operator(pg_catalog.-) pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int4
    operator(pg_catalog.-) coalesce(pg_catalog.current_setting('reserved_connections', true)::pg_catalog.int4, 0)
    operator(pg_catalog.-) (select pg_catalog.count(*)::pg_catalog.int4 from pg_catalog.pg_stat_activity
        where backend_type operator(pg_catalog.=) 'client backend'
        or (backend_type is null and datid is not null and usesysid is not null)) as free`
