import type { Place } from '../errors.js'

/** Whose database it is, and where that lives. */
export interface Tenant {
  readonly id: string
  /** The file that lists it. */
  readonly file: string
  /** By its name in a pools file; '' where a url says it. */
  readonly server: string
  readonly database: string | null
  readonly role: string | null
  readonly place: Place
}

/** A tenant with what the list says of it besides. */
export interface TenantRow {
  readonly tenant: Tenant
  /** CONNECTION LIMIT that the list gives it; null is none. */
  readonly connectionLimit: number | null
  /** Where it lives, `${NAME}` of the file unresolved; null where it names a server alone. */
  readonly url: string | null
  /** A tenant that is a schema: which; null where it has a database of its own. */
  readonly schema: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Of a registry, from 1. */
  readonly row?: number
}

/** What a server is asked for tenants by one statement: a table on a master database, or the schemas of a database. */
export interface Registry {
  /** As written, with `${NAME}` unresolved. */
  readonly url: string
  readonly sql: string
  /** Where tenants live whose row says nothing. */
  readonly server: string | null
  /** The url of a tenant, with `{column}` for what its row says. */
  readonly urlTemplate: string | null
  readonly labelColumns: readonly string[]
  /** How long its answer counts while a process runs. */
  readonly ttlMs: number
  /** One statement whose first column is the tenant of `$1`, a user: what `perfdb/runtime` asks. */
  readonly lookup?: string | undefined
  /** The channel on which its server tells what changed. */
  readonly notify?: string | undefined
  readonly place: Place
}

/** A row of a registry: columns by these names, as the statement calls them; others are left alone. */
export type RegistryRow = Readonly<Record<string, unknown>>
