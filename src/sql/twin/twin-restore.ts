/*
 * What is done on the twin's own server. Whoever is named `superuser` below touches the catalogs alone; what a schema brings along runs as the
 * ordinary role that owns it. All with search_path = pg_catalog.
 */

/** pg_restore_relation_stats of 18 for a JSON list `$1` of {schema, name, pages, tuples, all_visible}; relations that are not there are passed over. */
export const restoreRelationsSql = `
  select count(pg_restore_relation_stats('schemaname', r.schema, 'relname', r.name, 'relpages', r.pages, 'reltuples', r.tuples,
    'relallvisible', r.all_visible))
  from json_to_recordset($1::json) as r (schema text, name text, pages int, tuples float4, all_visible int)
  join pg_namespace n on n.nspname = r.schema join pg_class c on c.relnamespace = n.oid and c.relname = r.name
  where c.relkind in ('r', 'm', 'p', 'i', 'I')`

/**
 * pg_restore_attribute_stats of 18 for a JSON list `$1` of columns as the statistics file has them, with schema and relation. One row for each that
 * was not restored: it is not there (missing), or PostgreSQL did not take it.
 */
export const restoreColumnsSql = `
  with wanted as (
    select r.*, a.attnum from json_to_recordset($1::json) as r (schema text, relation text, name text, number int2, inherited bool, null_frac float4,
      avg_width int, n_distinct float4, most_common_vals text, most_common_freqs text, histogram_bounds text, correlation float4,
      most_common_elems text, most_common_elem_freqs text, elem_count_histogram text, range_length_histogram text, range_empty_frac float4,
      range_bounds_histogram text)
    left join pg_namespace n on n.nspname = r.schema left join pg_class c on c.relnamespace = n.oid and c.relname = r.relation
    left join pg_attribute a on a.attrelid = c.oid and not a.attisdropped and a.attnum > 0
      and case when r.number is null then a.attname = r.name else a.attnum = r.number and c.relkind in ('i', 'I') end
  ), done as materialized (
    select w.schema, w.relation, w.name, w.attnum is null as missing, w.attnum is not null and pg_restore_attribute_stats('schemaname', w.schema, 'relname', w.relation,
      'attnum', w.attnum, 'inherited', w.inherited, 'null_frac', w.null_frac, 'avg_width', w.avg_width, 'n_distinct', w.n_distinct,
      'most_common_vals', w.most_common_vals, 'most_common_freqs', w.most_common_freqs::float4[], 'histogram_bounds', w.histogram_bounds,
      'correlation', w.correlation, 'most_common_elems', w.most_common_elems, 'most_common_elem_freqs', w.most_common_elem_freqs::float4[],
      'elem_count_histogram', w.elem_count_histogram::float4[], 'range_length_histogram', w.range_length_histogram,
      'range_empty_frac', w.range_empty_frac, 'range_bounds_histogram', w.range_bounds_histogram) as ok
    from wanted w
  )
  select schema, relation, name, missing from done where not ok`

/** The keys of an index `$1` that are expressions, with the types of the columns of its table. */
export const expressionKeysSql = `
  select k.number, pg_get_indexdef(i.indexrelid, k.number, true) as expression,
    (select json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) from pg_attribute a
      where a.attrelid = i.indrelid and a.attnum > 0 and not a.attisdropped) as types
  from pg_index i cross join lateral generate_series(1, i.indnkeyatts::int) as k (number)
  where i.indexrelid = $1 and (i.indkey::int2[])[k.number - 1] = 0`

/** The values of an expression of one column for a sample of that: `$1` values, `$2` the share of rows of each, `$3` whether it is a most common one. */
export function expressionValuesSql(expression: string, column: string, type: string): string {
  return `
  select (${expression})::text as value, sum(weight)::float8 as weight, coalesce(sum(weight) filter (where common), 0)::float8 as common,
    coalesce(max(pg_column_size(${expression})), 8)::float8 as width
  from unnest($1::text[]::${type}[], $2::float8[], $3::text[]::boolean[]) as t (${column}, weight, common) group by 1`
}

/** The files of tables and indexes, in the order of their oids, with what their size and height depend on; `keys` are columns, null for an expression. */
export const twinFilesSql = `
  select c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind, pg_relation_filepath(c.oid) as path,
    pg_relation_size(c.oid) as bytes, a.amname as method, coalesce(i.indisprimary, false) as primary_key, t.relname as "table",
    case when i.indexrelid is not null then array(select (select k.attname::text from pg_attribute k where k.attrelid = i.indrelid and k.attnum = key and key > 0)
      from unnest(i.indkey) with ordinality as u (key, place) where place <= i.indnkeyatts order by place) end as keys
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_am a on a.oid = c.relam
  left join pg_index i on i.indexrelid = c.oid
  left join pg_class t on t.oid = i.indrelid
  where c.relkind in ('r', 'i') and c.relpersistence <> 't' and c.oid >= 16384 and n.nspname not like 'pg\\_%'
  order by c.oid`

/** Superuser: rows with two values alone are put into tables that ask for more. Gives what relaxing takes away. */
export const strictnessSql = `
  select
    (select coalesce(json_agg(json_build_object('oid', c.oid::int8, 'checks', c.relchecks)), '[]') from pg_class c
      where c.oid >= 16384 and c.relchecks > 0) as checks,
    (select coalesce(json_agg(json_build_object('oid', a.attrelid::int8, 'number', a.attnum)), '[]') from pg_attribute a join pg_class c on c.oid = a.attrelid
      where a.attrelid >= 16384 and a.attnum > 0 and a.attnotnull and c.relkind in ('r', 'p')) as columns`

/** Superuser. */
export const relaxSql = [
  'update pg_class set relchecks = 0 where oid >= 16384 and relchecks > 0',
  `update pg_attribute a set attnotnull = false from pg_class c
    where c.oid = a.attrelid and a.attrelid >= 16384 and a.attnum > 0 and a.attnotnull and c.relkind in ('r', 'p')`,
] as const

/** Superuser: `$1` as strictnessSql gave it. */
export const tightenSql = [
  'update pg_class c set relchecks = r.checks from json_to_recordset($1::json) as r (oid int8, checks int2) where c.oid = r.oid',
  `update pg_attribute a set attnotnull = true from json_to_recordset($1::json) as r (oid int8, number int2)
    where a.attrelid = r.oid and a.attnum = r.number`,
] as const

/** Superuser: of the indexes `$1` (oids) the planner sees `$2` alone; those of partitions are named one by one. */
export const showSql = `
  update pg_index set indisvalid = (indexrelid = any ($2::oid[]))
  where indexrelid = any ($1::oid[]) and indisvalid <> (indexrelid = any ($2::oid[]))`

/** An index `$1` schema, `$2` name with what belongs to it in partitions, and the table of each. */
export const twinTreeSql = `
  select c.oid::int8 as oid, cn.nspname as schema, c.relname as name, c.relkind::text as kind, r.relname as "table"
  from pg_class i join pg_namespace n on n.oid = i.relnamespace,
    lateral (select i.oid union select p.relid from pg_partition_tree(i.oid) p) t
    join pg_class c on c.oid = t.oid join pg_namespace cn on cn.oid = c.relnamespace
    join pg_index x on x.indexrelid = c.oid join pg_class r on r.oid = x.indrelid
  where n.nspname = $1 and i.relname = $2 and i.relkind in ('i', 'I')`

/** Indexes `$1` schemas, `$2` names, with what belongs to them in partitions. */
export const treesSql = `
  select distinct t.oid::int8 as oid
  from unnest($1::text[], $2::text[]) as wanted (schema, name) join pg_namespace n on n.nspname = wanted.schema
    join pg_class i on i.relnamespace = n.oid and i.relname = wanted.name and i.relkind in ('i', 'I'),
    lateral (select i.oid union select p.relid from pg_partition_tree(i.oid) p) t`

/** Partitions, tables and indexes, with what is above each up to the top: as `schema.name`. */
export const twinAncestorsSql = `
  select n.nspname as schema, c.relname as name, c.relkind in ('i', 'I') as is_index,
    array(select an.nspname || '.' || a.relname from pg_partition_ancestors(c.oid) p join pg_class a on a.oid = p.relid
      join pg_namespace an on an.oid = a.relnamespace where a.oid <> c.oid) as above
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('i', 'I', 'r', 'p') and c.relispartition`
