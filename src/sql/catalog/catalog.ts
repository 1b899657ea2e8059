import { quoteLiteral } from '../../definition/quote.js'
import { buildingSql, buildsSql } from './progress.js'

export interface WantedObjects {
  readonly tables: readonly { readonly schema: string; readonly name: string }[]
  readonly indexes: readonly { readonly schema: string; readonly name: string }[]
  readonly extensions: readonly string[]
  /** Whether overloads are asked for. */
  readonly texts: boolean
  /** Whether a digest of each table's columns is asked for. */
  readonly columns: boolean
}

/**
 * The catalog read of a plan as one statement: at 20 ms a round trip that is what a plan with nothing to do costs. One row of JSON with `document`, and one
 * with `index` for each index: thousands of them in one value were copied several times, on both sides. What is wanted is a constant in it: for a parameter the server is asked for its type first, a round trip more. What nobody wants is left
 * out, as planning each part costs a new session up to 2 ms.
 * Definitions are printed for the named tables and names only: all of a catalog of 10,000 indexes would take 0.3 s and 25 MB.
 */
export function snapshotSql(versionNum: number, wanted: WantedObjects): string {
  return `
with wanted as (select ${quoteLiteral(JSON.stringify(wanted))}::json as j),
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
      'creatable', pg_catalog.has_schema_privilege(t.relnamespace, 'create')${wanted.columns ? `, 'columns', (${columnsSql})` : ''})) from tables t),
  'relations', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'schema', nspname, 'name', relname, 'relkind', relkind)) from named where relkind not in ('i', 'I')),
  'constrained', (select pg_catalog.json_agg(b) from (select i.indexrelid::int8 as oid, ${constraintsSql}
      from picked p join pg_catalog.pg_index i on i.indexrelid = p.indexrelid
      where i.indisunique and (not i.indisprimary or i.indexrelid in (select oid from named))) b),
  'building', exists (${buildingSql}),
  'extensions', ${wanted.extensions.length === 0 ? 'null' : extensionsSql},
  'schemas', (select pg_catalog.json_agg(distinct n.nspname) from pg_catalog.pg_namespace n
    where n.nspname in (select schema from wanted_tables)),
  'overloads', ${wanted.texts ? `(select coalesce(pg_catalog.json_agg(o.name), '[]') from (${overloadsSql}) as o(name))` : 'null'},
  'tablespaces', (select pg_catalog.json_agg(s.spcname) from pg_catalog.pg_tablespace s),
  'oldestTransaction', (${oldestTransactionSql}),
  'eventTriggers', (select pg_catalog.json_agg(e.evtname order by e.evtname) from pg_catalog.pg_event_trigger e
    where e.evtenabled in ('O', 'A') and e.evtevent in ('ddl_command_start', 'ddl_command_end', 'sql_drop')
      and (e.evttags is null or e.evttags && array['CREATE INDEX', 'DROP INDEX', 'ALTER INDEX']))
) as document, null::json as index
union all select null, x.document from (${indexDocumentSql(versionNum, 'picked')}) x`
}

/** Of table t. */
const columnsSql = `select pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', pg_catalog.quote_ident(a.attname), a.atttypid, a.atttypmod, a.attcollation), ',' order by a.attnum))
    from pg_catalog.pg_attribute a where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    having pg_catalog.bool_and(a.atttypid < 16384 and a.attcollation < 16384)`

const extensionsSql = `(select pg_catalog.json_agg(pg_catalog.json_build_object('name', w.name,
      'installed', exists (select from pg_catalog.pg_extension e where e.extname = w.name),
      'available', exists (select from pg_catalog.pg_available_extensions a where a.name = w.name)))
    from wanted, pg_catalog.json_array_elements_text(wanted.j->'extensions') as w(name))`

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
select c.relname as name, ${canonicalSql(versionNum)} as canonical
from pg_catalog.pg_class c join pg_catalog.pg_index i on i.indexrelid = c.oid
where c.relnamespace = pg_catalog.pg_my_temp_schema() and c.relkind in ('i', 'I') and c.relname ~ '^perfdb_probe_index_'`
}

/** Indexes by oid, given as a JSON list in `$1`. */
export function indexesByOidSql(versionNum: number): string {
  return `
with picked as (select w.value::oid as indexrelid from pg_catalog.json_array_elements_text($1::json) as w(value))
${indexDocumentSql(versionNum, 'picked')}`
}

/** What indexes are and no more, by oid, given as a JSON list in `$1`. */
export function canonicalByOidSql(versionNum: number): string {
  return `
select i.indexrelid::int8 as oid, ${canonicalSql(versionNum)} as canonical
from pg_catalog.json_array_elements_text($1::json) as w(value)
join pg_catalog.pg_index i on i.indexrelid = w.value::oid
join pg_catalog.pg_class c on c.oid = i.indexrelid`
}

/**
 * What an index is, key by key, as PostgreSQL prints it: pg_get_indexdef with a column number gives an
 * expression alone, so that the same text comes from the probe on another table; a column it prints by quote_ident as well, and takes twice the time. Extensions are looked up without a
 * join, which would go through all that belongs to an extension for each index; what is mostly empty is no sub-query then. Opclass, collation, order and nulls
 * are spelled out from pg_index, defaults too. Wants a CTE `picked` with indexrelid. Planning it in a new session is most of what it costs, and each catalog more
 * that it names half a millisecond of it: names come from functions where there is one, and what few indexes have is asked apart (boundIndexesSql).
 */
export function indexDocumentSql(versionNum: number, picked: string): string {
  return `select pg_catalog.json_build_object(
    'oid', i.indexrelid::int8, 'schema', ${schemaOf('c')}, 'name', c.relname,
    'table', pg_catalog.json_build_object('schema', ${schemaOf('t')}, 'name', t.relname), 'tableOid', i.indrelid::int8,
    'partitioned', c.relkind = 'I', 'attached', c.relispartition,
    'valid', i.indisvalid, 'ready', i.indisready, 'live', i.indislive, 'unique', i.indisunique, 'primary', i.indisprimary,
    'constraint', case when i.indisprimary or i.indisexclusion then c.relname end, 'referencedBy', '[]'::json,
    'replicaIdentity', i.indisreplident, 'clustered', i.indisclustered,
    'sizeBytes', case when c.relkind = 'i' then pg_catalog.pg_relation_size(i.indexrelid) else 0 end,
    'scans', case when c.relkind = 'i' then coalesce(pg_catalog.pg_stat_get_numscans(i.indexrelid), 0) else 0 end,
    'indexdef', pg_catalog.pg_get_indexdef(i.indexrelid),
    'comment', (select d.description from pg_catalog.pg_description d
      where d.objoid = i.indexrelid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0),
    'extensions', coalesce((select pg_catalog.json_agg(d.name order by d.name) from (
      select (select e.extname from pg_catalog.pg_extension e where e.oid = d.refobjid) as name from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid and d.deptype = 'x'
        and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass) d), '[]'),
    'statistics', case when i.indexprs is null then '[]'::json else coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object(
        'column', a.attnum, 'expression', pg_catalog.pg_get_indexdef(i.indexrelid, a.attnum, false), 'target', a.attstattarget) order by a.attnum)
      from pg_catalog.pg_attribute a where a.attrelid = i.indexrelid and a.attstattarget >= 0), '[]') end,
    'canonical', ${canonicalSql(versionNum)}
  ) as document
  from ${picked} p
  join pg_catalog.pg_index i on i.indexrelid = p.indexrelid
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_class t on t.oid = i.indrelid`
}

/** Of index i of relation c. */
function canonicalSql(versionNum: number): string {
  const nullsNotDistinct = versionNum >= 150000 ? 'i.indnullsnotdistinct' : 'false'
  const method = '(select m.amname from pg_catalog.pg_am m where m.oid = c.relam)'
  return `pg_catalog.json_build_object(
      'method', ${method}, 'unique', i.indisunique, 'nullsDistinct', not ${nullsNotDistinct},
      'keys', (select pg_catalog.json_agg(
          case when i.indkey[k - 1] = 0 then pg_catalog.pg_get_indexdef(i.indexrelid, k, false) else (
               select pg_catalog.quote_ident(a.attname) from pg_catalog.pg_attribute a where a.attrelid = i.indrelid and a.attnum = i.indkey[k - 1]) end
          || case when i.indcollation[k - 1] <> 0 then ' collate ' || ${identityOf('pg_collation', 'i.indcollation[k - 1]')} else '' end
          || ' ' || pg_catalog.split_part(${identityOf('pg_opclass', 'i.indclass[k - 1]')}, ' USING ', 1)
          || coalesce((select ' (' || pg_catalog.array_to_string(a.attoptions, ', ') || ')' from pg_catalog.pg_attribute a
               where a.attrelid = i.indexrelid and a.attnum = k), '')
          || case when ${method} = 'btree' or i.indoption[k - 1] <> 0 then
               case when i.indoption[k - 1] & 1 = 1 then ' desc' else ' asc' end
               || case when i.indoption[k - 1] & 2 = 2 then ' nulls first' else ' nulls last' end
             else '' end
          order by k)
        from pg_catalog.generate_series(1, i.indnkeyatts::int) as k),
      'include', case when i.indnatts = i.indnkeyatts then '[]' else (select pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) order by k)
        from pg_catalog.generate_series(i.indnkeyatts + 1, i.indnatts::int) as k) end,
      'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
      'storage', case when c.reloptions is null then '[]' else (select pg_catalog.json_agg(o order by o) from pg_catalog.unnest(c.reloptions) as o) end,
      'tablespace', (select s.spcname from pg_catalog.pg_tablespace s where s.oid = c.reltablespace))`
}

function schemaOf(relation: string): string {
  return `(select n.nspname from pg_catalog.pg_namespace n where n.oid = ${relation}.relnamespace)`
}

/** Qualified and quoted. */
function identityOf(catalog: string, oid: string): string {
  return `(pg_catalog.pg_identify_object('pg_catalog.${catalog}'::pg_catalog.regclass, ${oid}, 0)).identity`
}

/** The constraint of index i and the foreign keys that need it. */
const constraintsSql = `(select k.conname from pg_catalog.pg_constraint k where k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x') limit 1) as "constraint",
  coalesce((select pg_catalog.json_agg(k.conname) from pg_catalog.pg_depend d join pg_catalog.pg_constraint k on k.oid = d.objid
    where d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = i.indexrelid
      and d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and k.conindid = i.indexrelid and k.contype = 'f'), '[]') as "referencedBy"`

/**
 * What the document of an index leaves open, for the oids in `$1` (JSON list): what constrains a unique one; size and scans
 * of a partitioned one, which are those of its partitions' indexes.
 */
export const boundIndexesSql = `
select i.indexrelid::int8 as oid, ${constraintsSql},
  ${sumBelowSql('pg_catalog.pg_relation_size')} as "sizeBelow", ${sumBelowSql('pg_catalog.pg_stat_get_numscans')} as "scansBelow"
from pg_catalog.json_array_elements_text($1::json) as w(oid) join pg_catalog.pg_index i on i.indexrelid = w.oid::oid`

/** Sum of a function of the indexes that are attached below index i, on every level. */
function sumBelowSql(name: string): string {
  return `(
      with recursive below as (
        select h.inhrelid as oid from pg_catalog.pg_inherits h where h.inhparent = i.indexrelid
        union all
        select h.inhrelid from below o join pg_catalog.pg_inherits h on h.inhparent = o.oid
      ) select coalesce(sum(${name}(o.oid)), 0)::int8 from below o)`
}

/** Builds under way in this database, other sessions' too, as one row of JSON. */
export const runningBuildsSql = `select pg_catalog.json_agg(pg_catalog.json_build_object(
      'pid', p.pid, 'indexOid', coalesce(p.index_relid, 0)::int8, 'tableOid', coalesce(p.relid, 0)::int8,
      'table', coalesce(tn.nspname || '.' || t.relname, '?'), 'index', x.relname, 'hidden', p.hidden, 'command', coalesce(p.command, '?'),
      'phase', coalesce(p.phase, '?'),
      'percent', case when p.blocks_total > 0 then 100.0 * p.blocks_done / p.blocks_total
                      when p.tuples_total > 0 then 100.0 * p.tuples_done / p.tuples_total end,
      'ageMs', extract(epoch from pg_catalog.clock_timestamp() - a.query_start) * 1000,
      'applicationName', coalesce(a.application_name, ''), 'user', pg_catalog.pg_get_userbyid(a.usesysid))) as builds
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
