/**
 * Whether a load would disturb somebody, and whether its connections find a place: other sessions that are busy now, those whose state this role
 * may not see, and the slots that an ordinary role may still take (manual, "Connections and Authentication").
 */
export const loadLookSql = `
select
  (select count(*)::int from pg_catalog.pg_stat_activity
    where pid <> pg_catalog.pg_backend_pid() and state is not null and state <> 'idle' and backend_type = 'client backend') as busy,
  (select count(*)::int from pg_catalog.pg_stat_activity
    where pid <> pg_catalog.pg_backend_pid() and state is null and usesysid is not null and datid is not null) as hidden,
  (select pg_catalog.current_setting('max_connections')::int - coalesce(sum(setting::int), 0)::int
    from pg_catalog.pg_settings where name ~ 'reserved_connections$') as slots,
  (select count(*)::int from pg_catalog.pg_stat_activity
    where usesysid is not null and datid is not null and coalesce(backend_type, 'client backend') = 'client backend') as taken,
  (select rolconnlimit from pg_catalog.pg_roles where rolname = current_user) as role_limit,
  (select count(*)::int from pg_catalog.pg_stat_activity where usename = current_user) as role_taken,
  (select datconnlimit from pg_catalog.pg_database where datname = pg_catalog.current_database()) as database_limit,
  (select count(*)::int from pg_catalog.pg_stat_activity where datname = pg_catalog.current_database()) as database_taken`

/** What the sessions of a load do at this moment, and wait for; queryid as text, for JavaScript's numbers end at 2^53. */
export const loadSessionsSql = `
select state = 'active' and wait_event_type is distinct from 'Client' as active, wait_event_type || ': ' || wait_event as wait, query_id::text as queryid, query as text
from pg_catalog.pg_stat_activity
where application_name = 'perfdb load' and usename = current_user and datname = pg_catalog.current_database()`
