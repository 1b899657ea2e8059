import type { Place } from '../../errors.js'

export interface Alias {
  readonly name: string
  readonly server: string
  readonly database: string
  /** `user=` of the alias: collapses all clients into one pool. */
  readonly user: string | null
  readonly poolSize: number | null
  readonly reservePoolSize: number | null
  /** Users known to come besides those of declared services. */
  readonly users: readonly string[]
  /** Of one replica, as its pooler measured it (SHOW STATS), else as its server did. */
  readonly load?: {
    readonly ratePerSecond: number
    readonly serviceTimeSeconds: number
    readonly measuredSeconds: number
  }
}

export interface UserSizes {
  readonly poolSize: number | null
  readonly reservePoolSize: number | null
}

export interface Pooler {
  readonly name: string
  readonly kind: string
  /** Where clients connect to, as written. */
  readonly url?: string
  /** Of each replica's console, as written; empty when none may be asked. */
  readonly adminUrls: readonly string[]
  /** Each replica, and each so_reuseport peer, has its own pools. */
  readonly replicas: number
  readonly poolMode: 'session' | 'transaction' | 'statement'
  readonly maxClientConn: number
  /** 0 is unlimited. */
  readonly defaultPoolSize: number
  readonly reservePoolSize: number
  /** By alias; 0 is unlimited. `*` is the default of all. */
  readonly maxDbConnections: Readonly<Record<string, number>>
  /** By server user; 0 is unlimited. */
  readonly maxUserConnections: Readonly<Record<string, number>>
  readonly aliases: readonly Alias[]
  /** Sizes of a user's pools, which beat those of the alias (1.24 and later); null is not set. */
  readonly users: Readonly<Record<string, UserSizes>>
  /** Keys that the file writes: what it leaves open a live pooler cannot contradict. */
  readonly written: readonly string[]
  /** Named prepared statements that survive transaction pooling (pgbouncer 1.21); null when unknown. */
  readonly maxPreparedStatements: number | null
  /** After which it drops a client that waits for a server connection; null is never. */
  readonly queryWaitTimeoutMs: number | null
  /** How long it keeps a server connection. */
  readonly serverLifetimeMs: number
  /** Keys that its kind does not default and the file does not write, so that the sum is an upper bound. */
  readonly unknown?: readonly string[]
  /** rds-proxy: percent of max_connections that it may open. */
  readonly maxConnectionsPercent?: number
  /** pgpool: pairs of user and database whose connections one child keeps. */
  readonly maxPool?: number
  /** Server connections that each pool keeps open. */
  readonly minPoolSize?: number
  /** Processors that it runs on, and what one transaction costs it in microseconds; null when not declared. */
  readonly cores?: number | null
  readonly place: Place
}
