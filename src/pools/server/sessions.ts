import { groupBy, targetsOf, type Demand } from '../sums/demand.js'
import type { SlotLimits } from '../sums/capacity.js'
import type { DatabaseLoad } from './measured-load.js'
import type { MemorySettings } from '../sums/memory.js'
import type { RoleLimit, RoleSetting } from '../sums/model.js'
import type { Alias, Pooler } from '../sums/pooler-model.js'
import { aliasOf, clientsOf } from '../sums/pooler.js'

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
  /** Where perfdb's own session is. */
  readonly database: string
  /** The role may see every session (pg_read_all_stats). */
  readonly seesAll: boolean
  readonly limits: SlotLimits
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
  /** Idle sessions with advisory locks. */
  readonly keptLocks: readonly SessionGroup[]
  readonly inRecovery: boolean
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
  /** Sessions of nobody, and those beyond what their services may open at the peak. */
  readonly undeclaredSessions: readonly SessionGroup[]
}

/** How the sessions of a service or a pooler look; null members match everything. */
export interface Pattern {
  /** Name of the service or pooler. */
  readonly owner: string
  readonly role: string | null
  readonly database: string | null
  readonly applicationName: string | null
}

/** How the sessions of declared services look on a server: direct ones by themselves, others as their pooler makes them. */
export function patternsOn(server: string, rows: readonly Demand[], poolers: readonly Pooler[]): readonly Pattern[] {
  const direct = rows
    .filter((row) => row.service.via.kind === 'direct' && row.server === server)
    .flatMap((row) =>
      targetsOf(row).map(({ role, database }) => ({
        owner: row.service.name,
        role,
        database,
        applicationName: row.service.applicationName,
      })),
    )
  const pooled = poolers.flatMap((pooler) => {
    const made = (alias: Alias, user: string | null): Pattern => ({
      owner: pooler.name,
      role: alias.user ?? user,
      database: alias.database,
      applicationName: null,
    })
    const byService = clientsOf(pooler, rows).flatMap((row) =>
      targetsOf(row).flatMap((target) => {
        const alias = aliasOf(pooler, { server: row.server, database: target.database })
        return alias === null || alias.server !== server ? [] : [made(alias, target.role)]
      }),
    )
    const declared = pooler.aliases.filter((alias) => alias.server === server)
    return [...byService, ...declared.flatMap((alias) => alias.users.map((user) => made(alias, user)))]
  })
  return [...direct, ...pooled]
}

/**
 * Splits a sample into declared sessions and undeclared ones; a hidden application name is taken to match. Sessions that look like a service's but
 * are more than its peak are undeclared too: the file does not account for them. Sessions of perfdb itself are none as long as there are no more
 * than the `own` that the budget holds for it.
 */
export function matched(
  sample: LiveSample,
  patterns: readonly Pattern[],
  peaks: ReadonlyMap<string, number> = new Map(),
  own = 0,
): Matched {
  const left = new Map(peaks)
  let ownLeft = own
  const owned = sample.groups
    .map((group) => ({ group, owners: ownersOf(group, patterns) }))
    .toSorted((a, b) => a.owners.length - b.owners.length)
  const undeclaredSessions = owned.flatMap(({ group, owners }): readonly SessionGroup[] => {
    let over = group.connections + group.hidden
    if (isOwn(group)) {
      const room = Math.min(over, ownLeft)
      ownLeft -= room
      over -= room
    }
    for (const owner of owners) {
      const room = Math.min(over, left.get(owner) ?? Infinity)
      left.set(owner, (left.get(owner) ?? Infinity) - room)
      over -= room
    }
    return over === 0 ? [] : [surplus(group, over)]
  })
  const unmanaged = sum(undeclaredSessions) + sample.authenticating
  return {
    managed: sum(sample.groups) - sum(undeclaredSessions),
    unmanaged,
    hidden: sample.groups.reduce((total, group) => total + group.hidden, 0),
    undeclaredSessions,
  }
}

/** A look at the same server under another name, or a perfdb apply under way. */
function isOwn({ applicationName }: SessionGroup): boolean {
  return /^perfdb( |$)/.test(applicationName ?? '')
}

/** Names of the services and poolers whose sessions look like these. */
export function ownersOf(group: SessionGroup, patterns: readonly Pattern[]): readonly string[] {
  const near = patternsOf(patterns, group.database)
  return [...new Set(near.filter((pattern) => matches(group, pattern)).map((pattern) => pattern.owner))]
}

/** Those that may have sessions on a database. */
export function patternsOf(patterns: readonly Pattern[], database: string): readonly Pattern[] {
  const known = byDatabase.get(patterns) ?? groupBy(patterns, (pattern) => pattern.database)
  byDatabase.set(patterns, known)
  return [...(known.get(database) ?? []), ...(known.get(null) ?? [])]
}

/** Every group of every sample asks, and 200 services of 200 tenants have 40 000 patterns. */
const byDatabase = new WeakMap<readonly Pattern[], ReadonlyMap<string | null, readonly Pattern[]>>()

/** The last `over` connections of a group, hidden ones first. */
function surplus(group: SessionGroup, over: number): SessionGroup {
  const hidden = Math.min(group.hidden, over)
  return { ...group, hidden, connections: over - hidden, busy: Math.min(group.busy, over - hidden) }
}

/** The sample with most undeclared sessions: what the budget must allow for. */
export function widestPattern(
  samples: readonly LiveSample[],
  patterns: readonly Pattern[],
  peaks: ReadonlyMap<string, number>,
  own = 0,
): Matched {
  const none: Matched = { managed: 0, unmanaged: 0, hidden: 0, undeclaredSessions: [] }
  return samples
    .map((sample) => matched(sample, patterns, peaks, own))
    .reduce((worst, next) => (next.unmanaged > worst.unmanaged || worst === none ? next : worst), none)
}

/** Sessions by role, database and application, added up over all samples: how often each was seen. */
export function sessionsSeen(samples: readonly LiveSample[]): readonly SessionGroup[] {
  return merged(samples, (a, b) => a + b)
}

/** Sessions by role, database and application, with the most of all samples, and whose they are; the largest first. */
export function sessionsOf(
  samples: readonly LiveSample[],
  patterns: readonly Pattern[],
): readonly (SessionGroup & { readonly owners: readonly string[] })[] {
  return merged(samples, Math.max)
    .map((group) => ({ ...group, owners: ownersOf(group, patterns) }))
    .toSorted((a, b) => b.connections + b.hidden - a.connections - a.hidden)
}

function merged(samples: readonly LiveSample[], join: (a: number, b: number) => number): readonly SessionGroup[] {
  const all = new Map<string, SessionGroup>()
  for (const group of samples.flatMap((sample) => sample.groups)) {
    const key = JSON.stringify([group.role, group.database, group.applicationName])
    const known = all.get(key) ?? { ...group, connections: 0, busy: 0, hidden: 0 }
    all.set(key, {
      ...group,
      connections: join(known.connections, group.connections),
      busy: join(known.busy, group.busy),
      hidden: join(known.hidden, group.hidden),
    })
  }
  return [...all.values()]
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
