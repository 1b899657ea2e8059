/**
 * Every index of the user's tables that the filter picks, one row each, ordered by schema, table and name; `$1`: the
 * filter as JSON {schemas, tables, indexes: [regular expression]}, where an empty list picks everything; a table may
 * be matched by `schema.table` too. perfdb's own ledger is read only when its schema is named. Indexes that no profile can declare come with `left_out` and without a definition. Keys
 * and expressions are read as pieces, once as people read them (pretty) and once as PostgreSQL needs them. `opclassOwn`: it
 * is the default of the column's very type (a varchar, 1043, takes that of text, 25). What belongs to constraints and
 * extensions is joined as sets: pg_constraint has no index on conindid (18 s for 6,040 indexes otherwise).
 * https://www.postgresql.org/docs/current/catalog-pg-index.html
 */
export function importedIndexesSql(versionNum: number): string {
  const nullsNotDistinct = versionNum >= 150000 ? 'i.indnullsnotdistinct' : 'false'
  return `
with filter as (select $1::json as j),
constraints as (
  select k.conindid, pg_catalog.min(k.contype::text) as contype
  from pg_catalog.pg_constraint k where k.conindid <> 0 and k.contype in ('p', 'u', 'x') group by k.conindid
), members as (
  select d.classid, d.objid, e.extname from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
  where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.deptype = 'e'
), picked as (
  select i.indexrelid, i.indrelid, n.nspname, t.relname as tablename, c.relname, c.relkind, c.relam, c.reloptions, c.reltablespace,
    case when k.contype is not null then k.contype
         when c.relispartition then 'attached'
         when m.extname is not null then 'extension'
         when not (i.indisvalid and i.indisready and i.indislive) then 'invalid' end as left_out
  from filter cross join pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_class t on t.oid = i.indrelid and t.relkind in ('r', 'p', 'm') and t.relpersistence <> 't'
  join pg_catalog.pg_namespace n on n.oid = t.relnamespace and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  left join constraints k on k.conindid = i.indexrelid
  left join members m on m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and m.objid = i.indrelid
  where ${matches('schemas', 'n.nspname')} and (n.nspname <> 'perfdb' or pg_catalog.strpos(filter.j->>'schemas', '"^perfdb$"') > 0)
    and (${matches('tables', 't.relname')} or ${matches('tables', "n.nspname || '.' || t.relname")})
    and ${matches('indexes', 'c.relname')}
), keys as (
  select p.indexrelid,
    pg_catalog.json_agg(pg_catalog.json_build_object(
      'column', ta.attname,
      'pretty', case when ta.attname is null then pg_catalog.pg_get_indexdef(p.indexrelid, ia.attnum, true) end,
      'text', case when ta.attname is null then pg_catalog.pg_get_indexdef(p.indexrelid, ia.attnum, false) end,
      'opclass', o.opcname, 'opclassSchema', os.nspname, 'opclassDefault', o.opcdefault,
      'opclassOwn', o.opcdefault and (o.opcintype = coalesce(nullif(y.typbasetype, 0), y.oid)
        or ta.atttypid = 1043 and o.opcintype = 25 and o.opcmethod not in (select v.opcmethod from pg_catalog.pg_opclass v where v.opcdefault and v.opcintype = 1043)),
      'opclassParameters', coalesce(pg_catalog.to_json(ia.attoptions), '[]'),
      'collation', l.collname, 'collationSchema', ls.nspname, 'collationOwn', l.oid is null or l.oid = ta.attcollation,
      'descending', i.indoption[ia.attnum - 1] & 1 = 1, 'nullsFirst', i.indoption[ia.attnum - 1] & 2 = 2
    ) order by ia.attnum) filter (where ia.attnum <= i.indnkeyatts) as keys,
    coalesce(pg_catalog.json_agg(ta.attname order by ia.attnum) filter (where ia.attnum > i.indnkeyatts), '[]') as include
  from picked p
  join pg_catalog.pg_index i on i.indexrelid = p.indexrelid
  join pg_catalog.pg_attribute ia on ia.attrelid = p.indexrelid and ia.attnum > 0
  left join pg_catalog.pg_attribute ta on ta.attrelid = p.indrelid and ta.attnum = i.indkey[ia.attnum - 1] and ta.attnum <> 0
  left join pg_catalog.pg_type y on y.oid = ta.atttypid
  left join pg_catalog.pg_opclass o on ia.attnum <= i.indnkeyatts and o.oid = i.indclass[ia.attnum - 1]
  left join pg_catalog.pg_namespace os on os.oid = o.opcnamespace
  left join pg_catalog.pg_collation l on ia.attnum <= i.indnkeyatts and l.oid = i.indcollation[ia.attnum - 1]
  left join pg_catalog.pg_namespace ls on ls.oid = l.collnamespace
  where p.left_out is null
  group by p.indexrelid
), extensions as (
  select d.objid as indexrelid, pg_catalog.json_agg(distinct m.extname) as names
  from pg_catalog.pg_depend d join members m on m.classid = d.refclassid and m.objid = d.refobjid
  where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass group by d.objid
)
select pg_catalog.json_build_object(
  'oid', p.indexrelid::int8, 'partitioned', p.relkind = 'I', 'schema', p.nspname, 'table', p.tablename, 'name', p.relname, 'leftOut', p.left_out,
  'method', am.amname, 'keys', k.keys, 'include', k.include,
  'predicate', case when p.left_out is null then pg_catalog.pg_get_expr(i.indpred, i.indrelid, false) end,
  'prettyPredicate', case when p.left_out is null then pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) end,
  'unique', i.indisunique, 'nullsDistinct', not ${nullsNotDistinct},
  'storage', coalesce(pg_catalog.to_json(p.reloptions), '[]'), 'tablespace', s.spcname,
  'comment', d.description, 'extensions', coalesce(x.names, '[]')
) as document
from picked p
join pg_catalog.pg_index i on i.indexrelid = p.indexrelid
join pg_catalog.pg_am am on am.oid = p.relam
left join keys k on k.indexrelid = p.indexrelid
left join pg_catalog.pg_tablespace s on s.oid = p.reltablespace
left join extensions x on x.indexrelid = p.indexrelid
left join pg_catalog.pg_description d on d.objoid = p.indexrelid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
order by p.nspname, p.tablename, p.relname`
}
/** An empty list of patterns picks everything. */
function matches(list: string, value: string): string {
  return `(pg_catalog.json_array_length(filter.j->'${list}') = 0 or exists (
      select from pg_catalog.json_array_elements_text(filter.j->'${list}') as w(pattern) where ${value} ~ w.pattern))`
}
