/*
 * What check-pool asks a server: slots, limits, sessions, work done. Every statement works for any role; what a role may not see comes as
 * null or is counted apart.
 */

/** reset_val: perfdb's own session has other timeouts. Managed servers keep slots under names of their own, such as rds.*. */
export const slotSettingsSql = `select name,
    case when unit = '8kB' then reset_val::numeric * 8192 when unit = 'kB' then reset_val::numeric * 1024 else reset_val::numeric end::text as value
  from pg_catalog.pg_settings
  where vartype in ('integer', 'real') and (name ~ 'reserved_connections$' or name in ('max_connections', 'shared_buffers', 'work_mem',
    'maintenance_work_mem', 'autovacuum_work_mem', 'autovacuum_max_workers', 'hash_mem_multiplier',
    'max_parallel_workers', 'max_parallel_workers_per_gather', 'idle_in_transaction_session_timeout',
    'idle_session_timeout', 'statement_timeout', 'authentication_timeout'))`

/**
 * The start of the postmaster in microseconds tells servers of one port apart: a replica has the system identifier of its primary. Its address
 * would not do: one server has several, and none on a socket.
 */
export const aboutServerSql = `select current_user::text as role, pg_catalog.current_database()::text as database, pg_catalog.pg_is_in_recovery() as in_recovery,
  pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_all,
  pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute') as knows_system,
  pg_catalog.concat_ws('/', pg_catalog.current_setting('port'),
    extract(epoch from pg_catalog.pg_postmaster_start_time())) as postmaster`

export const systemIdentifierSql = `select system_identifier::text as system from pg_catalog.pg_control_system()`

/** The predefined role exists from 16 on. */
export function loginRolesSql(versionNum: number): string {
  const reserved =
    versionNum >= 160000 ? `pg_catalog.pg_has_role(oid, 'pg_use_reserved_connections', 'usage')` : 'false'
  return `select rolname as name, rolconnlimit as connection_limit, rolsuper as superuser, ${reserved} as reserved
    from pg_catalog.pg_roles where rolcanlogin`
}

export const databaseLimitsSql = `select datname as name, datconnlimit as connection_limit from pg_catalog.pg_database where datallowconn`

/** ALTER ROLE and ALTER DATABASE ... SET: one row a setting, null for "any". */
export const roleSettingsSql = `select r.rolname as role, d.datname as database, pg_catalog.split_part(c.setting, '=', 1) as name,
    pg_catalog.substr(c.setting, pg_catalog.strpos(c.setting, '=') + 1) as value
  from pg_catalog.pg_db_role_setting s
  left join pg_catalog.pg_roles r on r.oid = s.setrole
  left join pg_catalog.pg_database d on d.oid = s.setdatabase
  cross join lateral pg_catalog.unnest(s.setconfig) as c (setting)
  where pg_catalog.split_part(c.setting, '=', 1) in ('statement_timeout', 'idle_in_transaction_session_timeout', 'work_mem',
    'hash_mem_multiplier')`

/**
 * Only client backends hold slots; parallel workers, walsenders and the server's own processes do not. Without pg_read_all_stats the
 * kind of others' sessions is null, as is their application: a filter on backend_type alone would count nobody else. From 18
 * on a connection that authenticates is visible as a client backend without role and database; before, it is not at all.
 */
export const activitySql = `select usename::text as role, datname::text as database, application_name,
    count(*) filter (where backend_type = 'client backend')::int as connections,
    count(*) filter (where backend_type = 'client backend' and state <> 'idle')::int as busy,
    count(*) filter (where backend_type is null)::int as hidden
  from pg_catalog.pg_stat_activity
  where pid <> pg_catalog.pg_backend_pid()
    and (backend_type = 'client backend' or (backend_type is null and datid is not null and usesysid is not null))
  group by usename, datname, application_name`

/** Idle sessions that hold advisory locks: of the session, since those of a transaction end with it. What a role may not see is not idle. */
export const keptLocksSql = `select a.usename::text as role, a.datname::text as database, a.application_name, count(distinct a.pid)::int as connections
  from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
  where l.locktype = 'advisory' and l.granted and a.state = 'idle' and a.usename is not null and a.datname is not null
  group by a.usename, a.datname, a.application_name`

/** Time with a transaction open is the work of a connection: its growth by second is the offered load in erlangs (14 and later). */
export const workSql = `select datname::text as database, active_time + idle_in_transaction_time as busy_ms,
    (xact_commit + xact_rollback)::float8 as transactions, sessions::float8 as sessions, extract(epoch from pg_catalog.clock_timestamp())::float8 * 1000 as at_ms
  from pg_catalog.pg_stat_database where datname is not null`
