import type postgres from 'postgres'
import { PerfdbError } from '../errors.js'
import { toPerfdbError } from '../server/session/failure.js'
import type { WrittenPools } from '../pools/file/schema.js'
import type { Target } from '../server/target/target.js'
import type { Registry, RegistryRow } from '../tenants/tenant.js'
import { targetOf, type Address, type Environment } from './tenants/address.js'
import { makeAudit, warnOnce, type Audit } from './audit/audit.js'
import type { AuditRow } from './audit/audit-rows.js'
import { makeBudget } from './pool/budget.js'
import { healthOf, metricsOf, type Health, type Parts } from './health.js'
import { listen, type Listener } from './pool/listen.js'
import { blueprintOf, connectionMaker, poolOf } from './pool/make.js'
import type { Budget } from './pool/pool.js'
import { readSettings, type Settings, type TenantAddress } from './tenants/settings.js'
import { pooledSql } from './pool/sql.js'
import { makeTenants, type Tenant, type Tenants } from './tenants/tenants.js'

export interface OpenOptions {
  /** The pools file that check-pool judged: its path, or what it holds. */
  readonly file: string | WrittenPools
  /** One of its services. */
  readonly service: string
  /** For `${NAME}` in urls, PGPASSWORD and their likes; process.env when left out. */
  readonly environment?: Environment | undefined
  /** Told each audit row that the database refuses; a warning of the process when left out. */
  readonly onAuditError?: ((row: AuditRow, error: unknown) => void) | undefined
}

export interface Application {
  /** postgres.js on the service's own database. Throws BAD_VALUE where the file gives it none. */
  database(): postgres.Sql
  /** The tenant of a user, from memory where it is known; undefined where there is none. Throws what the look-up throws. */
  tenant(user: string | number): Promise<Tenant | undefined>
  /** The next look-up of this user, and of all, asks the registry. */
  forget(user: string | number): void
  forgetAll(): void
  readonly audit: {
    /**
     * Takes a row; resolves when it is in the queue, at once while there is room. It is written later, at least once. Throws AUDIT_FULL, POOL_CLOSED
     * after close(), and BAD_VALUE where the file declares no audit.table.
     */
    write(row: AuditRow): Promise<void>
  }
  health(): Health
  /** In the text format of Prometheus. */
  metrics(): string
  /** Writes what waits to be audited, lets queries end, closes all connections; after `deadline_ms` (10 s) without waiting. */
  close(options?: { readonly deadline_ms?: number | undefined }): Promise<Closed>
}

export interface Closed {
  /** Rows since the start: `written` were sent and accepted, `failed` refused by the database, `dropped` had no room or no time. */
  readonly audit: { readonly written: number; readonly failed: number; readonly dropped: number }
}

/** Opens a service on the caller's own postgres.js. Throws PerfdbError: what is wrong with the file, a registry that is not there. */
export async function openService(driver: typeof postgres, options: OpenOptions): Promise<Application> {
  const environment = options.environment ?? process.env
  const opened: Budget[] = []
  let lookUps: { readonly sql: postgres.Sql; readonly target: Target; readonly budget: Budget } | undefined

  async function registryOf(registry: Registry, name: string): Promise<NonNullable<typeof lookUps>> {
    if (lookUps !== undefined) return lookUps
    const { url, place } = registry
    const target = await targetOf({ url, database: null, role: null, owner: 'the registry', place }, environment)
    const budget = makeBudget({ limit: 1, acquireTimeoutMs: 10_000, idleTimeoutMs: null, maxLifetimeMs: 45 * 60_000 })
    opened.push(budget)
    const maker = connectionMaker(driver, target, budget.limits.maxLifetimeMs, {
      connection: { application_name: `${name} registry`, default_transaction_read_only: true },
    })
    const pool = poolOf('the registry of tenants', 1, maker)
    lookUps = { sql: pooledSql(blueprintOf(driver, {}), budget, pool), target, budget }
    return lookUps
  }
  const ask = async (registry: Registry): Promise<readonly RegistryRow[]> => {
    try {
      const { sql } = await registryOf(registry, options.service)
      return await sql.unsafe<RegistryRow[]>(registry.sql)
    } catch (cause) {
      const { code, message, hint, detail, sqlstate } = toPerfdbError(cause, {
        phase: 'connect',
        label: 'the registry',
      })
      throw new PerfdbError(code, message, { hint, detail, sqlstate, place: registry.place, cause })
    }
  }
  try {
    const settings = await readSettings(options.file, options.service, environment, ask)
    const registry =
      settings.registry !== undefined && settings.service.pool.perTenant
        ? await registryOf(settings.registry, options.service)
        : undefined
    return await application(driver, settings, environment, { registry, opened, options })
  } catch (error) {
    await Promise.all(opened.map(async (budget) => budget.close(0)))
    throw error
  }
}

interface Opened {
  readonly registry: { readonly sql: postgres.Sql; readonly target: Target } | undefined
  readonly opened: readonly Budget[]
  readonly options: OpenOptions
}

async function application(
  driver: typeof postgres,
  settings: Settings,
  environment: Environment,
  { registry, opened, options }: Opened,
): Promise<Application> {
  const { service, poolMax, maxLifetimeMs, idleTimeoutMs, acquireTimeoutMs } = settings
  const limits = { limit: settings.requests, acquireTimeoutMs, idleTimeoutMs, maxLifetimeMs }
  const requests = makeBudget(limits)
  const named = { connection: { application_name: service.applicationName ?? service.name } }
  const shown = {
    ...named,
    max: poolMax,
    prepare: settings.prepare,
    max_lifetime: maxLifetimeMs / 1000,
    ...(idleTimeoutMs !== null && { idle_timeout: idleTimeoutMs / 1000 }),
  }
  const blueprint = blueprintOf(driver, shown)
  const common = { prepare: settings.prepare }

  async function sqlOn(budget: Budget, name: string, max: number, address: Address): Promise<postgres.Sql> {
    const target = await targetOf(address, environment)
    return pooledSql(
      blueprint,
      budget,
      poolOf(name, max, connectionMaker(driver, target, maxLifetimeMs, { ...common, ...named })),
    )
  }

  const hasOwn = !service.pool.perTenant || (service.processMax !== null && service.server !== null)
  const own = hasOwn ? await sqlOn(requests, 'the database', poolMax, settings.database()) : undefined
  const { audit: auditSettings } = service
  const writer = auditSettings?.writer
  let audit: Audit | undefined
  let auditing: Budget | undefined
  if (auditSettings !== null && writer !== undefined) {
    const { workers, ownConnections } = auditSettings
    if (ownConnections) auditing = makeBudget({ ...limits, limit: workers })
    const sql = auditing === undefined ? own : await sqlOn(auditing, 'the audit workers', workers, settings.database())
    if (sql === undefined) settings.database()
    else audit = makeAudit(sql, auditSettings, writer, options.onAuditError ?? warnOnce())
  }

  let tenants: Tenants | undefined
  let listener: Listener | undefined
  let listenerConnections = 0
  if (registry !== undefined) {
    const pools = new Map<string, { readonly key: string; readonly sql: postgres.Sql }>()
    const sqlOf = async (id: string, address: TenantAddress): Promise<postgres.Sql> => {
      const key = JSON.stringify([address.url, address.database, address.role, address.schema])
      const known = pools.get(id)
      if (known?.key === key) return known.sql
      const target = await targetOf(address, environment)
      const path = address.schema === null ? {} : { search_path: `"${address.schema.replaceAll('"', '""')}"` }
      const maker = connectionMaker(driver, target, maxLifetimeMs, {
        ...common,
        connection: { ...named.connection, ...path },
      })
      const sql = pooledSql(blueprint, requests, poolOf(`tenant ${id}`, poolMax, maker))
      const again = pools.get(id)
      if (again?.key === key) return again.sql
      pools.set(id, { key, sql })
      return sql
    }
    const label = registry.target.label
    tenants = makeTenants({ settings, registry: registry.sql, label, sqlOf })
    const channel = settings.registry?.notify
    if (channel !== undefined) {
      const made = tenants
      listener = listen({
        channel,
        heard: (payload) => (payload === '' ? made.forgetAll() : made.forget(payload)),
        changed: (listening) => made.listening(listening),
        connect(heard, closed) {
          listenerConnections += 1
          const listening = {
            connection: { application_name: `${service.name} listen` },
            // Known to postgres.js, and not to its types.
            onnotify: (_channel: string, payload: string) => heard(payload),
          }
          const maker = connectionMaker(driver, registry.target, Infinity, listening)
          return maker(poolOf('LISTEN', 1, maker), () => {
            listenerConnections -= 1
            closed()
          })
        },
      })
      await listener.ready.catch((cause: unknown) => {
        throw toPerfdbError(cause, { phase: 'connect', label })
      })
    }
  }

  const parts: Parts = {
    requests,
    besides: [...opened, ...(auditing === undefined ? [] : [auditing])],
    listenerConnections: () => listenerConnections,
    processMax: settings.processMax,
    tenants,
    listening: () => listener?.isListening() ?? null,
    audit,
  }
  const missing = (what: string, hint: string) =>
    new PerfdbError('BAD_VALUE', `services.${service.name} ${what}`, { hint, place: service.place })
  return {
    database: () => own ?? fail(settings.database),
    async tenant(user) {
      if (tenants === undefined)
        throw missing('looks up no tenants', 'pool.per_tenant: true, and lookup beside registry under tenants')
      return tenants.find(user)
    },
    forget: (user) => tenants?.forget(user),
    forgetAll: () => tenants?.forgetAll(),
    audit: {
      async write(row) {
        if (audit === undefined)
          throw missing('has no audit.table', 'audit: { workers: 1, queue: 1000, table: audit_log }')
        return audit.write(row)
      },
    },
    health: () => healthOf(parts),
    metrics: () => metricsOf(parts),
    async close({ deadline_ms: deadlineMs = 10_000 } = {}) {
      const until = performance.now() + deadlineMs
      await audit?.close(deadlineMs)
      const left = Math.max(0, until - performance.now())
      await Promise.all([
        listener?.close(left),
        ...[requests, ...parts.besides].map(async (budget) => budget.close(left)),
      ])
      const { written, failed, dropped } = audit?.counts ?? {}
      return { audit: { written: written?.total ?? 0, failed: failed?.total ?? 0, dropped: dropped?.total ?? 0 } }
    },
  }
}

/** Says why there is none. */
function fail(database: Settings['database']): never {
  database()
  throw new PerfdbError('INTERNAL', 'a service without a database of its own')
}
