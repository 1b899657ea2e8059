/** Names that an index of schema `$1` cannot have. Runs with search_path = pg_catalog. */
export const namesInSchemaSql = `
  select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1`

/** Rows written to tables (`$1` schemas, `$2` names) with their partitions, since the counters were reset. Runs with search_path = pg_catalog. */
export const tableWritesSql = `
  select n.nspname || '.' || c.relname as "table", sum(s.n_tup_ins)::float8 as inserted, sum(s.n_tup_upd)::float8 as updated,
    sum(s.n_tup_hot_upd)::float8 as hot_updated, sum(s.n_tup_del)::float8 as deleted
  from unnest($1::text[], $2::text[]) as wanted (schema, name)
  join pg_namespace n on n.nspname = wanted.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
  join lateral (select c.oid as relid union select p.relid from pg_partition_tree(c.oid) p) t on true
  join pg_stat_all_tables s on s.relid = t.relid
  group by 1`
