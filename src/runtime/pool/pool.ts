import type postgres from 'postgres'
import type { PerfdbError } from '../../errors.js'
import type { Query } from './query.js'
import type { Window } from './window.js'

/** The connections to one database as one role, at most `max` of them. */
export interface Pool {
  /** `tenant acme`, `the database`: stands in messages. */
  readonly name: string
  readonly max: number
  readonly connect: (closed: () => void) => Connection
  /** Longest idle first. */
  readonly idle: Connection[]
  readonly waiting: Set<Waiter>
  /** Permits that it holds: connections that are made, open or closing. */
  open: number
  busy: number
}

/** One postgres.js that never makes a second connection, so that who holds how many is known here and not only there. */
export interface Connection {
  readonly pool: Pool
  readonly sql: postgres.Sql
  idleSince: number
  /** Whoever is told that it is to close says so once. */
  closing: boolean
  /** Moment of performance.now() from which on it is not used again. */
  readonly expires: number
  usable(): boolean
  /** It is there. Throws why it is not; `sql` is only asked after it. */
  ready(): Promise<void>
  /** Executes it here; `over` is called once when it is, `broken` when the connection is not to be used again. */
  run(query: Query, over: (broken: boolean) => void): void
  /** Says good-bye to the server, which ends what still runs first. */
  close(): void
  /** Does not wait for the end of what runs. */
  abandon(): void
}

/** A request that needs a connection and has none yet. */
export interface Waiter {
  readonly since: number
  readonly ready: (connection: Connection) => void
  readonly failed: (error: PerfdbError) => void
  timer?: NodeJS.Timeout
}

export interface BudgetLimits {
  /** Connections of all its pools together, whatever the number of pools. */
  readonly limit: number
  readonly acquireTimeoutMs: number
  /** null: an idle connection stays. */
  readonly idleTimeoutMs: number | null
  readonly maxLifetimeMs: number
}

/** All connections that a process may hold: each has a permit from before its socket is made until the server has closed its side of it. */
export interface Budget {
  readonly limits: BudgetLimits
  /** Pools that hold or want a connection. */
  readonly pools: ReadonlySet<Pool>
  readonly counts: BudgetCounts
  /** Calls `ready` with a connection, at once where one is free, or `failed` with POOL_TIMEOUT or POOL_CLOSED; the waiter, where it waits. */
  lease(pool: Pool, ready: Waiter['ready'], failed: Waiter['failed']): Waiter | undefined
  /** Gives back what `ready` was called with; `broken` is closed instead of kept. */
  release(connection: Connection, broken?: boolean): void
  /** A request that was cancelled waits no more. */
  leave(pool: Pool, waiter: Waiter): void
  /** Refuses what comes from now on, and resolves when every connection is closed: those that are busy at their end, or after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>
}

export interface BudgetCounts {
  used: number
  closing: number
  busy: number
  most: number
  opened: number
  readonly leases: Window
  readonly timeouts: Window
  readonly waitedMs: Window
}
