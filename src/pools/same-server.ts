import type { Estate, PoolFinding, Server } from './model.js'
import type { Live } from './sessions.js'

/**
 * Servers of different names whose urls reach one and the same server, made one: the first name stays, their services, tenants and poolers
 * are added together, and so are their declared others. SAME_SERVER tells it.
 */
export function mergeSameServers(
  estate: Estate,
  lives: ReadonlyMap<string, Live>,
): { readonly estate: Estate; readonly findings: readonly PoolFinding[] } {
  const firsts = new Map<string, Server>()
  const renamed = new Map<string, string>()
  for (const server of estate.servers) {
    const identity = lives.get(server.name)?.identity
    if (identity === undefined) continue
    const first = firsts.get(identity)
    if (first === undefined) firsts.set(identity, server)
    else renamed.set(server.name, first.name)
  }
  if (renamed.size === 0) return { estate, findings: [] }
  const now = <Name extends string | null>(name: Name): Name | string =>
    name === null ? name : (renamed.get(name) ?? name)
  const merged = estate.servers
    .filter((server) => !renamed.has(server.name))
    .map((server) => ({
      ...withOthers(
        server,
        estate.servers.filter((other) => renamed.get(other.name) === server.name),
      ),
      of: now(server.of),
    }))
  return {
    estate: {
      servers: merged,
      tenants: estate.tenants.map((one) => ({ ...one, server: now(one.server) })),
      services: estate.services.map((one) => ({ ...one, server: now(one.server) })),
      poolers: estate.poolers.map((one) => ({
        ...one,
        aliases: one.aliases.map((alias) => ({ ...alias, server: now(alias.server) })),
      })),
    },
    findings: [...renamed].map(([other, first]) => ({
      code: 'SAME_SERVER',
      severity: 'info',
      server: first,
      message: `${other} and ${first} are one server: what both names open is added together`,
      place: estate.servers.find((server) => server.name === other)?.place ?? { file: '', line: 1, column: 1 },
    })),
  }
}

function withOthers(server: Server, others: readonly Server[]): Server {
  return others.reduce(
    (sum, other) => ({
      ...sum,
      otherConnections: sum.otherConnections + other.otherConnections,
      roles: { ...other.roles, ...sum.roles },
      databases: { ...other.databases, ...sum.databases },
      roleSettings: [...sum.roleSettings, ...other.roleSettings],
      memoryBytes: sum.memoryBytes ?? other.memoryBytes,
      cores: sum.cores ?? other.cores,
    }),
    server,
  )
}
