import { basename } from 'node:path'
import type { Problem } from '../../errors.js'
import { groupBy } from '../sums/demand.js'
import type { Deployment, PoolsFile, Server, Service } from '../sums/model.js'
import type { Tenant } from '../../tenants/tenant.js'
import type { Pooler } from '../sums/pooler-model.js'
import { aliasOf } from '../sums/pooler.js'
import { withFactsOf } from '../judge/same-server.js'

/**
 * Resolves every name of several files read together: first in its own file, then in the only other file that declares it, so that teams
 * may keep their services beside one file of servers. Servers of one name and one url are one server; those of one name and different
 * urls, and services of one name, get their file's name. Codes: UNKNOWN_REFERENCE.
 */
export function resolvePools(files: readonly PoolsFile[]): {
  readonly files: readonly PoolsFile[]
  readonly problems: readonly Problem[]
} {
  const problems: Problem[] = []
  const serverIds = identities(
    files,
    (file) => file.servers,
    (server) => server.url ?? undefined,
  )
  const poolerIds = identities(
    files,
    (file) => file.poolers,
    () => undefined,
  )
  const serviceIds = identities(
    files,
    (file) => file.services,
    () => undefined,
  )
  const resolved = files.map((file): PoolsFile => {
    const find = (
      ids: Identities,
      what: string,
      name: string,
      of: { readonly place: Problem['place'] },
      owner: string,
    ): string => {
      const id = idOf(ids, file, name)
      if (id === null) problems.push(unknown(what, name, owner, of.place, namesIn(ids)))
      return id ?? name
    }
    const server = (name: string, of: { readonly place: Problem['place'] }, owner: string) =>
      find(serverIds, 'server', name, of, owner)
    return {
      ...file,
      servers: file.servers.map((one): Server => ({
        ...one,
        name: server(one.name, one, one.name),
        of: one.of === null ? null : server(one.of, one, one.name),
      })),
      tenants: file.tenants.map((one): Tenant => ({ ...one, server: server(one.server, one, `tenant ${one.id}`) })),
      poolers: file.poolers.map((one): Pooler => ({
        ...one,
        name: find(poolerIds, 'pooler', one.name, one, one.name),
        aliases: one.aliases.map((alias) => ({
          ...alias,
          server: server(alias.server, one, `${one.name}.databases.${alias.name}`),
        })),
      })),
      services: file.services.map((one): Service => ({
        ...one,
        name: serviceIds.get(file)?.get(one.name) ?? one.name,
        server: one.server === null ? null : server(one.server, one, one.name),
        lookup: one.lookup && { ...one.lookup, server: server(one.lookup.server, one, one.name) },
        via:
          one.via.kind === 'pooler'
            ? { kind: 'pooler', pooler: find(poolerIds, 'pooler', one.via.pooler, one, one.name) }
            : one.via,
      })),
    }
  })
  return { files: withSharedServers(resolved), problems }
}

/** A server that several files describe stands in the first of them, with what all say; the largest of their `other_connections` counts. */
function withSharedServers(files: readonly PoolsFile[]): readonly PoolsFile[] {
  const all = groupBy(
    files.flatMap((file) => file.servers),
    (server) => server.name,
  )
  const seen = new Set<string>()
  return files.map((file) => ({
    ...file,
    servers: file.servers.flatMap(({ name }): readonly Server[] => {
      const [first, ...others] = all.get(name) ?? []
      if (first === undefined || seen.has(name)) return []
      seen.add(name)
      return [
        others.reduce(
          (sum, other) => ({
            ...withFactsOf(sum, other),
            otherConnections: Math.max(sum.otherConnections, other.otherConnections),
          }),
          first,
        ),
      ]
    }),
  }))
}

/** All files as one deployment: servers are shared by everybody who names them. */
export function mergeEstates(files: readonly Deployment[]): Deployment {
  return {
    servers: files.flatMap((file) => file.servers),
    tenants: files.flatMap((file) => file.tenants),
    services: files.flatMap((file) => file.services),
    poolers: files.flatMap((file) => file.poolers),
  }
}

/** By file, then by name as written: the name that is unique over all files. */
type Identities = ReadonlyMap<PoolsFile, ReadonlyMap<string, string>>

function identities<Named extends { readonly name: string }>(
  files: readonly PoolsFile[],
  of: (file: PoolsFile) => readonly Named[],
  sameness: (one: Named) => string | undefined,
): Identities {
  const all = files.flatMap((file) =>
    of(file).map((one) => ({ file, name: one.name, same: sameness(one) ?? file.file })),
  )
  return new Map(
    files.map((file) => {
      const own = all.filter((one) => one.file === file)
      const ids = own.map(({ name, same }): [string, string] => {
        const shared = all.every((other) => other.name !== name || other.same === same)
        return [name, shared ? name : `${name} (${basename(file.file)})`]
      })
      return [file, new Map(ids)]
    }),
  )
}

function idOf(ids: Identities, file: PoolsFile, name: string): string | null {
  const own = ids.get(file)?.get(name)
  if (own !== undefined) return own
  const others = new Set([...ids.values()].flatMap((names) => names.get(name) ?? []))
  const [only] = others
  return others.size === 1 && only !== undefined ? only : null
}

function namesIn(ids: Identities): readonly string[] {
  return [...new Set([...ids.values()].flatMap((names) => [...names.keys()]))]
}

function unknown(
  what: string,
  name: string,
  owner: string,
  place: Problem['place'],
  known: readonly string[],
): Problem {
  const hint = known.length === 0 ? `no ${what} is declared` : `declared: ${known.join(', ')}`
  return { code: 'UNKNOWN_REFERENCE', message: `${owner}: no ${what} "${name}"`, hint, place }
}

/** References that need the whole deployment: roles of a server that lists its roles, aliases of a pooler, tenants at all. */
export function referenceProblems(deployment: Deployment, tenantsUnknown = false): readonly Problem[] {
  return [
    ...deployment.services.flatMap((service) => serviceProblems(service, deployment, tenantsUnknown)),
    ...deployment.poolers.flatMap((pooler) => poolerProblems(pooler, deployment)),
  ]
}

function serviceProblems(service: Service, deployment: Deployment, tenantsUnknown: boolean): readonly Problem[] {
  const { via, role, place, name } = service
  const problems: Problem[] = []
  const roles = Object.keys(deployment.servers.find((server) => server.name === service.server)?.roles ?? {})
  if (via.kind === 'direct' && role !== null && roles.length > 0 && !roles.includes(role) && !service.pool.perTenant) {
    problems.push(unknown('role', role, name, place, roles))
  }
  if (service.pool.perTenant && deployment.tenants.length === 0 && !tenantsUnknown) {
    problems.push({ code: 'UNKNOWN_REFERENCE', message: `${name}: per_tenant, but no tenants are declared`, place })
  }
  const pooler = via.kind === 'pooler' ? deployment.poolers.find((one) => one.name === via.pooler) : undefined
  if (pooler && !service.pool.perTenant && aliasOf(pooler, service) === null) {
    const known = pooler.aliases.map((alias) => alias.name)
    problems.push(unknown(`database of ${pooler.name}`, service.database ?? '', name, place, known))
  }
  return problems
}

function poolerProblems(pooler: Pooler, deployment: Deployment): readonly Problem[] {
  const aliases = pooler.aliases.map((alias) => alias.name)
  const users = [
    ...pooler.aliases.flatMap((alias) => [...(alias.user === null ? [] : [alias.user]), ...alias.users]),
    ...Object.keys(pooler.users),
    ...deployment.services.flatMap((service) => service.role ?? []),
    ...deployment.tenants.flatMap((tenant) => tenant.role ?? []),
  ]
  const foreign = (limits: Readonly<Record<string, number>>, known: readonly string[]) =>
    Object.keys(limits).filter((name) => name !== '*' && !known.includes(name))
  return [
    ...(aliases.length === 0 ? [] : foreign(pooler.maxDbConnections, aliases)).map((name) =>
      unknown('database', name, `${pooler.name}.max_db_connections`, pooler.place, aliases),
    ),
    ...foreign(pooler.maxUserConnections, users).map((name) =>
      unknown('role', name, `${pooler.name}.max_user_connections`, pooler.place, [...new Set(users)]),
    ),
  ]
}
