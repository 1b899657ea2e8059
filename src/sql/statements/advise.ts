/** Names that an index of schema `$1` cannot have. Runs with search_path = pg_catalog. */
export const namesInSchemaSql = `
  select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1`

/**
 * pg_trgm where it is not installed and could be: whether the role of the session may create it (as a superuser, or as it is trusted and the role may create in the database), and
 * whether it is trusted at all. Runs with search_path = pg_catalog.
 */
export const trigramsSql = `
  select r.rolsuper or (v.trusted and has_database_privilege(current_database(), 'create')) as allowed, v.trusted
  from pg_available_extensions a join pg_available_extension_versions v on v.name = a.name and v.version = a.default_version
    join pg_roles r on r.rolname = current_user
  where a.name = 'pg_trgm' and a.installed_version is null`

/** The tables `$1` schemas, `$2` names, a partition as the partitioned table at the top. Runs with search_path = pg_catalog. */
export const rootTablesSql = `
  select distinct rn.nspname as schema, r.relname as name
  from unnest($1::text[], $2::text[]) as wanted (schema, name) join pg_namespace n on n.nspname = wanted.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name and c.relkind in ('r', 'p', 'm')
    join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid) join pg_namespace rn on rn.oid = r.relnamespace
  order by 1, 2`

/** Foreign keys of the tables `$1` schemas, `$2` names, by columns in the order of the constraint. Runs with search_path = pg_catalog. */
export const foreignKeysSql = `
  select n.nspname as schema, c.relname as name,
    array(select a.attname::text from unnest(k.conkey) with ordinality as o (number, at)
      join pg_attribute a on a.attrelid = c.oid and a.attnum = o.number order by o.at) as columns
  from unnest($1::text[], $2::text[]) as wanted (schema, name) join pg_namespace n on n.nspname = wanted.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
    join pg_constraint k on k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0
  order by 1, 2, 3`

/**
 * Foreign keys that no index of their table begins with, though rows of the table that they refer to were deleted since the counters were reset: with
 * the query by which PostgreSQL then looks for rows that still refer to one, for a value that nobody knows beforehand. The most deletes
 * first, 50 at most. Runs with search_path = pg_catalog.
 */
export const unservedForeignKeysSql = `
  select n.nspname || '.' || c.relname as "table", k.conname as name, rn.nspname || '.' || r.relname as referenced,
    pg_stat_get_tuples_deleted(r.oid)::float8 as deleted,
    'select from ' || case c.relkind when 'p' then '' else 'only ' end || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' where ' ||
      (select string_agg(quote_ident(a.attname) || ' = (select null::' || format_type(a.atttypid, a.atttypmod) || ')', ' and ' order by o.at)
        from unnest(k.conkey) with ordinality as o (number, at) join pg_attribute a on a.attrelid = c.oid and a.attnum = o.number) as sql
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class r on r.oid = k.confrelid join pg_namespace rn on rn.oid = r.relnamespace
  where k.contype = 'f' and k.conparentid = 0 and pg_stat_get_tuples_deleted(r.oid) > 0
    and not exists (select from pg_index i where i.indrelid = c.oid and i.indisvalid and i.indpred is null
      and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
  order by 4 desc, 1, 2 limit 50`

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
