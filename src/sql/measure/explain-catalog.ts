import { quoteName } from '../../definition/quote.js'

/*
 * What the query audit reads from the catalog. All of it runs with search_path = pg_catalog.
 */

/**
 * Size and statistics of tables ($1 schemas, $2 names). Thresholds as autovacuum takes them: storage parameters of the
 * table before settings of the server.
 */
export const tablesSql = `
  select n.nspname || '.' || c.relname as table, c.reltuples::float8 as estimated_rows,
    pg_relation_size(c.oid) / current_setting('block_size')::int8 as pages,
    pg_relation_size(c.oid) > 0 and coalesce(s.last_analyze, s.last_autoanalyze) is null
      and not exists (select from pg_stats p where p.schemaname = n.nspname and p.tablename = c.relname) as never,
    -- Changes that a session reports after its own ANALYZE count as made since: all there ever were, with statistics of as many rows.
    case when s.n_mod_since_analyze = s.n_tup_ins + s.n_tup_upd + s.n_tup_del and c.reltuples >= 0.8 * (s.n_tup_ins - s.n_tup_del)
        and coalesce(s.last_analyze, s.last_autoanalyze) is not null
        and exists (select from pg_stats p where p.schemaname = n.nspname and p.tablename = c.relname)
      then 0 else coalesce(s.n_mod_since_analyze, 0) end::float8 as changed_rows,
    coalesce(o.threshold, current_setting('autovacuum_analyze_threshold')::float8)
      + coalesce(o.factor, current_setting('autovacuum_analyze_scale_factor')::float8) * greatest(c.reltuples, 0) as threshold
  from unnest($1::text[], $2::text[]) as wanted (schema, name)
  join pg_namespace n on n.nspname = wanted.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name and c.relkind in ('r', 'm')
  left join pg_stat_user_tables s on s.relid = c.oid
  left join lateral (
    select max(option_value::float8) filter (where option_name = 'autovacuum_analyze_threshold') as threshold,
      max(option_value::float8) filter (where option_name = 'autovacuum_analyze_scale_factor') as factor
    from pg_options_to_table(c.reloptions) where option_name like 'autovacuum_analyze%'
  ) o on true`

/**
 * Indexes of tables ($1 schemas, $2 names) and indexes by name ($3). A partitioned table is as large as its partitions;
 * `parts` are the names that query plans show instead of a partitioned index.
 */
export const indexesSql = `
  select n.nspname || '.' || t.relname as table, i.relname as name, a.amname as method, x.indisvalid as valid, x.indisprimary as primary,
    pg_get_expr(x.indpred, x.indrelid) as predicate, t.reltuples::float8 as estimated_rows,
    greatest(pg_relation_size(t.oid), (select coalesce(sum(pg_relation_size(p.relid)), 0) from pg_partition_tree(t.oid) p))::int8
      / current_setting('block_size')::int8 as pages,
    array(select pg_get_indexdef(x.indexrelid, k, true) from generate_series(1, x.indnkeyatts) k order by k) as keys,
    array(select coalesce(c.attname, '')::text from generate_series(0, x.indnkeyatts - 1) k
      left join pg_attribute c on c.attrelid = x.indrelid and c.attnum = x.indkey[k] and x.indkey[k] <> 0 order by k) as columns,
    array(select o.opcname::text from generate_series(0, x.indnkeyatts - 1) k join pg_opclass o on o.oid = x.indclass[k] order by k) as opclasses,
    array(select coalesce(c.collname, '')::text from generate_series(0, x.indnkeyatts - 1) k
      left join pg_collation c on c.oid = x.indcollation[k] order by k) as collations,
    array(select x.indoption[k] & 1 = 1 from generate_series(0, x.indnkeyatts - 1) k order by k) as descending,
    array(select p.relname::text from pg_partition_tree(i.oid) part join pg_class p on p.oid = part.relid where part.isleaf) as parts
  from pg_index x
  join pg_class i on i.oid = x.indexrelid
  join pg_class t on t.oid = x.indrelid
  join pg_namespace n on n.oid = t.relnamespace
  join pg_am a on a.oid = i.relam
  where i.relname = any ($3::text[])
    or (n.nspname, t.relname) in (select * from unnest($1::text[], $2::text[]) as wanted (schema, name))
  order by 1, 2`

/** Types of the columns of one table ($1 schema, $2 name), as `format_type` without typmod writes them. */
export const columnTypesSql = `
  select a.attname as column, format_type(a.atttypid, null) as type, coalesce(c.collname, '') as collation
  from pg_attribute a
  join pg_class t on t.oid = a.attrelid
  join pg_namespace n on n.oid = t.relnamespace
  left join pg_collation c on c.oid = a.attcollation
  where n.nspname = $1 and t.relname = $2 and a.attnum > 0 and not a.attisdropped`

/** Schemas of the tables of these names ($1), but those of the system. */
export const schemasSql = `
  select c.relname as name, n.nspname as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relname = any ($1::text[]) and c.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`

/** The partitioned table that a table ($1 schema, $2 name) belongs to at the top, else itself, and its owner. */
export const tableIdentitySql = `
  select r.nspname || '.' || t.relname as root, pg_get_userbyid(t.relowner)::text as owner,
    pg_has_role(c.relowner, 'USAGE') as owned
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_class t on t.oid = coalesce(pg_partition_root(c.oid), c.oid)
  join pg_namespace r on r.oid = t.relnamespace
  where n.nspname = $1 and c.relname = $2`

/** Most common values and histogram of a column ($1 schema, $2 table, $3 column), as text. */
export const columnStatisticsSql = `
  select most_common_vals::text::text[] as common, histogram_bounds::text::text[] as bounds
  from pg_stats where schemaname = $1 and tablename = $2 and attname = $3 order by inherited limit 1`

/** A value of a column as text. */
export function sampleRowSql(use: {
  readonly schema: string
  readonly table: string
  readonly column: string
}): string {
  const column = quoteName(use.column)
  return `select ${column}::text as value from ${quoteName(use.schema)}.${quoteName(use.table)} where ${column} is not null limit 1`
}

/** The columns that refer, by the foreign key of this name ($3), to a table ($1 schema, $2 name), and whether an index finds rows by them. */
export const foreignKeySql = `
  select n.nspname || '.' || t.relname as table, k.columns,
    exists (select from pg_index x where x.indrelid = t.oid and x.indisvalid and x.indpred is null
      and (select array_agg(a) from unnest(x.indkey[0:cardinality(c.conkey) - 1]) a) @> c.conkey) as indexed
  from pg_constraint c
  join pg_class r on r.oid = c.confrelid
  join pg_namespace s on s.oid = r.relnamespace
  join pg_class t on t.oid = c.conrelid
  join pg_namespace n on n.oid = t.relnamespace
  cross join lateral (select array_agg(a.attname::text order by u.place) as columns
    from unnest(c.conkey) with ordinality u (number, place) join pg_attribute a on a.attrelid = t.oid and a.attnum = u.number) k
  where c.contype = 'f' and s.nspname = $1 and r.relname = $2 and c.conname = $3`
