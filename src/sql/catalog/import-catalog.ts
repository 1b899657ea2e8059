/**
 * Every index of the user's tables that the filter picks, one row each, ordered by schema, table and name; `$1`: the
 * filter as JSON {schemas, tables, indexes: [regular expression]}, where an empty list picks everything; a table may
 * be matched by `schema.table` too. perfdb's own ledger is read only when its schema is named. Indexes that no profile can
 * declare come with `leftOut` and without a definition. Keys and expressions are read as pieces, once as people read them
 * (pretty) and once as PostgreSQL needs them. `opclassOwn`: it is the default of the column's very type (a varchar, 1043,
 * takes that of text, 25). Each look-up is by an index of the catalogs: joined as sets, the planner took 8 rows for 11,000
 * and needed 7.6 s for what takes 0.4 s so. Operator classes, which are few, are read once (`names`): joined for each index, they were read whole
 * each time. https://www.postgresql.org/docs/current/catalog-pg-index.html
 */
export function importedIndexesSql(versionNum: number): string {
  const nullsNotDistinct = versionNum >= 150000 ? 'i.indnullsnotdistinct' : 'false'
  return `
with names as materialized (
  select pg_catalog.jsonb_object_agg(o.oid::text, pg_catalog.jsonb_build_object(
      'name', o.opcname, 'schema', n.nspname, 'default', o.opcdefault, 'type', o.opcintype::int8,
      'varchar', exists (select from pg_catalog.pg_opclass v where v.opcmethod = o.opcmethod and v.opcdefault and v.opcintype = 1043))) as opclasses
  from pg_catalog.pg_opclass o join pg_catalog.pg_namespace n on n.oid = o.opcnamespace
), filter as (select $1::json as j),
picked as (
  select i.indexrelid, n.nspname, t.relname as tablename, c.relname, c.relkind, c.relam, c.reloptions, c.reltablespace,
    case when k.contype is not null then k.contype::text
         when c.relispartition then 'attached'
         when exists (select from pg_catalog.pg_depend d where d.classid = ${classOf('pg_class')} and d.objid = i.indrelid and d.deptype = 'e')
           then 'extension'
         when not (i.indisvalid and i.indisready and i.indislive) then 'invalid' end as left_out
  from filter cross join pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_class t on t.oid = i.indrelid and t.relkind in ('r', 'p', 'm') and t.relpersistence <> 't'
  join pg_catalog.pg_namespace n on n.oid = t.relnamespace and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  left join lateral (
    select k.contype from pg_catalog.pg_constraint k
    where k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x') limit 1) k on true
  where ${matches('schemas', 'n.nspname')} and (n.nspname <> 'perfdb' or pg_catalog.strpos(filter.j->>'schemas', '"^perfdb$"') > 0)
    and (${matches('tables', 't.relname')} or ${matches('tables', "n.nspname || '.' || t.relname")})
    and ${matches('indexes', 'c.relname')}
)
select pg_catalog.json_build_object(
  'oid', p.indexrelid::int8, 'schema', p.nspname, 'table', p.tablename, 'name', p.relname,
  'leftOut', p.left_out, 'method', am.amname,
  'keys', case when p.left_out is null then (${keysSql}) end,
  'include', case when p.left_out is null then coalesce((
      select pg_catalog.json_agg(ta.attname order by k) from pg_catalog.generate_series(i.indnkeyatts, i.indnatts - 1) as k
      join pg_catalog.pg_attribute ta on ta.attrelid = i.indrelid and ta.attnum = i.indkey[k]), '[]') end,
  'predicate', case when p.left_out is null then pg_catalog.pg_get_expr(i.indpred, i.indrelid, false) end,
  'prettyPredicate', case when p.left_out is null then pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) end,
  'unique', i.indisunique, 'nullsDistinct', not ${nullsNotDistinct},
  'storage', coalesce(pg_catalog.to_json(p.reloptions), '[]'),
  'tablespace', (select s.spcname from pg_catalog.pg_tablespace s where s.oid = p.reltablespace),
  'readable', pg_catalog.has_table_privilege(i.indrelid, 'select') and pg_catalog.has_schema_privilege(p.nspname, 'usage'),
  'comment', (${commentSql}),
  'statistics', coalesce((select pg_catalog.json_object_agg(a.attnum, a.attstattarget) from pg_catalog.pg_attribute a
      where a.attrelid = p.indexrelid and a.attstattarget >= 0 and i.indkey[a.attnum - 1] = 0), '{}'),
  'own', case when p.left_out = 'attached' and p.relkind = 'i' then (
      select pg_catalog.json_build_object(
        'root', (with recursive up as (
            select h.inhparent as oid
            union all
            select x.inhparent from up join pg_catalog.pg_inherits x on x.inhrelid = up.oid
          ) select up.oid::int8 from up where not exists (select from pg_catalog.pg_inherits x where x.inhrelid = up.oid)),
        'storage', case when c.reloptions is distinct from p.reloptions then coalesce(pg_catalog.to_json(p.reloptions), '[]') end,
        'comment', (${commentSql}),
        'statistics', case when ${targetsSql('p.indexrelid')} is distinct from ${targetsSql('h.inhparent')} then (
            select pg_catalog.json_object_agg(a.attnum, a.attstattarget) from pg_catalog.pg_attribute a
            where a.attrelid = p.indexrelid and a.attstattarget >= 0) end)
      from pg_catalog.pg_inherits h join pg_catalog.pg_class c on c.oid = h.inhparent where h.inhrelid = p.indexrelid) end,
  'extensions', coalesce((
      select pg_catalog.json_agg(distinct e.extname) from pg_catalog.pg_depend d
      join pg_catalog.pg_depend m on m.classid = d.refclassid and m.objid = d.refobjid and m.deptype = 'e'
      join pg_catalog.pg_extension e on e.oid = m.refobjid and m.refclassid = ${classOf('pg_extension')}
      where d.classid = ${classOf('pg_class')} and d.objid = p.indexrelid), '[]')
) as document
from picked p
join pg_catalog.pg_index i on i.indexrelid = p.indexrelid
join pg_catalog.pg_am am on am.oid = p.relam
order by p.nspname, p.tablename, p.relname`
}

/** Not by obj_description: that is a function in SQL, a third of the whole. */
const commentSql = `select d.description from pg_catalog.pg_description d
      where d.objoid = p.indexrelid and d.classoid = ${classOf('pg_class')} and d.objsubid = 0`

/** Of an index, its statistics targets as one text. */
function targetsSql(oid: string): string {
  return `(select pg_catalog.string_agg(a.attnum::text || ':' || a.attstattarget::text, ',' order by a.attnum)
          from pg_catalog.pg_attribute a where a.attrelid = ${oid} and a.attstattarget >= 0)`
}

const keysSql = `
    select pg_catalog.json_agg(pg_catalog.json_build_object(
      'column', ta.attname,
      'pretty', case when ta.attname is null then pg_catalog.pg_get_indexdef(i.indexrelid, ia.attnum, true) end,
      'text', case when ta.attname is null then pg_catalog.pg_get_indexdef(i.indexrelid, ia.attnum, false) end,
      'opclass', o.j->'name', 'opclassSchema', o.j->'schema', 'opclassDefault', o.j->'default',
      'opclassOwn', (o.j->'default')::bool and ((o.j->'type')::int8 = coalesce(nullif(y.typbasetype, 0), y.oid)::int8
        or ta.atttypid = 1043 and (o.j->'type')::int8 = 25 and not (o.j->'varchar')::bool),
      'opclassParameters', coalesce(pg_catalog.to_json(ia.attoptions), '[]'),
      'collation', l.collname, 'collationSchema', ls.nspname, 'collationOwn', l.oid is null or l.oid = ta.attcollation,
      'descending', i.indoption[ia.attnum - 1] & 1 = 1, 'nullsFirst', i.indoption[ia.attnum - 1] & 2 = 2
    ) order by ia.attnum)
    from pg_catalog.pg_attribute ia
    left join pg_catalog.pg_attribute ta on ta.attrelid = i.indrelid and ta.attnum = nullif(i.indkey[ia.attnum - 1], 0)
    left join pg_catalog.pg_type y on y.oid = ta.atttypid
    cross join lateral (select (select opclasses from names)->(i.indclass[ia.attnum - 1]::text) as j offset 0) as o
    left join pg_catalog.pg_collation l on l.oid = i.indcollation[ia.attnum - 1]
    left join pg_catalog.pg_namespace ls on ls.oid = l.collnamespace
    where ia.attrelid = i.indexrelid and ia.attnum between 1 and i.indnkeyatts`

/** An empty list of patterns picks everything. */
function matches(list: string, value: string): string {
  return `(pg_catalog.json_array_length(filter.j->'${list}') = 0 or exists (
      select from pg_catalog.json_array_elements_text(filter.j->'${list}') as w(pattern) where ${value} ~ w.pattern))`
}

function classOf(catalog: string): string {
  return `'pg_catalog.${catalog}'::pg_catalog.regclass`
}
