import type { Alias, Pooler, UserSizes } from '../sums/pooler-model.js'

/** What SHOW prints, by statement: https://www.pgbouncer.org/usage.html#show-commands */
export type ConsoleRows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>

/** The statements that readConsole wants answered, on every version. */
export const consoleShows = ['VERSION', 'CONFIG', 'DATABASES', 'POOLS', 'STATS', 'USERS'] as const

/** One pgbouncer as its console tells it; counts are connections of this one replica. */
export interface PoolerLive {
  /** `1.18.0`; null for what is no pgbouncer. */
  readonly version: string | null
  /** Whole-number settings by name, and pool_mode. */
  readonly settings: Readonly<Record<string, number>>
  readonly poolMode: Pooler['poolMode'] | null
  readonly databases: readonly LiveAlias[]
  readonly pools: readonly LivePool[]
  /** Users with sizes or a limit of their own; versions before 1.24 do not tell them. */
  readonly users: Readonly<Record<string, LiveUser>>
}

export interface LiveUser extends UserSizes {
  readonly maxConnections: number | null
}

export interface LiveAlias {
  readonly name: string
  /** host:port of the server behind it. */
  readonly server: string
  readonly database: string
  readonly user: string | null
  readonly poolSize: number
  readonly reservePoolSize: number
  /** 0 is unlimited. */
  readonly maxConnections: number
  /** Over the look; null without traffic, without a first look, and in session mode, where a transaction is a whole session. */
  readonly load: {
    readonly ratePerSecond: number
    readonly serviceTimeSeconds: number
    readonly measuredSeconds: number
  } | null
  /** Mean wait of its clients for a server connection, over the same time; 0 where it is not known. */
  readonly meanWaitSeconds: number
}

export interface LivePool {
  readonly alias: string
  readonly user: string
  readonly clients: number
  readonly waiting: number
  readonly longestWaitSeconds: number
  readonly serverConnections: number
}

/** SHOW STATS some seconds earlier, for the differences of its totals. */
export interface EarlierStats {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly seconds: number
}

/** Reads the answers of a console, of 1.18 as of later ones; the console's own database is left out. */
export function readConsole(rows: ConsoleRows, earlier?: EarlierStats): PoolerLive {
  const config = new Map((rows['CONFIG'] ?? []).map((row) => [text(row['key']), text(row['value'])]))
  const mode = poolMode(config.get('pool_mode'))
  const work = mode === 'session' ? new Map<string, Work>() : workBetween(rows['STATS'] ?? [], earlier)
  return {
    version: /PgBouncer (\d[\d.]*)/i.exec(text(rows['VERSION']?.[0]?.['version']))?.[1] ?? null,
    settings: Object.fromEntries(
      [...config].flatMap(([name, value]) => (/^\d+$/.test(value) ? [[name, Number(value)] as const] : [])),
    ),
    poolMode: mode,
    databases: (rows['DATABASES'] ?? [])
      .filter((row) => row['name'] !== 'pgbouncer')
      .map((row): LiveAlias => ({
        name: text(row['name']),
        server: `${text(row['host'])}:${text(row['port'])}`,
        database: text(row['database']),
        user: text(row['force_user']) || null,
        poolSize: number(row['pool_size']),
        // Its name before 1.24 and since.
        reservePoolSize: number(row['reserve_pool'] ?? row['reserve_pool_size']),
        maxConnections: number(row['max_connections']),
        meanWaitSeconds: work.get(text(row['name']))?.meanWaitSeconds ?? 0,
        load: work.get(text(row['name']))?.load ?? null,
      })),
    users: Object.fromEntries((rows['USERS'] ?? []).flatMap(userSizes)),
    pools: (rows['POOLS'] ?? [])
      .filter((row) => row['database'] !== 'pgbouncer')
      .map((row): LivePool => ({
        alias: text(row['database']),
        user: text(row['user']),
        clients: number(row['cl_active']) + number(row['cl_waiting']),
        waiting: number(row['cl_waiting']),
        longestWaitSeconds: number(row['maxwait']) + number(row['maxwait_us']) / 1e6,
        serverConnections: ['sv_active', 'sv_idle', 'sv_used', 'sv_tested', 'sv_login'].reduce(
          (sum, name) => sum + number(row[name]),
          0,
        ),
      })),
  }
}

/**
 * The pooler as it really is: the console's settings and databases instead of the file's. Users that the console has seen and the file does
 * not know, and databases that it has on a declared server, are added: their pools open connections too. Where the file lists no databases,
 * those that its `clients` ask for stand for them: each is on the client's server.
 */
export function asConsoleSays(
  pooler: Pooler,
  live: PoolerLive,
  clients: readonly { readonly server: string; readonly database: string }[] = [],
): Pooler {
  const { settings } = live
  const listed = pooler.aliases.length > 0 ? pooler.aliases : clients.map(aliasByItself)
  const serverBehind = new Map(
    listed.flatMap((alias) => {
      const at = live.databases.find((one) => one.name === alias.name)
      return at === undefined ? [] : [[at.server, alias.server] as const]
    }),
  )
  const aliases = live.databases.flatMap((one): readonly Alias[] => {
    const declared = listed.find((alias) => alias.name === one.name)
    const server = declared?.server ?? serverBehind.get(one.server)
    if (server === undefined) return []
    const seen = live.pools.filter((pool) => pool.alias === one.name).map((pool) => pool.user)
    return [
      {
        name: one.name,
        server,
        database: one.database,
        user: one.user,
        // null where it is the pooler's default, so that a change of that changes it.
        poolSize: one.poolSize === settings['default_pool_size'] ? null : one.poolSize,
        reservePoolSize: one.reservePoolSize === settings['reserve_pool_size'] ? null : one.reservePoolSize,
        users: [...new Set([...(declared?.users ?? []), ...seen])],
        ...(one.load !== null && { load: one.load }),
      },
    ]
  })
  // What its `*` entry makes is in no SHOW DATABASES until somebody comes.
  const unseen =
    pooler.aliases.length > 0 ? [] : listed.filter((one) => aliases.every((alias) => alias.name !== one.name))
  const fallback = pooler.aliases.filter((alias) => alias.name === '*')
  const all = settings['max_db_connections'] ?? 0
  const byAlias = live.databases
    .map((one) => [one.name, one.maxConnections] as const)
    .filter(([, limit]) => limit !== all)
  return {
    ...pooler,
    poolMode: live.poolMode ?? pooler.poolMode,
    maxClientConn: settings['max_client_conn'] ?? pooler.maxClientConn,
    defaultPoolSize: settings['default_pool_size'] ?? pooler.defaultPoolSize,
    reservePoolSize: settings['reserve_pool_size'] ?? pooler.reservePoolSize,
    maxDbConnections: { ...Object.fromEntries(byAlias), ...(all > 0 && { '*': all }) },
    users: { ...pooler.users, ...live.users },
    maxUserConnections: limited(settings['max_user_connections'], {
      ...pooler.maxUserConnections,
      ...Object.fromEntries(
        Object.entries(live.users).flatMap(([user, { maxConnections: most }]) => (most === null ? [] : [[user, most]])),
      ),
    }),
    maxPreparedStatements: settings['max_prepared_statements'] ?? 0,
    queryWaitTimeoutMs: (settings['query_wait_timeout'] ?? 120) * 1000 || null,
    serverLifetimeMs: (settings['server_lifetime'] ?? 3600) * 1000,
    aliases: [...aliases, ...unseen, ...fallback],
  }
}

function aliasByItself({ server, database }: { readonly server: string; readonly database: string }): Alias {
  return { name: database, server, database, user: null, poolSize: null, reservePoolSize: null, users: [] }
}

/** The limits of single users are in no SHOW of the older versions: the file's are kept. */
function limited(
  all: number | undefined,
  declared: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return all === undefined || all === 0 ? declared : { ...declared, '*': all }
}

/** 0 and nothing are "not set" here: the sizes of the alias count. */
function userSizes(row: Readonly<Record<string, unknown>>): readonly (readonly [string, LiveUser])[] {
  const set = (name: string) => number(row[name]) || null
  const sizes = {
    poolSize: set('pool_size'),
    reservePoolSize: set('reserve_pool_size'),
    maxConnections: set('max_user_connections'),
  }
  return Object.values(sizes).every((size) => size === null) ? [] : [[text(row['name']), sizes]]
}

interface Work {
  readonly meanWaitSeconds: number
  readonly load: LiveAlias['load']
}

/**
 * By database, from the differences of the totals of SHOW STATS, which mean the same in every version; the averages do not: avg_wait_time is
 * per second of the period before 1.23 and per assignment of a server since. Times are microseconds, and that of a transaction includes its wait for
 * a server connection. https://www.pgbouncer.org/usage.html#show-stats
 */
function workBetween(
  rows: readonly Readonly<Record<string, unknown>>[],
  earlier: EarlierStats | undefined,
): ReadonlyMap<string, Work> {
  if (earlier === undefined || earlier.seconds <= 0) return new Map()
  const before = new Map(earlier.rows.map((row) => [text(row['database']), row]))
  return new Map(
    rows.flatMap((row): readonly (readonly [string, Work])[] => {
      const name = text(row['database'])
      const since = (column: string) => number(row[column]) - number(before.get(name)?.[column])
      const transactions = since('total_xact_count')
      // A database that began anew, or a pooler that was restarted, counts from 0 again.
      if (transactions <= 0) return []
      const meanWaitSeconds = Math.max(0, since('total_wait_time') / transactions / 1e6)
      const serviceTimeSeconds = since('total_xact_time') / transactions / 1e6 - meanWaitSeconds
      const load =
        serviceTimeSeconds > 0
          ? { ratePerSecond: transactions / earlier.seconds, serviceTimeSeconds, measuredSeconds: earlier.seconds }
          : null
      return [[name, { meanWaitSeconds, load }]]
    }),
  )
}

function poolMode(value: string | undefined): PoolerLive['poolMode'] {
  return value === 'session' || value === 'transaction' || value === 'statement' ? value : null
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function number(value: unknown): number {
  return Number(text(value)) || 0
}
