import { PerfdbError } from '../../errors.js'
import type { FleetTenant } from '../../commands/fleet/fleet.js'
import type { Session } from '../../server/session/session.js'
import { freeSlotsSql } from '../../sql/catalog/tenants.js'
import type { Asked } from '../../tenants/read.js'
import type { TenantRow } from '../../tenants/tenant.js'
import { resolveUrl } from '../../text/url-environment.js'
import { usualConnection } from '../../commands/shared/registry.js'

interface Known extends FleetTenant {
  readonly row: TenantRow
}

export interface Door {
  /** Asked of each session of a tenant before it is used; throws SAME_DATABASE, where another tenant, or the registry, lives there. */
  admit(tenant: Known, session: Session): Promise<void>
  /** Slots of a server that nobody held when it was first looked at; no limit before. */
  free(server: string): number
}

/** What is known of all tenants together: no two are one database, and no server gets more sessions than it has room for. */
export function doorOf(registries: readonly Asked[], environment: Readonly<Record<string, string | undefined>>): Door {
  const owners = new Map<string, string>()
  const admitted = new Set<string>()
  const free = new Map<string, number>()
  const masters = once(async () => {
    // The schemas of a database are tenants of it: only a registry is nobody's.
    const own = registries.filter(({ registry }) => registry.urlTemplate !== registry.url)
    return new Set(
      await Promise.all(
        own.map(async ({ registry }) => masterOf(resolveUrl(registry.url, environment, registry.place))),
      ),
    )
  })
  const masterOf = async (url: string) => {
    try {
      await using session = await usualConnection(url, environment)
      return session.identity
    } catch {
      // It was asked a moment ago, or its last answer counts: then nobody knows.
      return ''
    }
  }
  return {
    free: (server) => free.get(server) ?? Infinity,
    async admit({ id, server, schema, row }, session) {
      if (admitted.has(id)) return
      if (!free.has(server)) {
        free.set(server, Infinity)
        const [slots] = await session.query<{ free: number }>(freeSlotsSql)
        free.set(server, slots?.free ?? Infinity)
      }
      const { identity } = session
      const { place } = row.tenant
      if (registries.length > 0 && (await masters()).has(identity))
        throw new PerfdbError('SAME_DATABASE', `tenant ${id} is the master database of the registry`, {
          hint: 'leave it out of the list: --exclude, or in the statement of the registry',
          place,
        })
      const key = JSON.stringify([identity, schema])
      const owner = owners.get(key) ?? id
      if (owner !== id)
        throw new PerfdbError('SAME_DATABASE', `tenant ${id} is the same database as tenant ${owner}`, { place })
      owners.set(key, id)
      admitted.add(id)
    },
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return async () => (answer ??= work())
}
