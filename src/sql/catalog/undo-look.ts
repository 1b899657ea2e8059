/**
 * What an undo must know besides the indexes themselves, in one row. `$1` and `$2`: schema and name of the recorded table; `$3`: its recorded oid, or
 * null. `named`: whether a relation of that name is there; `table`: the recorded one as it is called now.
 */
export const undoTableSql = `
with found as (
  select c.oid, n.nspname, c.relname, c.relreplident
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where case when $3::int8 is null then n.nspname = $1::text and c.relname = $2::text else c.oid = ($3::int8)::pg_catalog.oid end
    and c.relkind in ('r', 'p', 'm')
)
select pg_catalog.json_build_object('schema', f.nspname, 'name', f.relname) as "table", f.oid::int8 as oid, f.relreplident::text as identity,
  (select i.indexrelid::int8 from pg_catalog.pg_index i where i.indrelid = f.oid and i.indisreplident limit 1) as "identityIndex",
  (select i.indexrelid::int8 from pg_catalog.pg_index i where i.indrelid = f.oid and i.indisclustered limit 1) as "clusteredIndex"
from found f`

/** Which of the names (`$2`, a list) are relations of the schema (`$1`), indexes or not. */
export const takenNamesSql = `
select c.relname as name, c.relkind::text as kind from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = any ($2::text[])`
