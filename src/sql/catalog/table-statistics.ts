/** As the planner takes it without statistics: 32 bytes for what may be of any length (get_typavgwidth in lsyscache.c). */
const columnWidthSql = `case when a.attlen > 0 then a.attlen
        when a.atttypid in (1042, 1043) and a.atttypmod between 5 and 36 then a.atttypmod - 4 else 32 end`

/**
 * What planning a build needs to know of tables, for those in `$1` (JSON: [{schema, name}]): how they are updated, which columns an
 * index holds or computes with already (pg_depend names those of expressions and predicates too), width and distinct values of each column. A table that was
 * never analyzed (reltuples -1) has the rows that fit in its pages, as the planner estimates them (estimate_rel_size in plancat.c).
 */
export const tableStatisticsSql = `
with recursive wanted as (
  select c.oid, n.nspname, c.relname, c.reltuples
  from pg_catalog.json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
), members as (
  select w.oid as root, w.oid from wanted w
  union all
  select m.root, h.inhrelid from members m join pg_catalog.pg_inherits h on h.inhparent = m.oid and not h.inhdetachpending
  where (select c.relkind from pg_catalog.pg_class c where c.oid = m.oid) = 'p'
), columns as materialized (
  select w.oid, a.attname, coalesce(s.avg_width, ${columnWidthSql}) as width, s.n_distinct
  from wanted w
  join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum > 0 and not a.attisdropped
  -- Of each column by itself: joined, the statistics of all tables are read.
  left join lateral (select s.avg_width, s.n_distinct from pg_catalog.pg_stats s
    where s.schemaname = w.nspname and s.tablename = w.relname and s.attname = a.attname and not s.inherited limit 1) s on true
), pages as materialized (
  select m.root, c.oid, c.reltuples, pg_catalog.pg_relation_size(c.oid) as bytes,
    c.reloptions::text ~ 'toast_tuple_target' or c.reltoastrelid <> 0 and pg_catalog.pg_relation_size(c.reltoastrelid) > 0 as apart
  from members m join pg_catalog.pg_class c on c.oid = m.oid and c.relkind in ('r', 'm')
), tables as (
  select w.oid, w.nspname, w.relname, coalesce((select sum(case when p.reltuples >= 0 then p.reltuples::float8
      else pg_catalog.floor(p.bytes / 8192.0 * 8168 / (28 + coalesce((select sum(x.width) from columns x where x.oid = w.oid), 0))) end)
    from pages p where p.root = w.oid), 0) as rows,
    exists (select from pages p where p.root = w.oid and p.bytes > 0) as filled
  from wanted w
)
select pg_catalog.json_build_object(
  'schema', t.nspname, 'name', t.relname, 'rows', t.rows, 'filled', t.filled,
  'updates', coalesce(pg_catalog.pg_stat_get_tuples_updated(t.oid), 0),
  'hotUpdates', coalesce(pg_catalog.pg_stat_get_tuples_hot_updated(t.oid), 0),
  'indexedColumns', coalesce((select pg_catalog.json_agg(distinct a.attname)
    from pg_catalog.pg_index i
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid
      and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = t.oid and d.refobjsubid > 0
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
    where i.indrelid = t.oid), '[]'),
  'wideColumns', coalesce((select pg_catalog.json_agg(distinct a.attname)
    from pages p join pg_catalog.pg_attribute a on a.attrelid = p.oid and a.attnum > 0 and not a.attisdropped
    where p.root = t.oid and p.bytes > 0 and a.attlen = -1 and (a.attstorage in ('p', 'm') or p.apart)), '[]'),
  'columns', coalesce((select pg_catalog.json_object_agg(c.attname, pg_catalog.json_build_object(
      'width', c.width,
      'distinct', case when c.n_distinct < 0 then -c.n_distinct * t.rows else c.n_distinct end))
    from columns c where c.oid = t.oid), '{}')
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
