import { roleKind, type Budget } from './budget.js'
import { serverConnections, type PoolerPool } from './pooler.js'

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
  return Object.entries(limits).flatMap(([name, limit]) => {
    if (limit === null) return []
    if (kind === 'role' && isSuperuser(budget, name)) return []
    const direct = directRows(budget).filter((row) => row[kind] === name && !isSuperuser(budget, row.role))
    const pooled = budget.lines.flatMap(({ pooler, pools }) => {
      const own = pools.filter((pool) => nameIn(pool, kind) === name && !isSuperuser(budget, pool.user))
      return pooler === null || own.length === 0
        ? []
        : [{ name: pooler.name, connections: serverConnections(pooler, own) }]
    })
    const peak =
      direct.reduce((sum, row) => sum + row.peak, 0) + pooled.reduce((sum, { connections }) => sum + connections, 0)
    const services = [...new Set([...direct.map((row) => row.service.name), ...pooled.map((line) => line.name)])]
    return services.length === 0 ? [] : [{ kind, name, limit, peak, services }]
  })
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
