import { targetsOf, type Demand } from './demand.js'
import type { Limits } from './capacity.js'
import type { DatabaseLoad } from './measured-load.js'
import type { MemorySettings, Pooler, RoleLimit } from './model.js'
import { aliasOf, clientsOf } from './pooler.js'

/** Client backends of one role, database and application at one moment. */
export interface SessionGroup {
  readonly role: string
  readonly database: string
  /** null where the privilege to see it is missing. */
  readonly applicationName: string | null
  /** Surely client backends. */
  readonly connections: number
  /** Of them, those with a statement or a transaction open. */
  readonly busy: number
  /** Others' sessions whose kind is hidden: client backends, parallel workers and walsenders look alike. */
  readonly hidden: number
}

export interface LiveSample {
  readonly groups: readonly SessionGroup[]
  /** Slots of connections that still authenticate; visible from 18 on. */
  readonly authenticating: number
}

/** What a server said of its slots, without perfdb's own session. */
export interface LiveFacts {
  readonly version: string
  readonly versionNum: number
  /** The same for two urls that reach one server. */
  readonly identity: string
  readonly user: string
  /** The role may see every session (pg_read_all_stats). */
  readonly seesAll: boolean
  readonly limits: Limits
  readonly roles: Readonly<Record<string, RoleLimit>>
  /** CONNECTION LIMIT by database, null is none. */
  readonly databases: Readonly<Record<string, number | null>>
  readonly memory: MemorySettings
  /** Timeouts of the server in ms, 0 is none. */
  readonly timeouts: {
    readonly idleInTransactionMs: number
    readonly idleSessionMs: number
    readonly statementMs: number
    readonly authenticationMs: number
  }
  readonly roleSettings: readonly RoleSetting[]
  readonly inRecovery: boolean
}

/** ALTER ROLE or ALTER DATABASE ... SET, the value as it was written; null is any role, any database. */
export interface RoleSetting {
  readonly role: string | null
  readonly database: string | null
  readonly name: string
  readonly value: string
}

export interface Live extends LiveFacts {
  readonly samples: readonly LiveSample[]
  /** By database, of those that worked between the first and the last look. */
  readonly load: Readonly<Record<string, DatabaseLoad>>
}

/** Sessions of a moment, split by what the file declares. Counts of connections. */
export interface Matched {
  readonly managed: number
  readonly unmanaged: number
  /** Of both, those whose kind is hidden: the counts are upper bounds then. */
  readonly hidden: number
  readonly strangers: readonly SessionGroup[]
}

/** Pattern of a service's sessions on the server; undefined members match everything. */
export interface Pattern {
  readonly role: string | null
  readonly database: string | null
  readonly applicationName: string | null
}

/** How the sessions of declared services look on a server: direct ones by themselves, others as their pooler makes them. */
export function patternsOn(server: string, rows: readonly Demand[], poolers: readonly Pooler[]): readonly Pattern[] {
  const direct = rows
    .filter((row) => row.service.via.kind === 'direct' && row.server === server)
    .flatMap((row) =>
      targetsOf(row).map(({ role, database }) => ({ role, database, applicationName: row.service.applicationName })),
    )
  const pooled = poolers.flatMap((pooler) => [
    ...clientsOf(pooler, rows).flatMap((row) => {
      return targetsOf(row).flatMap((target) => {
        const alias = aliasOf(pooler, { server: row.server, database: target.database })
        if (alias === null || alias.server !== server) return []
        return [{ role: alias.user ?? target.role, database: alias.database, applicationName: null }]
      })
    }),
    ...pooler.aliases
      .filter((alias) => alias.server === server)
      .flatMap((alias) =>
        alias.users.map((user) => ({ role: alias.user ?? user, database: alias.database, applicationName: null })),
      ),
  ])
  return [...direct, ...pooled]
}

/** Splits a sample into declared sessions and strangers; a hidden application name is taken to match. */
export function matched(sample: LiveSample, patterns: readonly Pattern[]): Matched {
  const strangers = sample.groups.filter((group) => !patterns.some((pattern) => matches(group, pattern)))
  const unmanaged = sum(strangers) + sample.authenticating
  return {
    managed: sum(sample.groups) - sum(strangers),
    unmanaged,
    hidden: sample.groups.reduce((total, group) => total + group.hidden, 0),
    strangers,
  }
}

/** The sample with most strangers: what the budget must allow for. */
export function worstMatch(samples: readonly LiveSample[], patterns: readonly Pattern[]): Matched {
  const none: Matched = { managed: 0, unmanaged: 0, hidden: 0, strangers: [] }
  return samples
    .map((sample) => matched(sample, patterns))
    .reduce((worst, next) => (next.unmanaged > worst.unmanaged || worst === none ? next : worst), none)
}

/** Client backends of a sample, an upper bound where some are hidden. */
export function connectionsOf(sample: LiveSample): number {
  return sum(sample.groups) + sample.authenticating
}

function matches(group: SessionGroup, pattern: Pattern): boolean {
  return (
    (pattern.role === null || pattern.role === group.role) &&
    (pattern.database === null || pattern.database === group.database) &&
    (pattern.applicationName === null ||
      group.applicationName === null ||
      pattern.applicationName === group.applicationName)
  )
}

function sum(groups: readonly SessionGroup[]): number {
  return groups.reduce((total, group) => total + group.connections + group.hidden, 0)
}
