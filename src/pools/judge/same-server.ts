import type { Deployment, PoolFinding, Server } from '../sums/model.js'
import type { Live } from '../server/sessions.js'
import { addressOf } from '../../text/postgres-url.js'

/**
 * Servers of different names that are one and the same, made one: the first name stays, their services, tenants and poolers are added together,
 * and so are their declared others. A look at both tells it; where none was had, the same host and port in their urls do. SAME_SERVER tells it.
 */
export function mergeSameServers(
  deployment: Deployment,
  lives: ReadonlyMap<string, Live>,
): { readonly deployment: Deployment; readonly findings: readonly PoolFinding[] } {
  const renamed = namesOfOne(deployment.servers, lives)
  if (renamed.size === 0) return { deployment, findings: [] }
  const now = <Name extends string | null>(name: Name): Name | string =>
    name === null ? name : (renamed.get(name) ?? name)
  const merged = deployment.servers
    .filter((server) => !renamed.has(server.name))
    .map((server) => ({
      ...deployment.servers
        .filter((other) => renamed.get(other.name) === server.name)
        .reduce(
          (sum, other) => ({
            ...withFactsOf(sum, other),
            otherConnections: sum.otherConnections + other.otherConnections,
          }),
          server,
        ),
      of: now(server.of),
    }))
  return {
    deployment: {
      servers: merged,
      tenants: deployment.tenants.map((one) => ({ ...one, server: now(one.server) })),
      services: deployment.services.map((one) => ({
        ...one,
        server: now(one.server),
        lookup: one.lookup && { ...one.lookup, server: now(one.lookup.server) },
      })),
      poolers: deployment.poolers.map((one) => ({
        ...one,
        aliases: one.aliases.map((alias) => ({ ...alias, server: now(alias.server) })),
      })),
    },
    findings: [...renamed].map(([other, first]) => ({
      code: 'SAME_SERVER',
      severity: 'info',
      server: first,
      message: `${other} and ${first} are one server: what both names open is added together`,
      place: deployment.servers.find((server) => server.name === other)?.place ?? { file: '', line: 1, column: 1 },
    })),
  }
}

/** What one description of a server says, and what another one of it says besides. */
export function withFactsOf(server: Server, other: Server): Server {
  return {
    ...server,
    provider: server.provider ?? other.provider,
    maxConnections: server.maxConnections ?? other.maxConnections,
    superuserReserved: server.superuserReserved ?? other.superuserReserved,
    reserved: server.reserved ?? other.reserved,
    cores: server.cores ?? other.cores,
    memoryBytes: server.memoryBytes ?? other.memoryBytes,
    memorySettings: server.memorySettings ?? other.memorySettings,
    perfdbConnections: server.perfdbConnections ?? other.perfdbConnections,
    of: server.of ?? other.of,
    roles: { ...other.roles, ...server.roles },
    databases: { ...other.databases, ...server.databases },
    roleSettings: [...server.roleSettings, ...other.roleSettings],
  }
}

/** By every further name of a server its first one. */
function namesOfOne(servers: readonly Server[], lives: ReadonlyMap<string, Live>): ReadonlyMap<string, string> {
  const firsts = new Map<string, { readonly name: string; readonly system: string }[]>()
  const renamed = new Map<string, string>()
  for (const { name, url } of servers) {
    const identity = lives.get(name)?.identity ?? unseen(url)
    if (identity === null) continue
    const [, system = '', postmaster = ''] = /^([^/]*)\/(.*)$/.exec(identity) ?? []
    const known = firsts.get(postmaster) ?? []
    // A role that may not read the system identifier knows the start of the postmaster alone.
    const first = known.find((one) => one.system === system || one.system === '' || system === '')
    if (first === undefined) firsts.set(postmaster, [...known, { name, system }])
    else renamed.set(name, first.name)
  }
  return renamed
}

function unseen(url: string | null): string | null {
  const address = url === null ? null : addressOf(url)
  return address === null ? null : `/url ${address}`
}
