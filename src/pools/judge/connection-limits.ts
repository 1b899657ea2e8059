import { roleKind, type Budget } from './budget.js'
import { groupBy, targetsOf } from '../sums/demand.js'
import { openConnections, type PoolerPool } from '../sums/pooler.js'

/** CONNECTION LIMIT of a role or a database against what may be asked of it at the peak. */
export interface LimitUse {
  readonly kind: 'role' | 'database'
  readonly name: string
  readonly limit: number
  readonly peak: number
  readonly services: readonly string[]
}

/**
 * Every role and database of the budget that has a CONNECTION LIMIT: it binds ordinary roles only, replication not at all.
 * https://www.postgresql.org/docs/current/sql-createrole.html. Live limits win over the file's.
 */
export function limitUses(budget: Budget): readonly LimitUse[] {
  const { server, live } = budget
  const roleLimits = {
    ...mapValues(server.roles, (role) => role.connectionLimit),
    ...(live && mapValues(live.roles, (role) => role.connectionLimit)),
  }
  const databaseLimits = { ...server.databases, ...live?.databases }
  return [...uses(budget, 'role', roleLimits), ...uses(budget, 'database', databaseLimits)]
}

function uses(
  budget: Budget,
  kind: LimitUse['kind'],
  limits: Readonly<Record<string, number | null>>,
): readonly LimitUse[] {
  const limited = new Map(
    Object.entries(limits).flatMap(([name, limit]) =>
      limit === null || (kind === 'role' && isSuperuser(budget, name)) ? [] : [[name, limit] as const],
    ),
  )
  const peaks = new Map<string, { peak: number; services: Set<string> }>()
  const add = (name: string | null, peak: number, service: string) => {
    if (name === null || !limited.has(name)) return
    const known = peaks.get(name) ?? { peak: 0, services: new Set() }
    known.peak += peak
    known.services.add(service)
    peaks.set(name, known)
  }
  if (limited.size === 0) return []
  for (const row of directRows(budget)) {
    const ordinary = targetsOf(row, (one) => limited.has(one[kind] ?? '')).filter(
      ({ role }) => !isSuperuser(budget, role),
    )
    // Tenants of one name take no more than all of the row, of which few may be active at once.
    for (const [name, own] of groupBy(ordinary, (target) => target[kind]))
      add(name, Math.min(row.peak, sum(own.map(({ peak }) => peak))), row.service.name)
  }
  for (const { pooler, pools } of budget.lines) {
    if (pooler === null) continue
    const ordinary = pools.filter((pool) => !isSuperuser(budget, pool.user))
    for (const [name, own] of groupBy(ordinary, (pool) => nameIn(pool, kind)))
      if (limited.has(name)) add(name, openConnections(pooler, own), pooler.name)
  }
  return [...limited].flatMap(([name, limit]): readonly LimitUse[] => {
    const use = peaks.get(name)
    return use === undefined ? [] : [{ kind, name, limit, peak: use.peak, services: [...use.services] }]
  })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

function directRows(budget: Budget): Budget['rows'] {
  return budget.rows.filter((row) => row.service.via.kind === 'direct')
}

function nameIn(pool: PoolerPool, kind: LimitUse['kind']): string {
  return kind === 'role' ? pool.user : pool.alias.database
}

function isSuperuser({ server, live }: Budget, role: string | null): boolean {
  return role !== null && roleKind(server, live, role) === 'superuser'
}

function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  change: (value: In) => Out,
): Readonly<Record<string, Out>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
}
