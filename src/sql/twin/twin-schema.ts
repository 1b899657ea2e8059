import { extensionMember, notOurs } from './twin-statistics.js'

/*
 * DDL of a database for its twin, statement by statement: what the planner reads, in the order of the oids (paths of equal cost go by the order of
 * the indexes). Each query returns rows {what, sql}; with search_path = pg_catalog every name of others is qualified. Left out is what costs no
 * query plan anything: defaults, triggers, policies, privileges, sequences, comments.
 */

/** Extensions with their schemas. */
export const twinExtensionsSql = `
  select e.extname as name, n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where e.extname <> 'plpgsql' order by e.oid`

const schemas = `
  select 'schema ' || quote_ident(n.nspname) as what, 'create schema ' || quote_ident(n.nspname) as sql
  from pg_namespace n where ${notOurs} and n.nspname <> 'public' and not ${extensionMember('pg_namespace', 'n.oid')} order by n.oid`

const named = (name: string) => `quote_ident(n.nspname) || '.' || quote_ident(${name})`

function collations(versionNum: number): string {
  const locale =
    versionNum >= 170_000
      ? 'coalesce(c.colllocale, c.collcollate)'
      : versionNum >= 150_000
        ? 'coalesce(c.colliculocale, c.collcollate)'
        : 'c.collcollate'
  return `
  select 'collation ' || ${named('c.collname')} as what, format('create collation %s (provider = %s, locale = %L, deterministic = %s)', ${named('c.collname')},
    case c.collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end, ${locale}, c.collisdeterministic) as sql
  from pg_collation c join pg_namespace n on n.oid = c.collnamespace where ${notOurs} and not ${extensionMember('pg_collation', 'c.oid')} order by c.oid`
}

/** Enums, domains, composite types and ranges. */
const types = `
  select 'type ' || ${named('t.typname')} as what, case t.typtype
    when 'e' then format('create type %s as enum (%s)', ${named('t.typname')},
      (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
    when 'd' then format('create domain %s as %s%s%s', ${named('t.typname')}, format_type(t.typbasetype, t.typtypmod),
      (select ' collate ' || quote_ident(cn.nspname) || '.' || quote_ident(co.collname) from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace
        join pg_type b on b.oid = t.typbasetype where co.oid = t.typcollation and co.oid <> b.typcollation),
      (select string_agg(format(' constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), '' order by k.oid) from pg_constraint k where k.contypid = t.oid and k.contype = 'c'))
    when 'r' then format('create type %s as range (subtype = %s)', ${named('t.typname')}, (select format_type(r.rngsubtype, null) from pg_range r where r.rngtypid = t.oid))
    else format('create type %s as (%s)', ${named('t.typname')}, (select string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)) end as sql
  from pg_type t join pg_namespace n on n.oid = t.typnamespace
  where ${notOurs} and not ${extensionMember('pg_type', 't.oid')}
    and (t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
  order by t.oid`

/** Those of SQL and PL/pgSQL: what the planner runs to know a constant, and looks into. */
const functions = `
  select 'function ' || p.oid::regprocedure as what, pg_get_functiondef(p.oid) as sql
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
  where ${notOurs} and p.prokind = 'f' and l.lanname in ('sql', 'plpgsql') and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
    and not ${extensionMember('pg_proc', 'p.oid')} order by p.oid`

/** A stored generated column is a plain one here: nothing is computed, and rows may be given. Materialized views are tables. */
function tables(versionNum: number): string {
  const generated =
    versionNum >= 180_000
      ? `case when a.attgenerated = 'v' then ' generated always as (' || (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.oid and d.adnum = a.attnum) || ') virtual' end`
      : 'null'
  return `
  select 'table ' || ${named('c.relname')} as what, format('create table %s (%s)%s%s%s', ${named('c.relname')},
    (select string_agg(format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
        (select ' collate ' || quote_ident(cn.nspname) || '.' || quote_ident(co.collname) from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace
          join pg_type y on y.oid = a.atttypid where co.oid = a.attcollation and co.oid <> y.typcollation),
        ${generated}, case when a.attnotnull then ' not null' end), ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    (select ' inherits (' || string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno) || ')' from pg_inherits i where i.inhrelid = c.oid and not c.relispartition),
    case when c.relkind = 'p' then ' partition by ' || pg_get_partkeydef(c.oid) end,
    (select ' with (' || string_agg(o, ', ') || ')' from unnest(c.reloptions) o where o like 'parallel\\_workers=%')) as sql
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where ${notOurs} and c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't' and not ${extensionMember('pg_class', 'c.oid')} order by c.oid`
}

const attachedTables = `
  select 'partition ' || i.inhrelid::regclass as what, format('alter table only %s attach partition %s %s', i.inhparent::regclass, i.inhrelid::regclass,
    pg_get_expr(c.relpartbound, c.oid)) as sql
  from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
  where ${notOurs} and c.relispartition and c.relkind in ('r', 'p') order by c.oid`

const views = `
  select 'view ' || ${named('c.relname')} as what, format('create view %s%s as %s', ${named('c.relname')},
    (select ' with (' || string_agg(o, ', ') || ')' from unnest(c.reloptions) o), pg_get_viewdef(c.oid)) as sql
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where ${notOurs} and c.relkind = 'v' and c.relpersistence <> 't' and not ${extensionMember('pg_class', 'c.oid')} order by c.oid`

/** Those of tables that are its own, not of a parent. */
const checks = `
  select 'check ' || quote_ident(k.conname) || ' of ' || k.conrelid::regclass as what,
    format('alter table only %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) as sql
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
  where ${notOurs} and k.contype = 'c' and k.coninhcount = 0 and c.relkind in ('r') and c.relpersistence <> 't'
    and not ${extensionMember('pg_class', 'c.oid')} order by k.oid`

/** Valid ones, each alone, with the constraint that it stands for. What is not valid no planner takes. */
const indexes = `
  select 'index ' || i.indexrelid::regclass as what, case when k.oid is null then pg_get_indexdef(i.indexrelid)
    else format('alter table only %s add constraint %I %s', i.indrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) end as sql
  from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
  left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype in ('p', 'u', 'x')
  where ${notOurs} and i.indisvalid and c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't' and not ${extensionMember('pg_class', 'c.oid')}
  order by i.indexrelid`

const attachedIndexes = `
  select 'partition ' || i.inhrelid::regclass as what, format('alter index %s attach partition %s', i.inhparent::regclass, i.inhrelid::regclass) as sql
  from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace join pg_index x on x.indexrelid = i.inhparent
  where ${notOurs} and c.relkind in ('i', 'I') and x.indisvalid order by c.oid`

const foreignKeys = `
  select 'foreign key ' || quote_ident(k.conname) || ' of ' || k.conrelid::regclass as what,
    format('alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) as sql
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
  where ${notOurs} and k.contype = 'f' and k.conparentid = 0 order by k.oid`

/** What is looked up in order; each returns rows {what, sql}. */
export function twinSchemaSql(versionNum: number): readonly string[] {
  return [
    schemas,
    collations(versionNum),
    types,
    functions,
    tables(versionNum),
    attachedTables,
    views,
    checks,
    indexes,
    attachedIndexes,
    foreignKeys,
  ]
}
