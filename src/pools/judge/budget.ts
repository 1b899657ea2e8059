import { capacity, limitsOf, type SlotLimits } from '../sums/capacity.js'
import { groupBy, targetsOf, type Demand, allDemands } from '../sums/demand.js'
import type { Deployment, RoleKind, Server, Service } from '../sums/model.js'
import type { Pooler } from '../sums/pooler-model.js'
import { proxyPercent } from '../sums/pooler-kinds.js'
import { poolerDemands, type PoolerDemand, type PoolerPool } from '../sums/pooler.js'
import { patternsOn, widestPattern, type Live, type Matched, type Pattern } from '../server/sessions.js'

/** Connections that one service (direct) or one pooler opens on the server. */
export interface BudgetLine {
  readonly name: string
  readonly service: Service | null
  readonly pooler: Pooler | null
  readonly pools: readonly PoolerPool[]
  readonly steady: number
  readonly peak: number
  readonly warm: number
  readonly nominal: number
  /** A pooler that nothing bounds but the number of its clients. */
  readonly unbounded?: true
}

/** Everything that takes slots of one server, and what it has. All counts are connections. */
export interface Budget {
  readonly server: Server
  readonly live: Live | null
  /** null when neither the file nor the server tells max_connections. */
  readonly limits: SlotLimits | null
  /** Slots of the least privileged role that connects; 0 without limits. */
  readonly capacity: number
  readonly lines: readonly BudgetLine[]
  /** Declared others, and how many sessions beyond them nobody declared. */
  readonly other: number
  readonly unmanaged: number
  readonly perfdb: number
  readonly declared: { readonly steady: number; readonly peak: number }
  readonly total: { readonly steady: number; readonly peak: number }
  readonly matched: Matched | null
  /** How declared sessions look; empty without a look. */
  readonly patterns: readonly Pattern[]
  /** Rows of demand that name this server, through poolers too, and those of the whole deployment. */
  readonly rows: readonly Demand[]
  readonly allRows: readonly Demand[]
  /** Of all servers, to judge a change whole. */
  readonly lives: ReadonlyMap<string, Live>
}

/** perfdb's connections while it applies: control, builder, monitor. */
export const perfdbConnections = 3

/**
 * One budget for each server of the deployment: services, poolers, declared others, live undeclared sessions and perfdb itself against
 * what max_connections leaves. Sessions that nobody declared first use up `other_connections`, and count beyond it.
 */
export function budgets(deployment: Deployment, lives: ReadonlyMap<string, Live> = new Map()): readonly Budget[] {
  const rows = allDemands(deployment)
  const rowsByServer = groupBy(rows, (row) => row.server)
  const poolersByServer = groupBy(poolerDemands(deployment, rows), (one) => one.server)
  return deployment.servers.map((server) =>
    budgetOf(server, deployment, lives, {
      all: rows,
      here: rowsByServer.get(server.name) ?? [],
      poolers: poolersByServer.get(server.name) ?? [],
    }),
  )
}

/** Demand that reaches a server, and that of the whole deployment. */
interface Reaching {
  readonly all: readonly Demand[]
  readonly here: readonly Demand[]
  readonly poolers: readonly PoolerDemand[]
}

function budgetOf(server: Server, deployment: Deployment, lives: ReadonlyMap<string, Live>, rows: Reaching): Budget {
  const live = lives.get(server.name) ?? null
  const limits = limitsOf(server, live?.limits ?? null)
  const lines = linesOn(rows, limits)
  const patterns = live === null ? [] : patternsOn(server.name, rows.all, deployment.poolers)
  const perfdb = server.perfdbConnections ?? (live === null ? 0 : perfdbConnections)
  const match = live === null ? null : widestPattern(live.samples, patterns, peaksByName(lines), perfdb)
  const unmanaged = Math.max(0, (match?.unmanaged ?? 0) - server.otherConnections)
  const steady = total(lines, 'steady') + server.otherConnections
  const peak = total(lines, 'peak') + server.otherConnections
  return {
    server,
    live,
    limits,
    capacity: limits === null ? 0 : capacity(limits, leastKind(server, live, rows.here, lines)),
    lines,
    other: server.otherConnections,
    unmanaged,
    perfdb,
    declared: { steady, peak },
    total: { steady: steady + unmanaged + perfdb, peak: peak + unmanaged + perfdb },
    matched: match,
    patterns,
    rows: rows.here,
    allRows: rows.all,
    lives,
  }
}

/** A service and a pooler may have one name. */
function peaksByName(lines: readonly BudgetLine[]): ReadonlyMap<string, number> {
  return new Map([...groupBy(lines, (line) => line.name)].map(([name, same]) => [name, total(same, 'peak')]))
}

function linesOn({ here, poolers }: Reaching, limits: SlotLimits | null): readonly BudgetLine[] {
  const direct = groupBy(
    here.filter((row) => row.service.via.kind === 'direct'),
    (row) => row.service,
  )
  const services = [...direct].map(([service, own]): BudgetLine => {
    const part = {
      steady: total(own, 'steady'),
      peak: total(own, 'peak'),
      warm: total(own, 'warm'),
      nominal: total(own, 'nominal'),
    }
    return { name: service.name, service, pooler: null, pools: [], ...part }
  })
  const pooled = poolers.map(({ pooler, pools, connections, unbounded }): BudgetLine => {
    const opened = Math.min(connections, proxyLimit(pooler, limits))
    const least = pooler.replicas * pools.length * (pooler.minPoolSize ?? 0)
    return {
      name: pooler.name,
      service: null,
      pooler,
      pools,
      steady: opened,
      peak: opened,
      warm: Math.min(opened, least),
      nominal: connections,
      ...(unbounded && { unbounded }),
    }
  })
  return [...services, ...pooled]
}

/** What the proxy of RDS may open on a server: MaxConnectionsPercent of its max_connections; Infinity for others. */
export function proxyLimit({ kind, maxConnectionsPercent = proxyPercent }: Pooler, limits: SlotLimits | null): number {
  if (kind !== 'rds-proxy' || limits === null) return Infinity
  return Math.max(1, Math.floor((limits.maxConnections * maxConnectionsPercent) / 100))
}

/** Superusers may use the reserve, others may not: the least privileged role decides what there is. */
function leastKind(server: Server, live: Live | null, rows: readonly Demand[], lines: readonly BudgetLine[]): RoleKind {
  const kinds = new Set<RoleKind>()
  const see = (role: string | null) => kinds.add(role === null ? 'ordinary' : roleKind(server, live, role))
  for (const line of lines) for (const pool of line.pools) see(pool.user)
  for (const row of rows) {
    if (kinds.has('ordinary')) break
    if (row.service.via.kind === 'direct') for (const target of targetsOf(row)) see(target.role)
  }
  if (kinds.size === 0 || kinds.has('ordinary')) return 'ordinary'
  return kinds.has('reserved') ? 'reserved' : 'superuser'
}

/** Kind of a login role: what the server says, else the file, else ordinary. */
export function roleKind(server: Server, live: Live | null, role: string): RoleKind {
  return live?.roles[role]?.kind ?? server.roles[role]?.kind ?? 'ordinary'
}

function total<Key extends string>(rows: readonly Readonly<Record<Key, number>>[], key: Key): number {
  return rows.reduce((sum, row) => sum + row[key], 0)
}
