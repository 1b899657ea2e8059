import type { Definition, TableName } from '../../definition/definition.js'
import { quoteName, quoteQualified } from '../../definition/quote.js'
import { indexDocumentSql } from '../catalog/catalog.js'
import { createIndexSql } from './index-ddl.js'
import { buildsSql } from '../catalog/progress.js'

/**
 * The partition trees of the wanted tables that are partitioned, with every index of every member, as one row of JSON. `$1`:
 * {tables: [{schema, name}], indexes: [name]}. Read from pg_inherits without a lock on any table (pg_partition_tree would
 * lock each member); a partition that is being detached is no member any more. Whole definitions are printed only
 * for indexes that are attached to nothing: what is attached was compared by PostgreSQL when it was attached.
 * `names`: relations in the members' schemas that begin as the wanted indexes do, so that a new name is a free one.
 */
export function partitionTreesSql(versionNum: number): string {
  return `
with recursive wanted_tables as (
  select distinct w.schema, w.name from pg_catalog.json_to_recordset($1::json->'tables') as w(schema text, name text)
), beginnings as (
  select distinct pg_catalog.left(w.name, 6) as text from pg_catalog.json_array_elements_text($1::json->'indexes') as w(name)
), nodes as (
  select c.oid as root, c.oid, null::oid as parent, 0 as level
  from wanted_tables w
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind = 'p'
  union all
  select o.root, h.inhrelid, h.inhparent, o.level + 1
  from nodes o join pg_catalog.pg_inherits h on h.inhparent = o.oid where not h.inhdetachpending
), members as (select distinct oid from nodes),
member_indexes as (
  select i.indexrelid, i.indrelid, i.indisvalid and i.indisready and i.indislive as usable, h.inhparent
  from members m
  join pg_catalog.pg_index i on i.indrelid = m.oid
  left join pg_catalog.pg_inherits h on h.inhrelid = i.indexrelid
), picked as (select indexrelid from member_indexes where inhparent is null)
select pg_catalog.json_build_object(
  'deadlockTimeoutMs', (select s.setting::int from pg_catalog.pg_settings s where s.name = 'deadlock_timeout'),
  'nodes', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'rootOid', o.root::int8, 'oid', o.oid::int8, 'parentOid', o.parent::int8,
      'schema', n.nspname, 'name', c.relname, 'relkind', c.relkind,
      'owned', pg_catalog.pg_has_role(c.relowner, 'usage'),
      'creatable', pg_catalog.has_schema_privilege(c.relnamespace, 'create'),
      'estimatedRows', c.reltuples,
      'sizeBytes', case when c.relkind = 'r' then pg_catalog.pg_table_size(c.oid) else 0 end,
      'empty', c.relkind = 'r' and pg_catalog.pg_relation_size(c.oid) = 0)
      order by o.root, o.level, n.nspname, c.relname)
    from nodes o join pg_catalog.pg_class c on c.oid = o.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace),
  'attached', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', x.indexrelid::int8, 'tableOid', x.indrelid::int8, 'name', c.relname,
      'parentOid', x.inhparent::int8, 'usable', x.usable))
    from member_indexes x join pg_catalog.pg_class c on c.oid = x.indexrelid where x.inhparent is not null),
  'loose', (select pg_catalog.json_agg(x.document) from (${indexDocumentSql(versionNum, 'picked')}) x),
  'builds', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'indexOid', p.index_relid::int8, 'tableOid', p.relid::int8, 'hidden', p.hidden)) from ${buildsSql} as p),
  'names', (select pg_catalog.json_agg(pg_catalog.json_build_object('schema', n.nspname, 'name', c.relname))
    from (select distinct m.relnamespace as oid from members join pg_catalog.pg_class m on m.oid = members.oid) as own
    join pg_catalog.pg_class c on c.relnamespace = own.oid
    join pg_catalog.pg_namespace n on n.oid = own.oid
    where exists (select from beginnings b where pg_catalog.starts_with(c.relname, b.text)))
) as document`
}

/** By which keys each of the tables (`$1`: [{schema, name}]), and what is partitioned below it, is partitioned, level by level. */
export const partitionKeysSql = `
with recursive nodes as (
  select n.nspname as schema, c.relname as name, c.oid, 0 as level
  from (select distinct w.schema, w.name from pg_catalog.json_to_recordset($1::json) as w(schema text, name text)) as w
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
  union all
  select o.schema, o.name, h.inhrelid, o.level + 1
  from nodes o
  join pg_catalog.pg_inherits h on h.inhparent = o.oid
  join pg_catalog.pg_partitioned_table p on p.partrelid = h.inhrelid
)
select o.schema, o.name, c.relname as member, pg_catalog.pg_get_partkeydef(o.oid) as key
from nodes o join pg_catalog.pg_class c on c.oid = o.oid
where c.relkind = 'p' order by o.level, c.relname`

/**
 * CREATE INDEX of a partitioned table alone: it comes to be at once, holds nothing and is not valid until each partition has
 * an index attached. SHARE on the table: who writes through it waits meanwhile, who writes to a partition does not (fault 36).
 * https://www.postgresql.org/docs/current/ddl-partitioning.html
 */
export function createOnlySql(definition: Definition, table: TableName, name: string): string {
  const target = `only ${quoteQualified(table.schema, table.name)}`
  return createIndexSql(definition, { concurrently: false, name, table: target })
}

/** ACCESS EXCLUSIVE on the partition's index, SHARE UPDATE EXCLUSIVE on its parent (fault 36). Repeated, it checks the parent again (fault 37). */
export function attachIndexSql(parent: IndexName, child: IndexName): string {
  return `alter index ${quoteQualified(parent.schema, parent.name)} attach partition ${quoteQualified(child.schema, child.name)}`
}

/** Makes an index that is attached valid again: it can be neither dropped nor exchanged (fault 32). */
export function reindexSql({ schema, name }: IndexName): string {
  return `reindex index concurrently ${quoteQualified(schema, name)}`
}

/** For statements that wait in a queue of locks: the application waits behind them for that long at most. */
export function shortLockSql(lockTimeoutMs: number): string {
  return `set local lock_timeout = '${lockTimeoutMs}ms'`
}

/** What waits for its lock and then works must not hold up the application either: a partition may be filled meanwhile. */
export function shortWorkSql(timeoutMs: number): string {
  return `set local statement_timeout = '${timeoutMs}ms'`
}

/** CREATE INDEX of one leaf, not concurrently: SHARE on it, for the moment that an empty one takes. */
export function createOnLeafSql(definition: Definition, table: TableName, name: string): string {
  const target = quoteQualified(table.schema, table.name)
  return createIndexSql(definition, { concurrently: false, name, table: target })
}

/** Drops the index of a partitioned table and of all its partitions: there is no way to do that concurrently (fault 32). */
export function dropPartitionedSql({ schema, name }: IndexName): string {
  return `drop index ${quoteQualified(schema, name)}`
}

/**
 * The same for one short transaction: the locks that DROP INDEX takes, on the table and all its partitions, are taken first, all of them in 150 ms
 * or none; what is dropped then takes no more than the removal of the files.
 */
export function dropPartitionedShortlySql(index: IndexName, table: TableName): readonly string[] {
  return [
    shortWorkSql(lockAllMs),
    `lock table ${quoteQualified(table.schema, table.name)} in access exclusive mode`,
    'set local statement_timeout = 0',
    dropPartitionedSql(index),
  ]
}

/** Less than a lock_timeout of 200 ms. */
const lockAllMs = 150

/** A temporary table partitioned by this key: an empty copy of `table`, or the one partition of another copy that takes every row. */
export function copyPartitionedSql(copy: string, key: string, of: CopyOf): string {
  const source =
    'table' in of ? `(like ${quoteQualified(of.table.schema, of.table.name)})` : catchAllSql(of.copy, of.key)
  return `create temporary table ${quoteName(copy)} ${source} partition by ${key} on commit drop`
}

/** The last partition of such a copy, which holds rows. */
export function copyLeafSql(name: string, copy: string, key: string): string {
  return `create temporary table ${quoteName(name)} ${catchAllSql(copy, key)} on commit drop`
}

type CopyOf = { readonly table: TableName } | { readonly copy: string; readonly key: string }

/** A table partitioned by hash has no default partition. */
function catchAllSql(copy: string, key: string): string {
  const rows = key.startsWith('HASH') ? 'for values with (modulus 1, remainder 0)' : 'default'
  return `partition of ${quoteName(copy)} ${rows}`
}

export interface IndexName {
  readonly schema: string
  readonly name: string
}
