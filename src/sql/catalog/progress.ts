/**
 * One look at a backend (`$1`) that runs CREATE or DROP INDEX CONCURRENTLY: phase and counters, whom it waits for, and what
 * waits for it. One row, always. A wait for the table lock leaves no row in the progress view (fault 19): pg_locks shows it.
 * pg_blocking_pids says 0 for a prepared transaction (fault 18): then those that lock the table are named by gid. A build at its end waits for the snapshot of this very
 * look as well, for a moment: that is nobody's transaction.
 */
export const watchSql = `
with me as (select a.pid, a.datname, a.state, a.wait_event_type, a.query_start from pg_catalog.pg_stat_activity a where a.pid = $1),
progress as (select * from pg_catalog.pg_stat_progress_create_index p where p.pid = $1),
waited as (select distinct b.pid from pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) as b(pid)),
blocking as (select pid from waited where pid <> pg_catalog.pg_backend_pid())
select pg_catalog.json_build_object(
  'active', (select state <> 'idle' from me),
  'phase', (select phase from progress), 'command', (select command from progress),
  'indexOid', (select index_relid::int8 from progress),
  'lockersTotal', (select lockers_total from progress), 'lockersDone', (select lockers_done from progress),
  'blocksTotal', (select blocks_total from progress), 'blocksDone', (select blocks_done from progress),
  'tuplesTotal', (select tuples_total from progress), 'tuplesDone', (select tuples_done from progress),
  'waitsForTable', exists (select from pg_catalog.pg_locks l where l.pid = $1 and not l.granted and l.locktype = 'relation'),
  'waits', exists (select from pg_catalog.pg_locks l where l.pid = $1 and not l.granted)
    and (exists (select from blocking) or not exists (select from waited)),
  'blockers', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'pid', b.pid, 'applicationName', a.application_name, 'user', a.usename, 'state', a.state,
      'ageMs', extract(epoch from pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.backend_start)) * 1000,
      'query', pg_catalog.left(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g'), 200)))
    from blocking b left join pg_catalog.pg_stat_activity a on a.pid = b.pid where b.pid <> 0),
  'prepared', (select pg_catalog.json_agg(x.gid) from pg_catalog.pg_prepared_xacts x
    where exists (select from blocking where pid = 0) and x.database = (select datname from me)),
  'queued', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'pid', a.pid, 'applicationName', a.application_name, 'user', a.usename,
      'ageMs', extract(epoch from pg_catalog.clock_timestamp() - a.query_start) * 1000,
      'query', pg_catalog.left(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g'), 200)))
    from pg_catalog.pg_stat_activity a
    where $1 = any (pg_catalog.pg_blocking_pids(a.pid)) and a.backend_xmin is not null
      and a.backend_type = 'client backend' and a.query !~* '^\\s*vacuum')
) as document`

/** Cancels what backend `$1` runs as long as it waits behind backend `$2`: a moment later it may be about something else. */
export const cancelWaiterSql = `select pg_catalog.pg_cancel_backend($1) where $2::int = any (pg_catalog.pg_blocking_pids($1))`

/**
 * Who holds, now, what a short try for its lock could not have beside it (manual: "Explicit Locking"). `$1`, `$2`: schema and name of the table, `$3` the index, `$4` what the
 * statement does to it, `$5` the pid of whoever tried. A drop locks the table with all its partitions, a new index its table SHARE, ATTACH
 * PARTITION the index ACCESS EXCLUSIVE, new names and the like an index SHARE UPDATE EXCLUSIVE. Prepared transactions have a gid in place of a pid.
 */
export const holdersSql = `
with recursive tree as (
  select c.oid, 0 as level from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
  union all select h.inhrelid, o.level + 1 from tree o join pg_catalog.pg_inherits h on h.inhparent = o.oid
),
own as (select c.oid, c.relname = $3 as named
  from tree o join pg_catalog.pg_index i on i.indrelid = o.oid join pg_catalog.pg_class c on c.oid = i.indexrelid where o.level = 0),
tried(oid, beside) as (
  select oid, array[]::text[] from tree where $4 = 'drop'
  union all select oid, array['AccessShareLock', 'RowShareLock', 'ShareLock'] from tree
    where level = 0 and $4 in ('create_only', 'attach') and not exists (select from own where named)
  union all select oid, array[]::text[] from own where named and $4 = 'attach'
  union all select oid, array['AccessShareLock', 'RowShareLock', 'RowExclusiveLock'] from own where $4 in ('rename', 'restore')
)
select l.pid, x.gid, a.application_name as "applicationName", a.usename as "user", a.state,
  extract(epoch from pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.backend_start))::float8 * 1000 as "ageMs",
  pg_catalog.left(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g'), 200) as query,
  pg_catalog.string_agg(distinct l.mode || ' on ' || l.relation::pg_catalog.regclass::text, ', ') as locks
from pg_catalog.pg_locks l
join tried t on t.oid = l.relation and l.mode <> all (t.beside)
left join pg_catalog.pg_stat_activity a on a.pid = l.pid
left join pg_catalog.pg_locks own_xid on l.pid is null and own_xid.pid is null and own_xid.locktype = 'transactionid' and own_xid.virtualtransaction = l.virtualtransaction
left join pg_catalog.pg_prepared_xacts x on x.transaction = own_xid.transactionid
where l.granted and l.locktype = 'relation' and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
  and l.pid is distinct from $5::int4 and l.pid is distinct from pg_catalog.pg_backend_pid()
group by l.pid, x.gid, a.application_name, a.usename, a.state, a.xact_start, a.backend_start, a.query`

/**
 * Builds under way in this database. A role without pg_read_all_stats sees of others' only the pid (fault 64); what they build on is then told
 * by the lock that a concurrent build holds from beginning to end, which everybody sees. `hidden`: which index, nobody says.
 */
export const buildsSql = `(
  select p.pid, coalesce(p.relid, l.relation) as relid, p.index_relid, p.phase, p.command, p.blocks_done, p.blocks_total,
    p.tuples_done, p.tuples_total, p.relid is null as hidden
  from pg_catalog.pg_stat_progress_create_index p
  left join lateral (select l.relation from pg_catalog.pg_locks l join pg_catalog.pg_class c on c.oid = l.relation
    where p.relid is null and l.pid = p.pid and l.granted and l.locktype = 'relation' and l.mode = 'ShareUpdateExclusiveLock'
      and c.relkind in ('r', 'm') limit 1) as l on true
  where p.datname = pg_catalog.current_database())`

/** Who builds index `$1` of table `$2` right now, `$3` (our own pid) excepted; one whose index is hidden may be that one. */
export const buildersSql = `
select p.pid, coalesce(p.phase, 'not visible to this role') as phase from ${buildsSql} as p
where (p.index_relid = $1::int8::oid or p.hidden and p.relid = $2::int8::oid) and p.pid <> $3`

/** Builds of other sessions on one table (`$1` schema, `$2` name; `$3` our own pid): a second one there would deadlock with it (fault 20). */
export const otherBuildsSql = `
select p.pid, coalesce(a.application_name, '') as "applicationName", coalesce(a.usename, '?') as "user", coalesce(p.phase, '?') as phase,
  coalesce(x.relname, '?') as "index"
from ${buildsSql} as p
join pg_catalog.pg_class t on t.oid = p.relid
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
left join pg_catalog.pg_class x on x.oid = p.index_relid
left join pg_catalog.pg_stat_activity a on a.pid = p.pid
where n.nspname = $1 and t.relname = $2 and p.pid <> $3`

/** Of this database; the view of it costs a new session more to plan. */
const ownDatabase = `(select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`

/** Whether somebody builds something in this database, as far as that is quickly said. */
export const buildingSql = `select from pg_catalog.pg_stat_get_progress_info('CREATE INDEX') as p where p.datid = ${ownDatabase}`

/** Whether another session than `$1` does: mostly not, and then the look above, which takes 4 ms to plan, is spared. */
export const anyBuildSql = `select exists (${buildingSql} and p.pid <> $1) as there`

/** Advisory lock whose key is `$1`, `$2`: objsubid 2 marks the two-int form; a key of this database only. */
export const heldLock = `locktype = 'advisory' and granted and objsubid = 2 and classid = $1::int8::oid and objid = $2::int8::oid
       and pg_locks.database = ${ownDatabase}`

/** Who holds it. */
export const runLockPidSql = `select pid from pg_catalog.pg_lock_status() as pg_locks where ${heldLock} limit 1`

/**
 * What must be so when a build starts, in one look: who holds the run lock (`$1`, `$2` its key), whether another session than `$3` builds something here, and
 * whether an index is there of the name that is wanted (`$4` schema, `$5` name).
 */
export const beforeBuildSql = `
select (${runLockPidSql}) as "lockPid",
  exists (${buildingSql} and p.pid <> $3::int4) as building,
  exists (select from pg_catalog.pg_class c where c.relname = $5 and c.relkind in ('i', 'I')
    and c.relnamespace = (select n.oid from pg_catalog.pg_namespace n where n.nspname = $4)) as there`

/**
 * When tables were analyzed last by hand (`$1`: [{schema, name}] as JSON); null when never since the statistics were reset. Epoch seconds as text
 * keep the microseconds. `hollow`: a partitioned table that never had a partition, which ANALYZE passes over.
 */
export const lastAnalyzeSql = `
select n.nspname as schema, c.relname as name,
  extract(epoch from pg_catalog.pg_stat_get_last_analyze_time(c.oid))::text as "lastAnalyze", c.relkind = 'p' and not c.relhassubclass as hollow
from pg_catalog.json_to_recordset($1::json) as w(schema text, name text)
join pg_catalog.pg_namespace n on n.nspname = w.schema
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name`
