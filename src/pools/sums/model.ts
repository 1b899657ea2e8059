import type { PoolFindingCode } from '../../codes/codes.js'
import type { Place } from '../../errors.js'
import type { Audit } from './audit.js'
import type { Cache } from './cache.js'
import type { MemorySettings } from './memory.js'
import type { Pooler } from './pooler-model.js'
import type { Registry, Tenant, TenantRow } from '../../tenants/tenant.js'

/** Which slots a role may take: manual, "superuser_reserved_connections" and "reserved_connections" (16 and later). */
export type RoleKind = 'ordinary' | 'reserved' | 'superuser'

/** CONNECTION LIMIT of a role; null is none (-1 in the catalog), 0 means that nobody may connect. */
export interface RoleLimit {
  readonly kind: RoleKind
  readonly connectionLimit: number | null
}

/** One server, never a cluster: each primary and each replica has its own max_connections. */
export interface Server {
  readonly name: string
  /** As written, with `${NAME}` unresolved: it may hold a password once it is resolved. */
  readonly url: string | null
  readonly provider: { readonly name: string; readonly size: string } | null
  readonly maxConnections: number | null
  readonly superuserReserved: number | null
  readonly reserved: number | null
  readonly cores: number | null
  readonly memoryBytes: number | null
  readonly memorySettings: MemorySettings | null
  /** Declared connections of others: backups, dashboards, migrations. */
  readonly otherConnections: number
  /** perfdb's own, counted where it runs; null is 3 on a live server and 0 without one. */
  readonly perfdbConnections: number | null
  readonly role: 'primary' | 'replica'
  /** Name of the primary of a replica. */
  readonly of: string | null
  /** A replica that may take over for its primary. */
  readonly failover: boolean
  /** What one new connection costs the server in milliseconds; null is not declared. */
  readonly connectTimeMs: number | null
  readonly roles: Readonly<Record<string, RoleLimit>>
  /** CONNECTION LIMIT by database. */
  readonly databases: Readonly<Record<string, number>>
  /** Declared for a look without a server, which has its own. */
  readonly roleSettings: readonly RoleSetting[]
  /** What --what-if says: it counts whatever the server and the file say. */
  readonly assumed?: Partial<Slots>
  /** Shares of the capacity, 0.8 and 1. */
  readonly warnAt: number
  readonly failAt: number
  readonly place: Place
}

export interface Pool {
  readonly driver: string | null
  readonly min: number
  readonly max: number
  readonly maxOverflow: number
  /** Opens `min` connections when it is made and keeps them. */
  readonly eager: boolean
  readonly acquireTimeoutMs: number | null
  readonly maxLifetimeMs: number | null
  readonly idleTimeoutMs: number | null
  readonly perTenant: boolean
  /** Tenants with a request within any idle timeout, and in which part of the day they are most; null is all of them. */
  readonly active: { readonly tenants: number; readonly part: string | null } | null
  /** The driver keeps named statements on its connections; null is its default. */
  readonly preparedStatements: boolean | null
  /** What its sessions keep from one transaction to the next; empty when nothing is declared. */
  readonly sessionState: readonly SessionState[]
  /** Factor of a rule "max = workers x factor", when max was written so. */
  readonly policyFactor: number | null
}

/** What a transaction pooler loses between two transactions. */
export type SessionState = 'settings' | 'advisory_locks' | 'listen' | 'temporary_tables' | 'cursors'

/** Percent of the instances, or a number of them. */
export type Share = { readonly percent: number } | { readonly instances: number }

/** How instances are replaced; `none` for what is not rolled out: functions and scheduled jobs. */
export type Deploy =
  | { readonly strategy: 'none' | 'recreate' | 'blue_green' }
  | { readonly strategy: 'canary'; readonly share: Share }
  | {
      readonly strategy: 'rolling'
      readonly maxSurge: Share
      readonly maxUnavailable: Share
      /** Old instances that are ending still hold their connections. */
      readonly countTerminating: boolean
      /** Declared: an instance ends in less time than one starts. */
      readonly endsQuickly: boolean
      /** The file declares no deploy: this is what the platform does by default. */
      readonly assumed?: true
    }

export interface Runtime {
  readonly kind: string
  readonly processes: number
  /** Requests that one process works on at once; null when unbounded (event loops) or unknown. */
  readonly threads: number | null
  /** The file does not say the threads: they are what the kind does by default. */
  readonly threadsAssumed?: true
  /** Where one pool lives: in each process (the default: forked workers share nothing), or once in the instance. */
  readonly scope: 'process' | 'instance'
  /** Serverless only: instances at most, and how many old ones may linger beside each new one (1 to 2). */
  readonly maxConcurrency: number | null
  readonly overlap: number
}

/** Offered work of the whole service: arrivals per second, mean service time in seconds, squared coefficient of variation. */
export interface Load {
  readonly ratePerSecond: number | null
  readonly serviceTimeSeconds: number | null
  readonly cv2: number
  readonly sloWaitMs: number | null
  readonly expectedConcurrent: number | null
  readonly maxConcurrent: number | null
  /** Measured on the server over so many seconds, because the file gives no load. */
  readonly measuredSeconds?: number
}

export interface Service {
  readonly name: string
  /** null only where every pool belongs to a tenant, or the service speaks HTTP. */
  readonly server: string | null
  /** Database, or alias of the pooler that it connects through. */
  readonly database: string | null
  readonly role: string | null
  readonly applicationName: string | null
  /** `http`: PostgREST, supabase-js: no connection to PostgreSQL of its own. */
  readonly via: { readonly kind: 'direct' | 'http' } | { readonly kind: 'pooler'; readonly pooler: string }
  /** Connections of one process at most; null is what its pools may open. */
  readonly processMax: number | null
  /** Connections of each process that looks up tenants on the server of their registry: one that asks, one that listens. */
  readonly lookup: { readonly server: string; readonly connections: number } | null
  readonly runtime: Runtime
  readonly instances: { readonly desired: number; readonly max: number }
  readonly deploy: Deploy
  readonly pool: Pool
  readonly connectionsPerRequest: number
  /** Connections of a process outside its pool: listeners, schedulers. */
  readonly extraConnections: number
  readonly requestTimeoutMs: number | null
  readonly load: Load | null
  readonly cache: Cache | null
  readonly audit: Audit | null
  readonly place: Place
  readonly poolPlace: Place
  readonly instancesPlace: Place
}

/** Everything that opens connections, of one file or of several together. */
export interface Deployment {
  readonly servers: readonly Server[]
  readonly tenants: readonly Tenant[]
  readonly services: readonly Service[]
  readonly poolers: readonly Pooler[]
}

export interface PoolsFile extends Deployment {
  readonly file: string
  /** Tenants with their urls, as the lists have them. */
  readonly rows?: readonly TenantRow[]
  readonly registries?: readonly Registry[]
  /** What is worth saying about the file itself, such as a password written in it. */
  readonly findings: readonly PoolFinding[]
}

/** Severity `error` makes the verdict FAIL, `warning` WARN; `info` changes no verdict. */
export interface PoolFinding {
  readonly code: PoolFindingCode
  readonly severity: 'error' | 'warning' | 'info'
  readonly server?: string
  readonly service?: string
  readonly message: string
  /** The change that fixes it. */
  readonly hint?: string
  /** Each judged with everything else before it becomes the hint, which names those that leave nothing worse. */
  readonly remedies?: readonly Remedy[]
  readonly place?: Place
}

/** A change that may fix a finding, as a reader reads it and as --what-if takes it. */
export interface Remedy {
  readonly text: string
  readonly change: string
}

export type Verdict = 'OK' | 'WARN' | 'FAIL' | 'UNKNOWN'

/** Settings of the manual's "Connections and Authentication", whole numbers of connections. */
export interface Slots {
  readonly maxConnections: number
  readonly superuserReserved: number
  readonly reserved: number
}

/** ALTER ROLE or ALTER DATABASE ... SET, the value as it was written; null is any role, any database. */
export interface RoleSetting {
  readonly role: string | null
  readonly database: string | null
  readonly name: string
  readonly value: string
}
