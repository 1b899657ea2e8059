import { LRUCache } from 'lru-cache'
import type postgres from 'postgres'
import { PerfdbError } from '../../errors.js'
import { toPerfdbError } from '../../server/session/failure.js'
import type { RegistryRow } from '../../tenants/tenant.js'
import type { Settings, TenantAddress } from './settings.js'
import { makeWindow, type Window } from '../pool/window.js'

/** A tenant as a user is in it. */
export interface Tenant {
  readonly id: string
  /** What the look-up says of the user: its columns by name. */
  readonly row: Readonly<Record<string, unknown>>
  /** postgres.js on the pool of the tenant, which is opened when it is needed and closed when it is idle. */
  readonly sql: postgres.Sql
}

interface Entry {
  /** undefined: there is none. */
  readonly tenant: Tenant | undefined
  readonly at: number
  readonly epoch: number
}

export interface CacheCounts {
  readonly hits: Window
  readonly misses: Window
  readonly errors: Window
  readonly stale: Window
  readonly hitMs: Window
  readonly missMs: Window
}

export interface Tenants {
  /** The tenant of a user; undefined where there is none. Throws CONNECTION_REFUSED and its like, UNKNOWN_REFERENCE. */
  find(user: string | number): Promise<Tenant | undefined>
  forget(user: string | number): void
  forgetAll(): void
  /** Entries end at once, and what is asked is kept for nobody, until a LISTEN connection is there again. */
  listening(now: boolean): void
  readonly counts: CacheCounts
  readonly size: () => number
  readonly maxsize: number
}

/** Users without a tenant are asked for again after a minute: accounts are made all the time. */
const negativeMs = 60_000
/** A tenant that the list does not have is looked for there once in so long. */
const relistMs = 5000
const unkept = -1
const usual = { maxsize: 10_000, ttlMs: 900_000 }

export interface TenantSources {
  readonly settings: Settings
  /** On the registry's connection, by its name for messages. */
  readonly registry: postgres.Sql
  readonly label: string
  readonly sqlOf: (id: string, address: TenantAddress) => Promise<postgres.Sql>
}

/** The tenants of users: one look-up for all who ask at once, then from memory. */
export function makeTenants({ settings, registry: sql, label, sqlOf }: TenantSources): Tenants {
  const { service, registry } = settings
  const maxsize = service.cache?.maxsize ?? usual.maxsize
  const ttlMs = service.cache === null ? usual.ttlMs : service.cache.ttlSeconds * 1000
  const staleMs = Math.max(ttlMs, (service.cache?.maxStalenessSeconds ?? 0) * 1000)
  const errorMs = staleMs + (service.cache?.staleIfErrorSeconds ?? 0) * 1000
  const counts: CacheCounts = {
    hits: makeWindow(),
    misses: makeWindow(),
    errors: makeWindow(),
    stale: makeWindow(),
    hitMs: makeWindow(),
    missMs: makeWindow(),
  }
  let epoch = 0
  let kept = registry?.notify === undefined
  let { tenants } = settings
  let listedAt = performance.now()
  let listing: Promise<void> | undefined
  const cache = new LRUCache<string, Entry>({
    max: maxsize,
    fetchMethod: async (user) => lookUp(user),
    // Those who asked before somebody was forgotten still get their answer; it is not kept.
    ignoreFetchAbort: true,
    noDeleteOnFetchRejection: true,
  })

  async function lookUp(user: string): Promise<Entry> {
    // Without LISTEN nobody tells of changes: an answer is none for the next who asks.
    const asked = { at: performance.now(), epoch: kept ? epoch : unkept }
    const [row] = await sql.unsafe<Record<string, unknown>[]>(registry?.lookup ?? '', [user], { prepare: true })
    counts.missMs.add(performance.now() - asked.at)
    if (row === undefined) return { ...asked, tenant: undefined }
    const [first] = Object.values(row)
    if (first === null || first === undefined) return { ...asked, tenant: undefined }
    const id = typeof first === 'string' ? first : JSON.stringify(first)
    return { ...asked, tenant: { id, row, sql: await sqlOf(id, await addressOf(id)) } }
  }

  async function addressOf(id: string): Promise<TenantAddress> {
    const old = performance.now() - listedAt
    if (old > (registry?.ttlMs ?? Infinity) || (!tenants.has(id) && old > relistMs)) await list()
    const found = tenants.get(id)
    if (found !== undefined) return found
    throw new PerfdbError('UNKNOWN_REFERENCE', `no tenant "${id}" is listed, and the look-up names it`, {
      hint: 'the statement of the registry lists the tenants, lookup the tenant of a user',
      place: registry?.place,
    })
  }

  async function list(): Promise<void> {
    listing ??= sql
      .unsafe<RegistryRow[]>(registry?.sql ?? '')
      .then(async (rows) => settings.tenantsOf(rows))
      .then((read) => {
        tenants = read
        listedAt = performance.now()
      })
      .finally(() => {
        listing = undefined
      })
    return listing
  }

  function ageOf(entry: Entry, now: number): number {
    return entry.epoch === epoch ? now - entry.at : Infinity
  }

  async function fetched(user: string, before: Entry | undefined): Promise<Tenant | undefined> {
    counts.misses.add(1)
    try {
      // One that was under way when something changed is asked again.
      for (let again = 0; ; again += 1) {
        const asked = kept ? epoch : unkept
        const entry = await cache.fetch(user, { forceRefresh: true })
        if (entry !== undefined && (entry.epoch >= asked || again >= 5)) return entry.tenant
      }
    } catch (cause) {
      counts.errors.add(1)
      if (before !== undefined && performance.now() - before.at < errorMs) {
        counts.stale.add(1)
        return before.tenant
      }
      const { code, message, hint, detail, sqlstate, place } = toPerfdbError(cause, { phase: 'query', label })
      throw new PerfdbError(code, `the look-up of a tenant: ${message}`, { hint, detail, sqlstate, place, cause })
    }
  }

  return {
    counts,
    maxsize,
    size: () => cache.size,
    async find(user) {
      const key = String(user)
      const now = performance.now()
      const entry = cache.get(key)
      if (entry !== undefined) {
        const age = ageOf(entry, now)
        if (age < (entry.tenant === undefined ? Math.min(ttlMs, negativeMs) : ttlMs)) {
          counts.hits.add(1)
          return entry.tenant
        }
        if (age < staleMs && entry.tenant !== undefined) {
          counts.hits.add(1)
          counts.stale.add(1)
          cache.fetch(key, { forceRefresh: true }).catch(() => counts.errors.add(1))
          return entry.tenant
        }
      }
      return fetched(key, entry)
    },
    forget(user) {
      cache.delete(String(user))
    },
    forgetAll() {
      epoch += 1
      listedAt = -Infinity
    },
    listening(now) {
      kept = now
      epoch += 1
      if (now) listedAt = -Infinity
    },
  }
}
