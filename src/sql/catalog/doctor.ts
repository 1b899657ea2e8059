/** What the connected role may do in this database, as one row of JSON; system schemas and perfdb's own left out. */
export const doctorSql = `
with tables as (
  select c.oid, n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner) as owner,
    pg_catalog.pg_has_role(c.relowner, 'usage') as owned, pg_catalog.has_schema_privilege(n.oid, 'usage') as entered,
    pg_catalog.has_schema_privilege(n.oid, 'create') as creatable, pg_catalog.has_table_privilege(c.oid, 'select') as readable
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'm') and n.nspname not in ('information_schema', 'perfdb') and n.nspname !~ '^pg_'
)
select pg_catalog.json_build_object(
  'temporary', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'temporary'),
  'creates', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create'),
  'superuser', (select rolsuper from pg_catalog.pg_roles where rolname = current_user),
  'statistics', pg_catalog.pg_has_role('pg_read_all_stats', 'usage'),
  'tables', (select pg_catalog.count(*) from tables),
  'readable', (select pg_catalog.count(*) from tables where readable and entered),
  'owned', (select pg_catalog.count(*) from tables where owned and creatable),
  'owners', coalesce((select pg_catalog.json_agg(distinct owner) from tables where not owned), '[]'),
  'hidden', coalesce((select pg_catalog.json_agg(distinct nspname) from tables where not readable or not entered), '[]'),
  'closed', coalesce((select pg_catalog.json_agg(distinct nspname) from tables where not creatable), '[]'),
  'extensions', coalesce((select pg_catalog.json_agg(extname) from pg_catalog.pg_extension), '[]'),
  'available', coalesce((select pg_catalog.json_agg(name) from pg_catalog.pg_available_extensions
    where name in ('pg_stat_statements', 'hypopg')), '[]'),
  'statementsLoaded', pg_catalog.current_setting('pg_stat_statements.max', true) is not null
) as document`
