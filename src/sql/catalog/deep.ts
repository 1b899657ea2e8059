/*
 * For verify --deep. Every look is of the catalog alone, but bt_index_check: https://www.postgresql.org/docs/current/amcheck.html
 */

/**
 * Indexes of the wanted tables (`$1`: [{schema, name}]) and of their partitions, each with the collations that it is ordered by whose version is another one
 * than when they were last refreshed. 14 keeps none for the default collation of the database.
 */
export function deepIndexesSql(versionNum: number): string {
  const defaults =
    versionNum >= 150_000
      ? `select 100::oid as oid, 'the default collation of the database' as name, d.datcollversion as kept, pg_catalog.pg_database_collation_actual_version(d.oid) as now,
           'alter database ' || pg_catalog.quote_ident(d.datname) || ' refresh collation version' as refresh
         from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
         union all`
      : ''
  return `
with recursive tables as (
  select c.oid from pg_catalog.json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
  union
  select h.inhrelid from tables t join pg_catalog.pg_inherits h on h.inhparent = t.oid
), collations as (
  ${defaults}
  select l.oid, 'the collation ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname) as name, l.collversion as kept,
    pg_catalog.pg_collation_actual_version(l.oid) as now,
    'alter collation ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname) || ' refresh version' as refresh
  from pg_catalog.pg_collation l join pg_catalog.pg_namespace n on n.oid = l.collnamespace where l.collversion is not null
), moved as (select * from collations where kept is distinct from now and kept is not null and now is not null)
select i.indexrelid::int8 as oid, n.nspname as schema, c.relname as name, tn.nspname || '.' || t.relname as "table", am.amname as method,
  pg_catalog.pg_relation_size(i.indexrelid) as bytes, pg_catalog.pg_has_role(t.relowner, 'usage') as owned,
  coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object('name', m.name, 'kept', m.kept, 'now', m.now, 'refresh', m.refresh) order by m.name)
    from moved m where am.amname <> 'hash' and (m.oid = any (i.indcollation::oid[]) or exists (select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid
        and d.refclassid = 'pg_catalog.pg_collation'::pg_catalog.regclass and d.refobjid = m.oid)
      -- An expression or a predicate compares by the collations of its columns, of which only the columns are written down.
      or (i.indpred is not null or i.indexprs is not null) and exists (select from pg_catalog.pg_depend d
        join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid
          and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = i.indrelid and a.attcollation = m.oid))), '[]') as moved
from tables join pg_catalog.pg_index i on i.indrelid = tables.oid
join pg_catalog.pg_class c on c.oid = i.indexrelid and c.relkind = 'i'
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_am am on am.oid = c.relam
join pg_catalog.pg_class t on t.oid = i.indrelid and t.relpersistence <> 't'
join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
where i.indisvalid and i.indisready and i.indislive
order by 2, 3`
}

/**
 * The schema of amcheck, quoted, where it is installed, whether a superuser made it, and whether this role may call it. Its functions compare as the owner of the
 * table, with nothing of the caller's rights (14.3 and later).
 */
export const amcheckSql = `
select pg_catalog.quote_ident(n.nspname) as schema, o.rolsuper and f.rolsuper as trusted, pg_catalog.has_function_privilege(p.oid, 'execute') as allowed
from pg_catalog.pg_extension e
join pg_catalog.pg_roles o on o.oid = e.extowner
join pg_catalog.pg_namespace n on n.oid = e.extnamespace
join pg_catalog.pg_proc p on p.pronamespace = n.oid and p.proname = 'bt_index_check' and p.pronargs = 1
  and p.proargtypes[0] = 'pg_catalog.regclass'::pg_catalog.regtype
  and exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid
    and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.refobjid = e.oid and d.deptype = 'e')
join pg_catalog.pg_roles f on f.oid = p.proowner
where e.extname = 'amcheck'`
