/** Names that an index of schema `$1` cannot have. Runs with search_path = pg_catalog. */
export const namesInSchemaSql = `
  select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1`

/** The tables `$1` schemas, `$2` names, a partition as the partitioned table at the top. Runs with search_path = pg_catalog. */
export const rootTablesSql = `
  select distinct rn.nspname as schema, r.relname as name
  from unnest($1::text[], $2::text[]) as wanted (schema, name) join pg_namespace n on n.nspname = wanted.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name and c.relkind in ('r', 'p', 'm')
    join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid) join pg_namespace rn on rn.oid = r.relnamespace
  order by 1, 2`

/**
 * Foreign keys of the tables `$1` schemas, `$2` names that refer to a table of which rows may go, by columns of the referring table in the order of the
 * constraint. Runs with search_path = pg_catalog.
 */
export const foreignKeysSql = `
  select n.nspname as schema, c.relname as name, k.conname as constraint, rn.nspname || '.' || r.relname as referenced,
    array(select a.attname::text from unnest(k.conkey) with ordinality as o (number, at)
      join pg_attribute a on a.attrelid = c.oid and a.attnum = o.number order by o.at) as columns
  from unnest($1::text[], $2::text[]) as wanted (schema, name) join pg_namespace n on n.nspname = wanted.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
    join pg_constraint k on k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0
    join pg_class r on r.oid = k.confrelid join pg_namespace rn on rn.oid = r.relnamespace
  order by 1, 2, 3`

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
