import { PerfdbError } from '../../errors.js'

export type Role = 'ddl' | 'watchdog' | 'ledger' | 'measure' | 'look'

/**
 * Settings that a role or a database may have changed and that would change what perfdb sees or does: faults 3, 4, 29,
 * 30, 41, 57, 70, 71. Values are written as the server prints them back. A server without a setting passes over it.
 */
const pinned = {
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  // 17 and later.
  transaction_timeout: '0',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  client_encoding: 'UTF8',
  // ANALYZE says with a warning that it skipped a table (fault 27).
  client_min_messages: 'notice',
  extra_float_digits: '1',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  quote_all_identifiers: 'off',
  synchronous_commit: 'on',
  default_transaction_isolation: 'read committed',
  // A declared index without a tablespace belongs in the database's own.
  default_tablespace: '',
} as const

/**
 * Utility statements are counted by their text, and up to 15 with their constants: what only looks or measures leaves nothing in pg_stat_statements where the
 * role may say so. What changes the database stays visible there.
 */
const uncounted = { 'pg_stat_statements.track': 'none' } as const

/** Planner settings stay: what is measured must be what the application gets; so does its search_path. */
function pinnedFor(role: Role): Readonly<Record<string, string>> {
  // Compiling the catalog read of 1,000 partitions took 1.3 to 5 s, running it 0.09 s.
  if (role === 'measure') return { ...pinned, ...uncounted }
  const own = { ...pinned, search_path: 'pg_catalog', jit: 'off' }
  if (role === 'look') return { ...own, ...uncounted }
  // Its looks are prepared, and the server would plan each of them five times before it believes that one plan will do.
  return role === 'watchdog' ? { ...own, plan_cache_mode: 'force_generic_plan' } : own
}

/** Sets them all and reads each one back, in one statement. With `local` for the running transaction only. */
export function pinSql(role: Role, local: boolean): string {
  return `with pinned as materialized (${setSql(role, local)}) ${readBackSql}`
}

/** Sets them. A row at a time: what is read back is read after it was set. `case` passes over settings this server has not. */
function setSql(role: Role, local: boolean): string {
  const rows = Object.entries(pinnedFor(role)).map(([name, value]) => `('${name}', '${value}')`)
  return `select name, case when pg_catalog.current_setting(name, true) is not null
        and (name operator(pg_catalog.<>) 'pg_stat_statements.track' or pg_catalog.current_setting('is_superuser')::pg_catalog.bool)
      then pg_catalog.set_config(name, value, ${local}) end as answer
    from (values ${rows.join(', ')}) as wanted (name, value)`
}

const readBackSql = 'select name, pg_catalog.current_setting(name, true) as value from pinned where answer is not null'

export interface ReadBack {
  readonly name: string
  readonly value: string
}

/** Throws SETTING_REFUSED when a setting reads back as another value, as behind a pooler that ignores it (fault 61). */
export function checkPinned(role: Role, rows: readonly ReadBack[]): void {
  const wanted = pinnedFor(role)
  const refused = rows.filter(({ name, value }) => wanted[name] !== value)
  if (refused.length === 0 && rows.length > 0) return
  const list = refused.map(({ name, value }) => `${name} is ${value === '' ? "''" : value}, not ${wanted[name] ?? ''}`)
  throw new PerfdbError('SETTING_REFUSED', 'the server did not take the settings of the session', {
    detail: list.join('; '),
  })
}

/**
 * A build must end when perfdb is gone (fault 7: else it goes on for hours, holding the lock), and a session that nobody hears any
 * more within a minute (fault 54). Servers on systems that cannot watch a socket refuse the first, and Unix sockets ignore
 * the others: then it stays as it is.
 */
export const watchClientSql = [
  `select pg_catalog.set_config('client_connection_check_interval', '2s', false)`,
  `select pg_catalog.set_config('tcp_keepalives_idle', '30', false), pg_catalog.set_config('tcp_keepalives_interval', '10', false),
    pg_catalog.set_config('tcp_keepalives_count', '3', false)`,
] as const

/** What a session must know before it changes anything, read without operators, which a search_path could replace. */
export const lookSql = `select pg_catalog.pg_backend_pid() as pid,
  pg_catalog.current_setting('server_version_num') as version_num,
  pg_catalog.current_setting('server_version') as version,
  pg_catalog.pg_is_in_recovery() as in_recovery,
  pg_catalog.current_setting('default_transaction_read_only') as read_only,
  pg_catalog.current_setting('search_path') as search_path,
  current_user as role,
  pg_catalog.current_database() as database`

/**
 * The look, and the settings with it where the session is that backend's own: behind a pooler they would stay on a backend that others use next
 * (fault 59). In the simple protocol, and in words of servers that are too old as well.
 */
export function lookAndPinSql(role: Role, backendPid: number): string {
  return `with look as (${lookSql}), pinned as (
    ${setSql(role, false)}, look where look.pid operator(pg_catalog.=) ${backendPid}
  )
  select look.*, (select pg_catalog.json_agg(p) from (${readBackSql}) p) as pinned from look`
}

export interface LookRow {
  /** null where nothing was pinned. */
  readonly pinned: readonly ReadBack[] | null
  readonly pid: number
  readonly version_num: string
  readonly version: string
  readonly in_recovery: boolean
  readonly read_only: string
  readonly search_path: string
  readonly role: string
  readonly database: string
}
