/*
 * Counters of pg_stat_statements, for the difference of two moments. Texts are not read with them: of 5,000 statements
 * those are megabytes, and utility statements are kept with their constants, passwords included.
 * https://www.postgresql.org/docs/current/pgstatstatements.html
 */

/** How statements of perfdb begin, alone and below EXPLAIN, as a regular expression of PostgreSQL. */
export const ownMark = '^(explain \\([^)]*\\) )?/\\* perfdb \\*/'

const instant = (of: string) => `pg_catalog.to_char(${of} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/** When it was looked, when the server started, when the counters were reset, how often entries were thrown away. */
export function countersMomentSql(schema: string): string {
  return `select pg_catalog.current_database() as database,
      (select d.oid::text from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()) as dbid,
      ${instant('pg_catalog.clock_timestamp()')} as taken_at,
      ${instant('pg_catalog.pg_postmaster_start_time()')} as started_at,
      ${instant('i.stats_reset')} as stats_reset, i.dealloc::float8 as deallocated
    from ${schema}.pg_stat_statements_info i`
}

/** Of extension version 1.11 on (server 17) each entry says since when it counts. */
export function countsSinceSql(schema: string): string {
  return `select 1 as one from pg_catalog.pg_attribute
    where attrelid = '${schema.replaceAll("'", "''")}.pg_stat_statements'::pg_catalog.regclass and attname = 'stats_since'`
}

/** The entries of this database that clients sent themselves; queryid as text, for JavaScript's numbers end at 2^53. */
export function countersSql(schema: string, withSince: boolean): string {
  return `select s.queryid::text as queryid, s.userid::text as userid, s.calls::float8 as calls, s.rows::float8 as rows,
      s.total_exec_time as total_ms,
      (s.shared_blks_read + s.local_blks_read + s.temp_blks_read + s.temp_blks_written)::float8 as blocks,
      ${withSince ? instant('s.stats_since') : 'null::text'} as since
    from ${schema}.pg_stat_statements(false) s
    where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) and s.toplevel
      and s.queryid is not null`
}

/** Entries that are perfdb's own, by their texts. */
export function ownStatementsSql(schema: string): string {
  return `select distinct s.queryid::text as queryid from ${schema}.pg_stat_statements s where s.query ~ '${ownMark}'`
}

/** Texts by queryid ($1). */
export function statementTextsSql(schema: string): string {
  return `select s.queryid::text as queryid, pg_catalog.min(s.query) as query from ${schema}.pg_stat_statements s
    where s.queryid::text = any ($1::text[]) and s.toplevel and s.query not like '<insufficient privilege>%'
      and s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
    group by 1`
}

/**
 * How the tables of these names ($1) refer to one another: single-column foreign keys between them, columns that are
 * unique by themselves, and columns that are named after another table (`customer_id`).
 */
export const tableLinksSql = `
  select 'reference' as kind, f.relname as table, a.attname as column, t.relname as to_table, b.attname as to_column
  from pg_catalog.pg_constraint c
  join pg_catalog.pg_class f on f.oid = c.conrelid
  join pg_catalog.pg_class t on t.oid = c.confrelid
  join pg_catalog.pg_attribute a on a.attrelid = f.oid and a.attnum = c.conkey[1]
  join pg_catalog.pg_attribute b on b.attrelid = t.oid and b.attnum = c.confkey[1]
  where c.contype = 'f' and pg_catalog.cardinality(c.conkey) = 1 and f.relname = any ($1::text[]) and t.relname = any ($1::text[])
  union
  select 'unique', f.relname, a.attname, null, null
  from pg_catalog.pg_index x
  join pg_catalog.pg_class f on f.oid = x.indrelid
  join pg_catalog.pg_attribute a on a.attrelid = f.oid and a.attnum = x.indkey[0]
  where x.indisunique and x.indnkeyatts = 1 and x.indpred is null and f.relname = any ($1::text[])
  union
  select 'named', f.relname, a.attname, null, null
  from pg_catalog.pg_class f
  join pg_catalog.pg_attribute a on a.attrelid = f.oid and a.attnum > 0 and not a.attisdropped and a.attname like '%\\_id'
  where f.relkind in ('r', 'p') and f.relname = any ($1::text[])`
