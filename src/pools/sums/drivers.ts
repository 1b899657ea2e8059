/** Pool defaults of a driver or framework, as its source or manual states them. */
export interface DriverDefaults {
  readonly min: number
  /** null: unlimited, or derived from something the table cannot know. */
  readonly max: number | null
  readonly maxOverflow: number
  readonly eager: boolean
  readonly acquireTimeoutMs: number | null
  /** Why max is null. */
  readonly unknownMax?: 'unlimited' | 'by-cpu' | 'by-thread' | 'required'
  readonly source: string
}

const lazy = { min: 0, maxOverflow: 0, eager: false, acquireTimeoutMs: null }

/** Defaults by driver name, so that a file may say `driver: sqlalchemy` and no more. */
const drivers: Readonly<Record<string, DriverDefaults>> = {
  'postgres.js': { ...lazy, max: 10, source: 'postgres 3.4.9, src/index.js' },
  'node-postgres': { ...lazy, max: 10, source: 'pg-pool, index.js' },
  knex: { ...lazy, min: 2, max: 10, source: 'knex, lib/client.js' },
  sequelize: { ...lazy, max: 5, acquireTimeoutMs: 60_000, source: 'sequelize, connection-manager.js' },
  // Version 7 pools in its driver adapter: write `driver: node-postgres` for that.
  prisma: { ...lazy, max: null, unknownMax: 'by-cpu', source: 'Prisma 6 manual: physical CPUs x 2 + 1' },
  sqlalchemy: { ...lazy, max: 5, maxOverflow: 10, acquireTimeoutMs: 30_000, source: 'SQLAlchemy 1.4, pool/impl.py' },
  psycopg2: {
    ...lazy,
    max: null,
    eager: true,
    unknownMax: 'required',
    source: 'psycopg2/pool.py: the constructor opens minconn',
  },
  // max_size is min_size unless given.
  psycopg: {
    ...lazy,
    min: 4,
    max: 4,
    eager: true,
    acquireTimeoutMs: 30_000,
    source: 'psycopg_pool manual: min_size 4, max_size None, timeout 30',
  },
  asyncpg: { ...lazy, min: 10, max: 10, eager: true, source: 'asyncpg 0.27, pool.py' },
  hikaricp: {
    ...lazy,
    min: 10,
    max: 10,
    eager: true,
    acquireTimeoutMs: 30_000,
    source: 'HikariCP README: minimumIdle = maximumPoolSize',
  },
  activerecord: {
    ...lazy,
    max: 5,
    acquireTimeoutMs: 5000,
    source: 'ActiveRecord, hash_config.rb: pool 5, checkout_timeout 5',
  },
  django: { ...lazy, max: null, unknownMax: 'by-thread', source: 'django/db/utils.py: one connection in each thread' },
  go: { ...lazy, max: null, unknownMax: 'unlimited', source: 'Go manual, database/sql: SetMaxOpenConns' },
  pgx: { ...lazy, max: null, unknownMax: 'by-cpu', source: 'pgxpool, pool.go: the larger of 4 and the processors' },
  pdo: { ...lazy, max: 1, source: 'PHP manual, PDO: a connection for each request' },
  sqlx: {
    ...lazy,
    max: 10,
    acquireTimeoutMs: 30_000,
    source: 'sqlx, PoolOptions: max_connections 10, acquire_timeout 30 s',
  },
  vertx: { ...lazy, max: 4, source: 'Vert.x SQL client, PoolOptions: 4' },
  npgsql: { ...lazy, max: 100, source: 'Npgsql manual: Maximum Pool Size' },
}

/** Other names of the same drivers, as people and package registries call them. */
const otherNames: Readonly<Record<string, string>> = {
  pg: 'node-postgres',
  'pg-pool': 'node-postgres',
  typeorm: 'node-postgres',
  postgres: 'postgres.js',
  psycopg_pool: 'psycopg',
  psycopg3: 'psycopg',
  hikari: 'hikaricp',
  rails: 'activerecord',
  'database/sql': 'go',
  pgxpool: 'pgx',
}

/** Defaults by any name of a driver; undefined for one that the table does not have. */
export function driverDefaults(name: string | undefined): DriverDefaults | undefined {
  return name === undefined ? undefined : drivers[driverName(name)]
}

/** Every driver of the table with its source. */
export function driverReference(): readonly (readonly [name: string, source: string])[] {
  return Object.entries(drivers).map(([name, { source }]) => [name, source])
}

/** The name in the table. */
export function driverName(name: string): string {
  return otherNames[name] ?? name
}

export const driverNames = [...Object.keys(drivers), ...Object.keys(otherNames)]

/**
 * Drivers that send named prepared statements unless told otherwise: postgres.js (prepare: true), asyncpg (statement_cache_size 100), pgJDBC
 * behind HikariCP (prepareThreshold 5), ActiveRecord (prepared_statements: true), Prisma (without pgbouncer=true).
 */
export const preparingDrivers: ReadonlySet<string> = new Set([
  'postgres.js',
  'asyncpg',
  'hikaricp',
  'activerecord',
  'prisma',
])

/** Drivers whose pools never shrink by themselves: postgres.js has no idle_timeout, HikariCP keeps minimumIdle = maximumPoolSize. */
export const keepingDrivers: ReadonlySet<string> = new Set(['postgres.js', 'hikaricp'])
