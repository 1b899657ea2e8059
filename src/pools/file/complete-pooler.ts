import type { Reporter } from './reporter.js'
import type { Server } from '../sums/model.js'
import { pgpoolMaxPool, poolerKind, proxyPercent, type PoolerKind } from '../sums/pooler-kinds.js'
import type { Alias, Pooler } from '../sums/pooler-model.js'
import { providerLimits } from '../sums/providers.js'
import type { WrittenPooler } from './schema.js'
import { several } from '../../text/amounts.js'
import { durationMs } from '../../text/units.js'

/**
 * A pooler with the defaults of its kind (sums/pooler-kinds.ts), and those of a provider's own pooler where its table has them. What neither
 * knows is in `unknown`. Problems are BAD_VALUE: more consoles than replicas, a key that its kind does not have.
 */
export function completePooler(
  name: string,
  written: WrittenPooler,
  servers: readonly Server[],
  reporter: Reporter,
): Pooler {
  const kind = poolerKind(written.kind)
  const aliases = aliasesOf(written)
  const own = written.kind === 'neon' || written.kind === 'supavisor' ? providerOf(aliases, servers) : null
  const adminUrls = typeof written.admin_url === 'string' ? [written.admin_url] : (written.admin_url ?? [])
  if (written.replicas !== undefined && adminUrls.length > written.replicas) {
    const message = `poolers.${name}: ${adminUrls.length} consoles are named, but ${several(written.replicas, 'replica')}`
    reporter.problem(['poolers', name, 'replicas'], message, `replicas: ${adminUrls.length}`)
  }
  foreignKeys(name, written, reporter)
  for (const alias of aliases.filter(({ server }) => server === '')) {
    const message = `poolers.${name}.databases.${alias.name}: the key "server" is missing`
    reporter.problem(['poolers', name, 'databases', alias.name], message, 'name one of servers')
  }
  const maxClientConn =
    written.max_client_conn ??
    written.client_max ??
    written.num_init_children ??
    own?.poolerClients ??
    kind.maxClientConn
  const size =
    written.default_pool_size ??
    written.pool_size ??
    written.num_init_children ??
    own?.poolerPoolSize ??
    kind.defaultPoolSize
  const poolMode = written.pool_mode ?? kind.poolMode
  return {
    name,
    kind: written.kind,
    ...(written.url !== undefined && { url: written.url }),
    adminUrls,
    replicas: written.replicas ?? Math.max(1, adminUrls.length),
    // The dearer of the two where nothing tells it.
    poolMode: poolMode ?? 'session',
    maxClientConn: maxClientConn ?? Infinity,
    defaultPoolSize: size ?? 0,
    reservePoolSize: written.reserve_pool_size ?? 0,
    minPoolSize: written.min_pool_size ?? 0,
    maxDbConnections: limitsBy(written.max_db_connections),
    maxUserConnections: { ...limitsBy(written.max_user_connections), ...userLimits(written) },
    aliases,
    users: Object.fromEntries(
      Object.entries(written.users ?? {}).map(([user, { pool_size: poolSize, reserve_pool_size: reserve }]) => [
        user,
        { poolSize: poolSize ?? null, reservePoolSize: reserve ?? null },
      ]),
    ),
    written: Object.keys(written),
    unknown: unknownOf(written.kind, kind, { poolMode, maxClientConn, size }, aliases),
    ...(written.kind === 'rds-proxy' && { maxConnectionsPercent: written.max_connections_percent ?? proxyPercent }),
    ...(written.kind === 'pgpool' && { maxPool: written.max_pool ?? pgpoolMaxPool }),
    cores: written.cores ?? null,
    maxPreparedStatements: written.max_prepared_statements ?? (kind.preparedStatements === true ? Infinity : null),
    queryWaitTimeoutMs: waitTimeoutMs(written, kind),
    serverLifetimeMs: kind.serverLifetimeMs,
    place: reporter.at(['poolers', name]),
  }
}

function aliasesOf(written: WrittenPooler): readonly Alias[] {
  const listed = Object.entries(written.databases ?? {}).map(([alias, entry]): Alias => ({
    name: alias,
    server: entry.server ?? written.server ?? '',
    database: entry.database ?? alias,
    user: entry.user ?? null,
    poolSize: entry.pool_size ?? null,
    reservePoolSize: entry.reserve_pool_size ?? null,
    users: entry.users ?? [],
  }))
  if (listed.length > 0 || written.server === undefined) return listed
  return [
    { name: '*', server: written.server, database: '*', user: null, poolSize: null, reservePoolSize: null, users: [] },
  ]
}

function providerOf(aliases: readonly Alias[], servers: readonly Server[]): ReturnType<typeof providerLimits> {
  const providers = servers
    .filter((server) => aliases.length === 0 || aliases.some((alias) => alias.server === server.name))
    .map((server) => server.provider)
  return providers.length === 1 && providers[0] ? providerLimits(providers[0].name, providers[0].size) : null
}

interface Sizes {
  readonly poolMode: string | null
  readonly maxClientConn: number | null
  readonly size: number | null
}

/** What decides the verdict and nobody has told. The proxy of RDS has no size of a pool; an alias may have its own. */
function unknownOf(
  name: WrittenPooler['kind'],
  kind: PoolerKind,
  { poolMode, maxClientConn, size }: Sizes,
  aliases: readonly Alias[],
): readonly string[] {
  const sized = name === 'rds-proxy' || (aliases.length > 0 && aliases.every((alias) => alias.poolSize !== null))
  return [
    ...(poolMode === null ? ['pool_mode'] : []),
    ...(maxClientConn === null ? [kind.clientKey] : []),
    ...(size === null && !sized ? [kind.sizeKey] : []),
  ]
}

/** Kinds that have a key; keys that are not listed all have. */
const ownKeys: Readonly<Partial<Record<keyof WrittenPooler, readonly WrittenPooler['kind'][]>>> = {
  max_connections_percent: ['rds-proxy'],
  borrow_timeout: ['rds-proxy'],
  num_init_children: ['pgpool'],
  max_pool: ['pgpool'],
  client_max: ['odyssey'],
  pool_size: ['odyssey', 'pgcat', 'supavisor'],
}

function foreignKeys(name: string, written: WrittenPooler, reporter: Reporter): void {
  for (const [key, kinds = []] of Object.entries(ownKeys)) {
    if (!(key in written) || kinds.includes(written.kind)) continue
    const message = `poolers.${name}: ${key} is no setting of ${written.kind}`
    const right =
      key === 'pool_size' ? 'default_pool_size, or pool_size of one of its databases' : `of ${kinds.join(', ')}`
    reporter.problem(['poolers', name, key], message, right)
  }
}

function waitTimeoutMs(written: WrittenPooler, kind: PoolerKind): number | null {
  const text = written.query_wait_timeout ?? written.borrow_timeout
  return text === undefined ? kind.queryWaitTimeoutMs : durationMs(text) || null
}

function userLimits({ users = {} }: WrittenPooler): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(users).flatMap(([user, { max_user_connections: most }]) =>
      most === undefined ? [] : [[user, most]],
    ),
  )
}

function limitsBy(written: number | Readonly<Record<string, number>> | undefined): Readonly<Record<string, number>> {
  return typeof written === 'number' ? { '*': written } : (written ?? {})
}
