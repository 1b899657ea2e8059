/** Schemas of the system and of other sessions, and that of perfdb's own ledger: what is in them, no twin needs. */
export const notOurs = `n.nspname not like 'pg\\_%' and n.nspname not in ('information_schema', 'perfdb')`

/** Belongs to an extension, which brings it along itself. */
export function extensionMember(catalog: string, oid: string): string {
  return `exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e')`
}

/**
 * Tables, materialized views and indexes with what the planner knows of them, in the order of their oids. `bytes` is null where somebody holds
 * the relation exclusively: its size cannot be asked without waiting. Runs with search_path = pg_catalog.
 */
export const twinRelationsSql = `
  select c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
    t.relname as "table", a.amname as method, c.relpages as pages, c.reltuples as tuples, c.relallvisible as all_visible,
    case when c.relkind in ('p', 'I') then 0
      when exists (select from pg_locks l where l.relation = c.oid and l.granted and l.mode = 'AccessExclusiveLock'
        and l.database = (select oid from pg_database where datname = current_database())) then null
      else pg_relation_size(c.oid) end as bytes
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_index i on i.indexrelid = c.oid
  left join pg_class t on t.oid = i.indrelid
  left join pg_am a on a.oid = c.relam
  where c.relkind in ('r', 'm', 'p', 'i', 'I') and c.relpersistence <> 't' and ${notOurs} and (i.indexrelid is null or i.indisvalid)
  order by c.oid`

/**
 * pg_stats, whose names go with twinRelationsSql; a column of an index is one of its expressions, `number` its place. The columns of ranges came
 * with 17.
 */
export function twinColumnsSql(versionNum: number): string {
  const ranges =
    versionNum >= 170_000
      ? ', s.range_length_histogram::text, s.range_empty_frac, s.range_bounds_histogram::text'
      : ', null::text as range_length_histogram, null::float4 as range_empty_frac, null::text as range_bounds_histogram'
  return `
  select s.schemaname as schema, s.tablename as relation, s.attname as name, s.inherited,
    case when c.relkind in ('i', 'I') then a.attnum end as number,
    s.null_frac, s.avg_width, s.n_distinct, s.most_common_vals::text, s.most_common_freqs::text, s.histogram_bounds::text, s.correlation,
    s.most_common_elems::text, s.most_common_elem_freqs::text, s.elem_count_histogram::text${ranges},
    json_build_object('type', format_type(b.oid, case t.typtype when 'd' then t.typtypmod else a.atttypmod end), 'enum', b.typtype = 'e',
      'element', format_type(e.oid, a.atttypmod), 'element_enum', e.typtype = 'e',
      'collation', (select quote_ident(cn.nspname) || '.' || quote_ident(co.collname) from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace
        where co.oid = a.attcollation and co.collname <> 'default')) as typed
  from pg_stats s
  join pg_namespace n on n.nspname = s.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = s.tablename
  join pg_attribute a on a.attrelid = c.oid and a.attname = s.attname
  join pg_type t on t.oid = a.atttypid
  join pg_type b on b.oid = case t.typtype when 'd' then t.typbasetype else t.oid end
  left join pg_type e on e.oid = b.typelem and b.typcategory = 'A'
  where ${notOurs}
  order by c.oid, a.attnum, s.inherited`
}

/** What the schema says itself, in which its constants stand: bounds of partitions, predicates of indexes, views. */
export const twinConstantsSql = `
  select pg_get_expr(c.relpartbound, c.oid) as text from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relispartition and c.relkind in ('r', 'p') and ${notOurs}
  union all
  select pg_get_expr(i.indpred, i.indrelid) from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
  where i.indpred is not null and ${notOurs}
  union all
  select pg_get_viewdef(c.oid) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'v' and ${notOurs}`

/** The distinct values `$1` of a type in its order, equal ones with one rank; `position` where the type has distances: as a whole number or a decimal one. */
export function orderedValuesSql(type: string, collation: string | null, position: string | null): string {
  return `
  select v as value, dense_rank() over (order by v::${type}${collation === null ? '' : ` collate ${collation}`})::int as rank,
    ${position === null ? 'null' : position.replaceAll('$v', `v::${type}`)}::text as position
  from (select distinct v from unnest($1::text[]) as given (v)) as values_ order by 2`
}

/** Whether each of the values `$1` is greater than the one before it. */
export function ascendingSql(type: string, collation: string | null): string {
  const one = `v::${type}${collation === null ? '' : ` collate ${collation}`}`
  return `
  select coalesce(bool_and(above), true) as ascending from (
    select ${one} > lag(${one}) over (order by place) as above from unnest($1::text[]) with ordinality as given (v, place)) as pairs`
}

/**
 * What a plain role is not shown: tables whose rows it may not read (or sees through row security), indexes with expressions of other owners,
 * and extended statistics, which no server takes back.
 */
export const twinUnseenSql = `
  select
    (select coalesce(json_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname) order by c.oid), '[]') from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm', 'p') and c.relpersistence <> 't' and ${notOurs}
        and (not has_any_column_privilege(c.oid, 'select') or row_security_active(c.oid))) as tables,
    (select coalesce(json_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname) order by c.oid), '[]') from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_index i on i.indexrelid = c.oid
      where i.indexprs is not null and i.indisvalid and ${notOurs} and not has_any_column_privilege(c.oid, 'select')) as indexes,
    (select coalesce(json_agg(quote_ident(n.nspname) || '.' || quote_ident(e.stxname) order by e.oid), '[]') from pg_statistic_ext e
      join pg_namespace n on n.oid = e.stxnamespace where ${notOurs}) as extended`

/** Settings that the planner reads, and those in which constants of a query are read. */
export const twinSettingsSql = `
  select name, current_setting(name) as value from pg_settings
  where category like 'Query Tuning%' and name not like 'geqo\\_seed%'
    or name in ('work_mem', 'hash_mem_multiplier', 'max_parallel_workers_per_gather', 'default_statistics_target', 'effective_io_concurrency',
      'default_text_search_config', 'constraint_exclusion', 'from_collapse_limit', 'join_collapse_limit', 'plan_cache_mode', 'jit')
  order by name`

/** The server: encoding, block size, and how it compares texts (`provider`: b builtin, c libc, i ICU). */
export function twinServerSql(versionNum: number): string {
  const locale =
    versionNum >= 170_000
      ? `datlocprovider::text as provider, coalesce(datlocale, datcollate) as locale`
      : versionNum >= 150_000
        ? `datlocprovider::text as provider, coalesce(daticulocale, datcollate) as locale`
        : `'c' as provider, datcollate as locale`
  return `
  select pg_encoding_to_char(encoding) as encoding, current_setting('block_size')::int as block_size, ${locale}
  from pg_database where datname = current_database()`
}

/**
 * First columns of btree indexes whose ends the planner looks up (get_actual_variable_range in selfuncs.c): of the column's own order, not
 * partial, of tables that hold rows themselves. Without `$1`, where looking counts as a scan, only those with a scan: the planner's looks count as well.
 */
export const twinEndsSql = `
  select distinct c.oid::int8 as oid, n.nspname as schema, c.relname as name, a.attname as "column"
  from pg_index i
  join pg_class c on c.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_class x on x.oid = i.indexrelid
  join pg_am m on m.oid = x.relam
  join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
  join pg_opclass o on o.oid = i.indclass[0]
  where m.amname = 'btree' and i.indisvalid and i.indpred is null and i.indkey[0] > 0 and c.relkind in ('r', 'm') and c.relpersistence <> 't'
    and i.indcollation[0] = a.attcollation and o.opcdefault and ${notOurs}
    and has_column_privilege(c.oid, a.attnum, 'select') and not row_security_active(c.oid)
    and ($1 or exists (select from pg_index used where used.indrelid = c.oid and used.indkey[0] = i.indkey[0]
      and pg_stat_get_numscans(used.indexrelid) > 0))
  order by 1, 4`

/**
 * Of a column `$1` schema (null: each that has the table), `$2` table, `$3` column: the tables that may hold its values, partitions and
 * parents too, and their indexes with expressions, whose statistics are of values as well. No row where there is no such column.
 */
export const twinHiddenSql = `
  with recursive tree as (
    (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
      where c.relname = $2 and a.attname = $3 and a.attnum > 0 and not a.attisdropped and ($1::text is null or n.nspname = $1)
        and c.relkind in ('r', 'p', 'm') and ${notOurs})
    union
    select case when i.inhparent = t.oid then i.inhrelid else i.inhparent end from tree t join pg_inherits i on t.oid in (i.inhparent, i.inhrelid)
  )
  select t.oid::int8 as oid, $3::text as "column" from tree t
  union all
  select i.indexrelid::int8, null from tree t join pg_index i on i.indrelid = t.oid and i.indexprs is not null`

/** One row with the least and the greatest value of each column (`least_0`, `greatest_0` ...), each found by its index. */
export function twinEndsProbeSql(table: string, columns: readonly string[]): string {
  const ends = columns.flatMap((column, at) =>
    [
      ['least', ''],
      ['greatest', ' desc'],
    ].map(
      ([name, order]) =>
        // Unqualified, ORDER BY would mean the text that is given.
        `(select t.${column}::text from only ${table} t where t.${column} is not null order by t.${column}${order} limit 1) as ${name}_${at}`,
    ),
  )
  return `select ${ends.join(', ')}`
}

/** Whether this role is a superuser, and whether the table of oid `$1` is its own. */
export const twinOwnerSql = `
  select r.rolsuper as superuser, exists (select from pg_catalog.pg_class c
    where c.oid operator(pg_catalog.=) $1::pg_catalog.int8::pg_catalog.oid and c.relowner operator(pg_catalog.=) r.oid) as own
  from pg_catalog.pg_roles r where r.rolname operator(pg_catalog.=) current_user::pg_catalog.name`

/** Whether `$1` is the table of oid `$2`, and neither an index nor statistics of it have expressions. */
export const twinUnchangedSql = `
  select $1::pg_catalog.text::pg_catalog.regclass::pg_catalog.oid operator(pg_catalog.=) c.oid
    and not exists (select from pg_catalog.pg_index i where i.indrelid operator(pg_catalog.=) c.oid and (i.indexprs is not null or i.indpred is not null))
    and not exists (select from pg_catalog.pg_statistic_ext s where s.stxrelid operator(pg_catalog.=) c.oid and s.stxexprs is not null) as same
  from pg_catalog.pg_class c where c.oid operator(pg_catalog.=) $2::pg_catalog.int8::pg_catalog.oid`
