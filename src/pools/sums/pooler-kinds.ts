/** What a kind of pooler does when its file says nothing; null is not known, and then so is the verdict. */
export interface PoolerKind {
  readonly poolMode: 'session' | 'transaction' | 'statement' | null
  /** Clients of one replica; Infinity where it has no limit of its own. */
  readonly maxClientConn: number | null
  /** Server connections of one pool; 0 is unlimited. */
  readonly defaultPoolSize: number | null
  readonly queryWaitTimeoutMs: number | null
  readonly serverLifetimeMs: number
  /** What it calls the sizes, for messages and for the reader of its keys. */
  readonly sizeKey: string
  readonly clientKey: string
  /** How a client that keeps session state fares where it pools by transaction: it loses the state, or pins its server connection. */
  readonly sessionState: 'lost' | 'pinned' | 'kept'
  /** Named prepared statements work where it pools by transaction; null is "depends on its settings and version". */
  readonly preparedStatements: boolean | null
  readonly source: string
}

const hour = 3_600_000

/** Defaults of each kind, as its manual states them. What a manual does not state is null, never another kind's default. */
export const poolerKinds = {
  pgbouncer: {
    poolMode: 'session',
    maxClientConn: 100,
    defaultPoolSize: 20,
    queryWaitTimeoutMs: 120_000,
    serverLifetimeMs: hour,
    sizeKey: 'default_pool_size',
    clientKey: 'max_client_conn',
    sessionState: 'lost',
    preparedStatements: null,
    source:
      'PgBouncer manual, config: pool_mode session, max_client_conn 100, default_pool_size 20, query_wait_timeout 120',
  },
  odyssey: {
    poolMode: null,
    maxClientConn: Number.POSITIVE_INFINITY,
    defaultPoolSize: 0,
    queryWaitTimeoutMs: null,
    serverLifetimeMs: hour,
    sizeKey: 'pool_size',
    clientKey: 'client_max',
    sessionState: 'lost',
    preparedStatements: null,
    source:
      'Odyssey documentation: pool has no default, pool_size 0 and client_max unset are unlimited, pool_timeout 0 waits for ever',
  },
  pgcat: {
    poolMode: null,
    maxClientConn: Number.POSITIVE_INFINITY,
    defaultPoolSize: null,
    queryWaitTimeoutMs: 5_000,
    serverLifetimeMs: 24 * hour,
    sizeKey: 'pool_size',
    clientKey: 'max_client_conn',
    sessionState: 'lost',
    preparedStatements: null,
    source: 'PgCat documentation: pool_size of each user must be written; connect_timeout 5 s, server_lifetime 24 h',
  },
  supavisor: {
    poolMode: null,
    maxClientConn: null,
    defaultPoolSize: null,
    queryWaitTimeoutMs: null,
    serverLifetimeMs: 0,
    sizeKey: 'default_pool_size',
    clientKey: 'max_client_conn',
    sessionState: 'lost',
    preparedStatements: false,
    source:
      'Supabase manual, "Connect to your database": port 6543 pools by transaction, 5432 by session; sizes are those of the compute size',
  },
  neon: {
    poolMode: 'transaction',
    maxClientConn: 10_000,
    defaultPoolSize: null,
    queryWaitTimeoutMs: 120_000,
    serverLifetimeMs: hour,
    sizeKey: 'default_pool_size',
    clientKey: 'max_client_conn',
    sessionState: 'lost',
    preparedStatements: true,
    source:
      'Neon manual, "Connection pooling": transaction mode, 10 000 clients, default_pool_size 90 % of max_connections',
  },
  'rds-proxy': {
    poolMode: 'transaction',
    maxClientConn: Number.POSITIVE_INFINITY,
    defaultPoolSize: null,
    queryWaitTimeoutMs: 120_000,
    serverLifetimeMs: 0,
    sizeKey: 'max_connections_percent',
    clientKey: 'max_client_conn',
    sessionState: 'pinned',
    preparedStatements: true,
    source:
      'RDS API reference, ConnectionPoolConfiguration: MaxConnectionsPercent 100 of max_connections, ConnectionBorrowTimeout 120',
  },
  pgpool: {
    poolMode: 'session',
    maxClientConn: 32,
    defaultPoolSize: 32,
    queryWaitTimeoutMs: null,
    serverLifetimeMs: 0,
    sizeKey: 'num_init_children',
    clientKey: 'num_init_children',
    sessionState: 'kept',
    preparedStatements: true,
    source:
      'Pgpool-II manual, "Connections and Authentication": num_init_children 32, max_pool 4; a child serves one client at a time',
  },
} as const satisfies Readonly<Record<string, PoolerKind>>

export type PoolerKindName = keyof typeof poolerKinds

export const poolerKindNames = [
  'pgbouncer',
  'odyssey',
  'pgcat',
  'supavisor',
  'neon',
  'rds-proxy',
  'pgpool',
] as const satisfies readonly PoolerKindName[]

/** max_pool of Pgpool-II: pairs of user and database whose connections a child keeps. */
export const pgpoolMaxPool = 4
/** MaxConnectionsPercent of RDS Proxy. */
export const proxyPercent = 100

/** Of a kind that the table has. */
export function poolerKind(name: string): PoolerKind {
  const kinds: Readonly<Record<string, PoolerKind>> = poolerKinds
  return kinds[name] ?? poolerKinds.pgbouncer
}
