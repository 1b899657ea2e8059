import { setTimeout as pause } from 'node:timers/promises'
import type { Session } from '../server/session.js'
import type { Limits } from './capacity.js'
import type { MemorySettings, RoleKind, RoleLimit } from './model.js'
import type { Live, LiveSample, SessionGroup } from './sessions.js'

export interface Sampling {
  /** Looks at pg_stat_activity; the worst of them counts. */
  readonly samples: number
  readonly intervalMs: number
}

/** Five looks in four seconds: pools that open a connection for each request are seen at work. */
export const usualSampling: Sampling = { samples: 5, intervalMs: 1000 }

/**
 * Slots, limits and sessions of the server of a session, which itself is not counted. One connection, read only, works for any role: what
 * it may not see is counted as an upper bound (`hidden`). Throws what Session.query throws.
 */
export async function readLive(session: Session, sampling: Sampling = usualSampling): Promise<Live> {
  const settings = new Map(
    (await session.query<SettingRow>(settingsSql)).map(({ name, value }) => [name, Number(value)]),
  )
  const [about] = await session.query<AboutRow>(aboutSql)
  const roles = await session.query<RoleRow>(rolesSql(session.versionNum))
  const databases = await session.query<DatabaseRow>(databasesSql)
  return {
    version: session.version,
    versionNum: session.versionNum,
    user: about?.role ?? '',
    seesAll: about?.sees_all ?? false,
    limits: limitsOf(settings),
    roles: Object.fromEntries(
      roles.map((row): [string, RoleLimit] => [
        row.name,
        { kind: kindOf(row), connectionLimit: unlimited(row.connection_limit) },
      ]),
    ),
    databases: Object.fromEntries(databases.map((row) => [row.name, unlimited(row.connection_limit)])),
    memory: memoryOf(settings),
    timeouts: {
      idleInTransactionMs: settings.get('idle_in_transaction_session_timeout') ?? 0,
      idleSessionMs: settings.get('idle_session_timeout') ?? 0,
      statementMs: settings.get('statement_timeout') ?? 0,
    },
    inRecovery: about?.in_recovery ?? false,
    samples: await takeSamples(session, sampling),
  }
}

interface SettingRow {
  readonly name: string
  readonly value: string
}

interface AboutRow {
  readonly role: string
  readonly sees_all: boolean
  readonly in_recovery: boolean
}

interface RoleRow {
  readonly name: string
  readonly connection_limit: number
  readonly superuser: boolean
  readonly reserved: boolean
}

interface DatabaseRow {
  readonly name: string
  readonly connection_limit: number
}

interface ActivityRow {
  readonly role: string | null
  readonly database: string | null
  readonly application_name: string | null
  readonly connections: number
  readonly hidden: number
}

/** reset_val: perfdb's own session has other timeouts. Managed servers keep slots under names of their own, such as rds.*. */
const settingsSql = `select name,
    case when unit = '8kB' then reset_val::numeric * 8192 when unit = 'kB' then reset_val::numeric * 1024 else reset_val::numeric end::text as value
  from pg_catalog.pg_settings
  where vartype in ('integer', 'real') and (name ~ 'reserved_connections$' or name in ('max_connections', 'shared_buffers', 'work_mem',
    'maintenance_work_mem', 'autovacuum_max_workers', 'hash_mem_multiplier', 'idle_in_transaction_session_timeout',
    'idle_session_timeout', 'statement_timeout'))`

const aboutSql = `select current_user::text as role, pg_catalog.pg_is_in_recovery() as in_recovery,
  pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_all`

/** The predefined role exists from 16 on. */
function rolesSql(versionNum: number): string {
  const reserved =
    versionNum >= 160000 ? `pg_catalog.pg_has_role(oid, 'pg_use_reserved_connections', 'usage')` : 'false'
  return `select rolname as name, rolconnlimit as connection_limit, rolsuper as superuser, ${reserved} as reserved
    from pg_catalog.pg_roles where rolcanlogin`
}

const databasesSql = `select datname as name, datconnlimit as connection_limit from pg_catalog.pg_database where datallowconn`

/**
 * Only client backends hold slots; parallel workers, walsenders and the server's own processes do not. Without pg_read_all_stats the
 * kind of others' sessions is null, as is their application: a filter on backend_type alone would count nobody else. From 18
 * on a connection that authenticates is visible as a client backend without role and database; before, it is not at all.
 */
const activitySql = `select usename::text as role, datname::text as database, application_name,
    count(*) filter (where backend_type = 'client backend')::int as connections,
    count(*) filter (where backend_type is null)::int as hidden
  from pg_catalog.pg_stat_activity
  where pid <> pg_catalog.pg_backend_pid()
    and (backend_type = 'client backend' or (backend_type is null and datid is not null and usesysid is not null))
  group by usename, datname, application_name`

async function takeSamples(session: Session, { samples, intervalMs }: Sampling): Promise<readonly LiveSample[]> {
  const taken: LiveSample[] = []
  while (taken.length < Math.max(1, samples)) {
    if (taken.length > 0) await pause(intervalMs)
    taken.push(sampleOf(await session.query<ActivityRow>(activitySql)))
  }
  return taken
}

function sampleOf(rows: readonly ActivityRow[]): LiveSample {
  const groups = rows.flatMap(
    ({ role, database, application_name: applicationName, connections, hidden }): readonly SessionGroup[] =>
      role === null || database === null ? [] : [{ role, database, applicationName, connections, hidden }],
  )
  const authenticating = rows.filter((row) => row.role === null || row.database === null)
  return { groups, authenticating: authenticating.reduce((sum, row) => sum + row.connections, 0) }
}

function limitsOf(settings: ReadonlyMap<string, number>): Limits {
  const standard = ['superuser_reserved_connections', 'reserved_connections']
  const others = [...settings].filter(([name]) => name.endsWith('reserved_connections') && !standard.includes(name))
  return {
    maxConnections: settings.get('max_connections') ?? 0,
    superuserReserved: settings.get('superuser_reserved_connections') ?? 0,
    reserved: settings.get('reserved_connections') ?? 0,
    providerReserved: others.reduce((sum, [, value]) => sum + value, 0),
    source: 'live',
  }
}

function memoryOf(settings: ReadonlyMap<string, number>): MemorySettings {
  return {
    sharedBuffers: settings.get('shared_buffers') ?? 0,
    workMem: settings.get('work_mem') ?? 0,
    maintenanceWorkMem: settings.get('maintenance_work_mem') ?? 0,
    autovacuumWorkers: settings.get('autovacuum_max_workers') ?? 0,
    hashMemMultiplier: settings.get('hash_mem_multiplier') ?? 1,
  }
}

function kindOf({ superuser, reserved }: RoleRow): RoleKind {
  if (superuser) return 'superuser'
  return reserved ? 'reserved' : 'ordinary'
}

/** -1 is no limit, -2 an invalid database. */
function unlimited(limit: number): number | null {
  return limit < 0 ? null : limit
}
