import { quoteLiteral } from '../../definition/quote.js'

/* They run under the search_path of the tenant's database, as whoever connects: no name is looked up in it. */

/** Slots for ordinary roles that nobody holds now. Sessions of others are seen by every role, if not what they do. */
export const freeSlotsSql = `select pg_catalog.current_setting('max_connections')::pg_catalog.int4
    operator(pg_catalog.-) pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int4
    operator(pg_catalog.-) coalesce(pg_catalog.current_setting('reserved_connections', true)::pg_catalog.int4, 0)
    operator(pg_catalog.-) (select pg_catalog.count(*)::pg_catalog.int4 from pg_catalog.pg_stat_activity
        where backend_type operator(pg_catalog.=) 'client backend'
        or (backend_type is null and datid is not null and usesysid is not null)) as free`

/** Schemas that are tenants, by a pattern of LIKE: none of the system's. */
export function tenantSchemasSql(like: string): string {
  return `select nspname as id, nspname as schema from pg_catalog.pg_namespace
where nspname operator(pg_catalog.~~) ${quoteLiteral(like)} and nspname operator(pg_catalog.!~) '^pg_'
  and nspname operator(pg_catalog.<>) 'information_schema' order by nspname`
}

/**
 * Sessions of this database that hold the advisory lock `$1` (one bigint): since when they are there, what they do and for how many ms they have done
 * nothing. What this role may not see is null. One that waits for the rest of a message from its client, or for the client to read, is idle, whatever its state says.
 */
export const lockHoldersSql = `select l.pid, a.backend_start::pg_catalog.text as started,
    case when a.wait_event_type operator(pg_catalog.=) 'Client' and a.state is not null then 'idle' else a.state end as state,
    (extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) a.state_change)
      operator(pg_catalog.*) 1000::pg_catalog.numeric)::pg_catalog.float8 as "idleMs"
  from pg_catalog.pg_lock_status() l left join pg_catalog.pg_stat_get_activity(l.pid) a on true
  where l.locktype operator(pg_catalog.=) 'advisory' and l.granted and l.objsubid operator(pg_catalog.=) 1::pg_catalog.int2
    and l.classid operator(pg_catalog.=) (($1::pg_catalog.int8 operator(pg_catalog.>>) 32)::pg_catalog.oid)
    and l.objid operator(pg_catalog.=) (($1::pg_catalog.int8 operator(pg_catalog.&) 4294967295::pg_catalog.int8)::pg_catalog.oid)
    and l.database operator(pg_catalog.=) (select d.oid from pg_catalog.pg_database d where d.datname operator(pg_catalog.=) pg_catalog.current_database())`

/** Ends the session of pid `$1` if it is the one that began at `$2`, and nobody who got its number since. */
export const endSessionSql = `select pg_catalog.pg_terminate_backend(a.pid) as ended
  from pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) a where a.backend_start operator(pg_catalog.=) $2::pg_catalog.timestamptz`
