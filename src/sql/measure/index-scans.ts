/**
 * Scans of indexes ($1 schemas, $2 names; of a partitioned one those of its partitions) and the day since when they are counted: the last reset
 * of this database's statistics, else the day on which the server was made. Runs with search_path = pg_catalog.
 */
export const indexScansSql = `
  select n.nspname as schema, i.relname as name,
    (select coalesce(sum(s.idx_scan), 0)
      from (select i.oid as relid union select relid from pg_partition_tree(i.oid)) part
      join pg_stat_all_indexes s on s.indexrelid = part.relid)::int8 as scans,
    to_char(coalesce(
      (select stats_reset from pg_stat_database where datname = current_database()),
      to_timestamp((select system_identifier >> 32 from pg_control_system()))), 'YYYY-MM-DD') as since
  from unnest($1::text[], $2::text[]) as wanted (schema, name)
  join pg_namespace n on n.nspname = wanted.schema
  join pg_class i on i.relnamespace = n.oid and i.relname = wanted.name and i.relkind in ('i', 'I')`

/** How many standbys are connected to this server; subscribers are none, nor is a backup. Runs with search_path = pg_catalog. */
export const standbysSql = `
  select count(*)::int8 as standbys from pg_stat_replication r
  where coalesce(r.state, 'streaming') <> 'backup'
    and not exists (select from pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical')`
