/**
 * The indexes that shall be hidden ($1 schemas, $2 names), each with what is hidden for it (itself, or the leaves of a partitioned one: hiding
 * the parent alone does nothing) and why it cannot be. Unique ones enforce: INSERT ... ON CONFLICT fails without them, as does an UPDATE of a
 * published table without its replica identity. Runs with search_path = pg_catalog.
 */
export const hideableSql = `
  select n.nspname as schema, i.relname as name,
    case
      when x.indisexclusion or exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = i.oid
        and d.refclassid = 'pg_constraint'::regclass and d.deptype = 'i') then 'a constraint needs it'
      when x.indisunique then 'it is unique'
      when x.indisreplident then 'it is the replica identity of its table'
    end as reason,
    (select coalesce(json_agg(json_build_object('oid', leaf.oid::int8, 'name', leaf.relname, 'table', ln.nspname || '.' || t.relname)), '[]')
      from (select i.oid as relid, true as isleaf where i.relkind = 'i' union select relid, isleaf from pg_partition_tree(i.oid)) part
      join pg_class leaf on leaf.oid = part.relid
      join pg_index lx on lx.indexrelid = leaf.oid
      join pg_class t on t.oid = lx.indrelid
      join pg_namespace ln on ln.oid = t.relnamespace
      where part.isleaf) as leaves
  from unnest($1::text[], $2::text[]) as wanted (schema, name)
  join pg_namespace n on n.nspname = wanted.schema
  join pg_class i on i.relnamespace = n.oid and i.relname = wanted.name
  join pg_index x on x.indexrelid = i.oid and x.indisvalid
  order by 1, 2`

/**
 * Hides indexes ($1 oids) from the planner of this session until its transaction is rolled back: takes no lock on a table, and every other
 * session plans, writes and keeps them up as before. Nothing is hidden while an index is built in this database, which would wait for the
 * transaction, nor what is unique. Returns a row for each that was hidden. Runs with search_path = pg_catalog.
 */
export const hideSql = `
  update pg_index set indisvalid = false
  where indexrelid = any ($1::oid[]) and indisvalid and not indisunique
    and not exists (select from pg_stat_progress_create_index where datname = current_database())
  returning indexrelid::int8 as oid`
