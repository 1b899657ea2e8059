/**
 * The columns of each table of the JSON list `$1` as CREATE TABLE (LIKE ...) copies them: type, its modifier, collation and NOT NULL, by name. Tables that
 * the role may not read are left out, as LIKE wants that.
 */
export const copiedColumnsSql = `
select n.nspname as schema, c.relname as name,
  pg_catalog.json_object_agg(a.attname, pg_catalog.concat_ws(' ', a.atttypid, a.atttypmod, a.attcollation, a.attnotnull)) as columns
from pg_catalog.json_to_recordset($1::json) as w(schema text, name text)
join pg_catalog.pg_namespace n on n.nspname = w.schema
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'm')
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where pg_catalog.has_table_privilege(c.oid, 'select')
group by n.nspname, c.relname`
