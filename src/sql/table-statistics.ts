/**
 * What planning a build needs to know of tables, for those in `$1` (JSON: [{schema, name}]): how they are updated, which columns an
 * index holds or computes with already (pg_depend names those of expressions and predicates too), width and distinct values of each column.
 */
export const tableStatisticsSql = `
with tables as (
  select c.oid, n.nspname, c.relname, c.reltuples
  from pg_catalog.json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
)
select pg_catalog.json_build_object(
  'schema', t.nspname, 'name', t.relname, 'rows', t.reltuples,
  'updates', coalesce(pg_catalog.pg_stat_get_tuples_updated(t.oid), 0),
  'hotUpdates', coalesce(pg_catalog.pg_stat_get_tuples_hot_updated(t.oid), 0),
  'indexedColumns', coalesce((select pg_catalog.json_agg(distinct a.attname)
    from pg_catalog.pg_index i
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid
      and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = t.oid and d.refobjsubid > 0
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
    where i.indrelid = t.oid), '[]'),
  'columns', coalesce((select pg_catalog.json_object_agg(a.attname, pg_catalog.json_build_object(
      'width', coalesce(s.avg_width, case when a.attlen > 0 then a.attlen else 32 end),
      'distinct', case when s.n_distinct < 0 then -s.n_distinct * greatest(t.reltuples, 0) else s.n_distinct end))
    from pg_catalog.pg_attribute a
    left join pg_catalog.pg_stats s on s.schemaname = t.nspname and s.tablename = t.relname and s.attname = a.attname and not s.inherited
    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped), '{}')
) as document
from tables t`

/** The schema that pg_stat_statements is installed in; no row when it is not. */
export const statementsSchemaSql = `
select n.nspname as schema from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
where e.extname = 'pg_stat_statements'`

/** The most frequent UPDATEs of this database whose text names one of the tables (`$1`: JSON list of names). */
export function updateStatementsSql(quotedSchema: string): string {
  return `
select s.query from ${quotedSchema}.pg_stat_statements s
where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  and s.query ~* '\\mupdate\\M'
  and exists (select from pg_catalog.json_array_elements_text($1::json) as w(name) where pg_catalog.strpos(s.query, w.name) > 0)
order by s.calls desc limit 200`
}
