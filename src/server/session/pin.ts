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
  return `select ${setSql(role, local)} as pinned`
}

/**
 * Sets them; each answer is the setting as it reads then. `case` passes over those that this server has not. An expression without a table: planning the same as a
 * join of values took a new session three times as long, half of what connecting costs.
 */
function setSql(role: Role, local: boolean): string {
  const each = Object.entries(pinnedFor(role)).map(([name, value]) => {
    const may = name in uncounted ? `pg_catalog.current_setting('is_superuser')::pg_catalog.bool and ` : ''
    return `case when ${may}pg_catalog.current_setting('${name}', true) is not null
      then pg_catalog.set_config('${name}', '${value}', ${local}) end`
  })
  return `array[${each.join(', ')}]`
}

/** Of each setting of the role, in their order, how it reads; null where it was passed over. */
export type ReadBack = readonly (string | null)[]

/** Throws SETTING_REFUSED when a setting reads back as another value, as behind a pooler that ignores it (fault 61). */
export function checkPinned(role: Role, values: ReadBack): void {
  const refused = Object.entries(pinnedFor(role)).flatMap(([name, wanted], at) => {
    const value = values[at] ?? null
    return value === null || value === wanted ? [] : [`${name} is ${value === '' ? "''" : value}, not ${wanted}`]
  })
  if (refused.length === 0 && values.some((value) => value !== null)) return
  throw new PerfdbError('SETTING_REFUSED', 'the server did not take the settings of the session', {
    detail: refused.join('; '),
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
  pg_catalog.current_setting('port') as port,
  extract(epoch from pg_catalog.pg_postmaster_start_time()) as started,
  pg_catalog.current_database() as database`

/**
 * The look, and then the settings where the session is that backend's own: behind a pooler they would stay on a backend that others use next
 * (fault 59). In the simple protocol, and in words of servers that are too old as well.
 */
export function lookAndPinSql(role: Role, backendPid: number): string {
  return `${lookSql},
  case when pg_catalog.pg_backend_pid() operator(pg_catalog.=) ${backendPid} then ${setSql(role, false)} end as pinned`
}

export interface LookRow {
  /** null where nothing was pinned. */
  readonly pinned: ReadBack | null
  readonly pid: number
  readonly version_num: string
  readonly version: string
  readonly in_recovery: boolean
  readonly read_only: string
  readonly search_path: string
  readonly role: string
  /** Of the server itself, whatever port led here. */
  readonly port: string
  /** When the postmaster did, in seconds since 1970, to the microsecond. */
  readonly started: string | number
  readonly database: string
}
