import { buildsSql } from './progress.js'

/**
 * The catalog read of a plan as one statement and one row of JSON: at 20 ms a round trip that is what a plan with
 * nothing to do costs. `wanted`: the wanted objects as a constant of JSON, {tables: [{schema, name}], indexes: [{schema, name}], extensions: [name], texts: whether
 * overloads are asked for}.
 * Definitions are printed for the named tables and names only: all of a catalog of 10,000 indexes would take 0.3 s and 25 MB.
 */
export function snapshotSql(versionNum: number, wanted: string): string {
  return `
with wanted as (select ${wanted}::json as j),
wanted_tables as (
  select w.schema, w.name from wanted, pg_catalog.json_to_recordset(wanted.j->'tables') as w(schema text, name text)
), wanted_names as (
  select w.schema, w.name from wanted, pg_catalog.json_to_recordset(wanted.j->'indexes') as w(schema text, name text)
), named as (
  select c.oid, c.relname, c.relnamespace, n.nspname, c.relkind
  from wanted_names w
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
), tables as (
  select c.*, n.nspname
  from wanted_tables w
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
), picked as (
  select i.indexrelid from pg_catalog.pg_index i join tables t on t.oid = i.indrelid
  union
  select oid from named where relkind in ('i', 'I')
)
select pg_catalog.json_build_object(
  'tables', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', t.oid::int8, 'schema', t.nspname, 'name', t.relname, 'relkind', t.relkind, 'temporary', t.relpersistence = 't',
      'estimatedRows', t.reltuples,
      'sizeBytes', case when t.relkind in ('r', 'm', 't') then pg_catalog.pg_table_size(t.oid) else 0 end,
      'owned', pg_catalog.pg_has_role(t.relowner, 'usage'),
      'creatable', pg_catalog.has_schema_privilege(t.relnamespace, 'create'))) from tables t),
  'indexes', (select pg_catalog.json_agg(x.document) from (${indexDocumentSql(versionNum, 'picked')}) x),
  'relations', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'schema', nspname, 'name', relname, 'relkind', relkind)) from named where relkind not in ('i', 'I')),
  'builds', (${runningBuildsSql}),
  'extensions', (select pg_catalog.json_agg(pg_catalog.json_build_object('name', w.name,
      'installed', exists (select from pg_catalog.pg_extension e where e.extname = w.name),
      'available', exists (select from pg_catalog.pg_available_extensions a where a.name = w.name)))
    from wanted, pg_catalog.json_array_elements_text(wanted.j->'extensions') as w(name)),
  'schemas', (select pg_catalog.json_agg(distinct n.nspname) from pg_catalog.pg_namespace n
    where n.nspname in (select schema from wanted_tables)),
  'overloads', case when (select (wanted.j->>'texts')::bool from wanted) then (select coalesce(pg_catalog.json_agg(o.name), '[]') from (${overloadsSql}) as o(name)) end,
  'tablespaces', (select pg_catalog.json_agg(s.spcname) from pg_catalog.pg_tablespace s),
  'oldestTransaction', (${oldestTransactionSql}),
  'eventTriggers', (select pg_catalog.json_agg(e.evtname order by e.evtname) from pg_catalog.pg_event_trigger e
    where e.evtenabled in ('O', 'A') and e.evtevent in ('ddl_command_start', 'ddl_command_end', 'sql_drop')
      and (e.evttags is null or e.evttags && array['CREATE INDEX', 'DROP INDEX', 'ALTER INDEX']))
) as document`
}

/** Names of functions and operators that pg_catalog has and another schema has as well. */
const overloadsSql = `
    select pg_catalog.lower(p.proname) from pg_catalog.pg_proc p where p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
      and exists (select from pg_catalog.pg_proc b where b.proname = p.proname and b.pronamespace = 'pg_catalog'::pg_catalog.regnamespace)
    union
    select p.oprname::text from pg_catalog.pg_operator p where p.oprnamespace <> 'pg_catalog'::pg_catalog.regnamespace
      and exists (select from pg_catalog.pg_operator b where b.oprname = p.oprname and b.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace)`

/** One index by schema (`$1`) and name (`$2`); no row when there is none. */
export function indexByNameSql(versionNum: number): string {
  return `
with picked as (
  select c.oid as indexrelid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2 and c.relkind in ('i', 'I')
)
${indexDocumentSql(versionNum, 'picked')}`
}

/** The indexes that the probe made on its temporary tables, all in one answer. */
export function probedIndexesSql(versionNum: number): string {
  return `
with picked as (
  select c.oid as indexrelid from pg_catalog.pg_class c
  where c.relnamespace = pg_catalog.pg_my_temp_schema() and c.relkind in ('i', 'I') and c.relname ~ '^perfdb_probe_index_'
)
${indexDocumentSql(versionNum, 'picked')}`
}

/** Indexes by oid, given as a JSON list in `$1`. */
export function indexesByOidSql(versionNum: number): string {
  return `
with picked as (select w.value::oid as indexrelid from pg_catalog.json_array_elements_text($1::json) as w(value))
${indexDocumentSql(versionNum, 'picked')}`
}

/**
 * What an index is, key by key, as PostgreSQL prints it: pg_get_indexdef with a column number gives column or
 * expression alone, so that the same text comes from the probe on another table. Opclass, collation, order and nulls
 * are spelled out from pg_index, defaults too. Size and scans of a partitioned index are those of its partitions' indexes.
 * Wants a CTE `picked` with indexrelid. What belongs to a key or to a constraint is looked up by the catalogs' own
 * indexes: joined as sets, pg_collation and pg_constraint were read whole for each index (2.3 s for 11,000, now 0.9).
 */
export function indexDocumentSql(versionNum: number, picked: string): string {
  const nullsNotDistinct = versionNum >= 150000 ? 'i.indnullsnotdistinct' : 'false'
  return `select pg_catalog.json_build_object(
    'oid', i.indexrelid::int8, 'schema', n.nspname, 'name', c.relname,
    'table', pg_catalog.json_build_object('schema', tn.nspname, 'name', t.relname), 'tableOid', i.indrelid::int8,
    'partitioned', c.relkind = 'I', 'attached', c.relispartition,
    'valid', i.indisvalid, 'ready', i.indisready, 'live', i.indislive, 'unique', i.indisunique, 'primary', i.indisprimary,
    'constraint', (select k.conname from pg_catalog.pg_constraint k where k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x') limit 1),
    'referencedBy', coalesce((select pg_catalog.json_agg(k.conname) from pg_catalog.pg_depend d join pg_catalog.pg_constraint k on k.oid = d.objid
      where d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = i.indexrelid
        and d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and k.conindid = i.indexrelid and k.contype = 'f'), '[]'),
    'replicaIdentity', i.indisreplident, 'clustered', i.indisclustered,
    'sizeBytes', case when c.relkind = 'i' then pg_catalog.pg_relation_size(i.indexrelid) else ${sumBelowSql('pg_catalog.pg_relation_size')} end,
    'scans', case when c.relkind = 'i' then coalesce(pg_catalog.pg_stat_get_numscans(i.indexrelid), 0) else ${sumBelowSql('pg_catalog.pg_stat_get_numscans')} end,
    'indexdef', pg_catalog.pg_get_indexdef(i.indexrelid),
    'comment', (select d.description from pg_catalog.pg_description d
      where d.objoid = i.indexrelid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0),
    'extensions', coalesce((select pg_catalog.json_agg(e.extname order by e.extname) from pg_catalog.pg_depend d
      join pg_catalog.pg_extension e on e.oid = d.refobjid
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid and d.deptype = 'x'
        and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass), '[]'),
    'statistics', case when i.indexprs is null then '[]'::json else coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object(
        'column', a.attnum, 'expression', pg_catalog.pg_get_indexdef(i.indexrelid, a.attnum, false), 'target', a.attstattarget) order by a.attnum)
      from pg_catalog.pg_attribute a where a.attrelid = i.indexrelid and a.attstattarget >= 0), '[]') end,
    'canonical', pg_catalog.json_build_object(
      'method', am.amname, 'unique', i.indisunique, 'nullsDistinct', not ${nullsNotDistinct},
      'keys', (select pg_catalog.json_agg(
          pg_catalog.pg_get_indexdef(i.indexrelid, k, false)
          || coalesce((select ' collate ' || n.nspname || '.' || pg_catalog.quote_ident(l.collname) from pg_catalog.pg_collation l
               join pg_catalog.pg_namespace n on n.oid = l.collnamespace where l.oid = i.indcollation[k - 1]), '')
          || (select ' ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(o.opcname) from pg_catalog.pg_opclass o
               join pg_catalog.pg_namespace n on n.oid = o.opcnamespace where o.oid = i.indclass[k - 1])
          || coalesce((select ' (' || pg_catalog.array_to_string(a.attoptions, ', ') || ')' from pg_catalog.pg_attribute a
               where a.attrelid = i.indexrelid and a.attnum = k), '')
          || case when am.amname = 'btree' or i.indoption[k - 1] <> 0 then
               case when i.indoption[k - 1] & 1 = 1 then ' desc' else ' asc' end
               || case when i.indoption[k - 1] & 2 = 2 then ' nulls first' else ' nulls last' end
             else '' end
          order by k)
        from pg_catalog.generate_series(1, i.indnkeyatts::int) as k),
      'include', coalesce((select pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) order by k)
        from pg_catalog.generate_series(i.indnkeyatts + 1, i.indnatts::int) as k), '[]'),
      'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
      'storage', coalesce((select pg_catalog.json_agg(o order by o) from pg_catalog.unnest(c.reloptions) as o), '[]'),
      'tablespace', (select s.spcname from pg_catalog.pg_tablespace s where s.oid = c.reltablespace))
  ) as document
  from ${picked} p
  join pg_catalog.pg_index i on i.indexrelid = p.indexrelid
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_am am on am.oid = c.relam
  join pg_catalog.pg_class t on t.oid = i.indrelid
  join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace`
}

/** Sum of a function of the indexes that are attached below index i, on every level. In CASE: it is not asked of others. */
function sumBelowSql(name: string): string {
  return `(
      with recursive below as (
        select h.inhrelid as oid from pg_catalog.pg_inherits h where h.inhparent = i.indexrelid
        union all
        select h.inhrelid from below o join pg_catalog.pg_inherits h on h.inhparent = o.oid
      ) select coalesce(sum(${name}(o.oid)), 0)::int8 from below o)`
}

/** Builds under way in this database, other sessions' too. */
const runningBuildsSql = `select pg_catalog.json_agg(pg_catalog.json_build_object(
      'pid', p.pid, 'indexOid', coalesce(p.index_relid, 0)::int8, 'tableOid', coalesce(p.relid, 0)::int8,
      'table', coalesce(tn.nspname || '.' || t.relname, '?'), 'index', x.relname, 'hidden', p.hidden, 'command', coalesce(p.command, '?'),
      'phase', coalesce(p.phase, '?'),
      'percent', case when p.blocks_total > 0 then 100.0 * p.blocks_done / p.blocks_total
                      when p.tuples_total > 0 then 100.0 * p.tuples_done / p.tuples_total end,
      'ageMs', extract(epoch from pg_catalog.clock_timestamp() - a.query_start) * 1000,
      'applicationName', coalesce(a.application_name, ''), 'user', pg_catalog.pg_get_userbyid(a.usesysid)))
    from ${buildsSql} as p
    left join lateral pg_catalog.pg_stat_get_activity(p.pid) a on true
    left join pg_catalog.pg_class x on x.oid = p.index_relid
    left join pg_catalog.pg_class t on t.oid = p.relid
    left join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace`

/**
 * Whoever holds the oldest snapshot here: a concurrent build waits for it at its end (fault 16). The function below
 * pg_stat_activity, here and above: planning the view in a new session takes 2 ms longer.
 */
const oldestTransactionSql = `select pg_catalog.json_build_object('pid', a.pid,
      'ageMs', extract(epoch from pg_catalog.clock_timestamp() - a.xact_start) * 1000,
      'text', coalesce(a.application_name, '') || ', ' || coalesce(pg_catalog.pg_get_userbyid(a.usesysid), '?') || ', ' || coalesce(a.state, '?') || ': ' || pg_catalog.left(coalesce(a.query, ''), 120))
    from pg_catalog.pg_stat_get_activity(null) a
    where a.datid = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
      and a.pid <> pg_catalog.pg_backend_pid() and a.backend_xmin is not null and a.xact_start is not null and a.backend_type = 'client backend'
    order by a.xact_start limit 1`
