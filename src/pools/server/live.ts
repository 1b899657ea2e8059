import { setTimeout as pause } from 'node:timers/promises'
import type { Session } from '../../server/session/session.js'
import {
  aboutServerSql,
  activitySql,
  databaseLimitsSql,
  keptLocksSql,
  loginRolesSql,
  roleSettingsSql,
  slotSettingsSql,
  systemIdentifierSql,
  workSql,
} from '../../sql/catalog/server-slots.js'
import { capacity, type SlotLimits } from '../sums/capacity.js'
import { loadBetween, type Work } from './measured-load.js'
import type { MemorySettings } from '../sums/memory.js'
import type { RoleKind, RoleLimit } from '../sums/model.js'
import { connectionsOf, type Live, type LiveFacts, type LiveSample, type SessionGroup } from './sessions.js'

export interface Sampling {
  /** Looks at pg_stat_activity; the worst of them counts. */
  readonly samples: number
  readonly intervalMs: number
}

/** Five looks in four seconds: pools that open a connection for each request are seen at work. */
export const usualSampling: Sampling = { samples: 5, intervalMs: 1000 }

/**
 * Slots, limits and sessions of the server of a session, which itself is not counted. One connection, read only, works for any role: what
 * it may not see is counted as an upper bound (`hidden`). A look that finds the session on the last slot is the last one: it is to be closed at
 * once. Throws what Session.query throws.
 */
export async function readLive(session: Session, sampling: Sampling = usualSampling): Promise<Live> {
  const first = await takeSample(session)
  const facts = await readFacts(session)
  if (isLastSlot(facts, first)) return { ...facts, samples: [first], load: {} }
  const before = await readWork(session)
  const samples = [first]
  while (samples.length < sampling.samples) {
    await pause(sampling.intervalMs)
    const sample = await takeSample(session)
    samples.push(sample)
    if (isLastSlot(facts, sample)) return { ...facts, samples, load: {} }
  }
  const load = sampling.samples < 2 ? {} : loadBetween(before, await readWork(session))
  return { ...facts, samples, load }
}

/** Everything about a server that stays as it is while sessions come and go. */
export async function readFacts(session: Session): Promise<LiveFacts> {
  const settings = new Map(
    (await session.query<SettingRow>(slotSettingsSql)).map(({ name, value }) => [name, Number(value)]),
  )
  const [about] = await session.query<AboutRow>(aboutServerSql)
  const roles = await session.query<RoleRow>(loginRolesSql(session.versionNum))
  const databases = await session.query<DatabaseRow>(databaseLimitsSql)
  const [system] = about?.knows_system === true ? await session.query<{ system: string }>(systemIdentifierSql) : []
  return {
    version: session.version,
    versionNum: session.versionNum,
    identity: `${system?.system ?? ''}/${about?.postmaster ?? session.label}`,
    user: about?.role ?? '',
    database: about?.database ?? '',
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
      authenticationMs: (settings.get('authentication_timeout') ?? 60) * 1000,
    },
    roleSettings: await session.query(roleSettingsSql),
    keptLocks: (await session.query<KeptLocksRow>(keptLocksSql)).map(
      ({ application_name: applicationName, ...row }): SessionGroup => ({
        ...row,
        applicationName,
        busy: 0,
        hidden: 0,
      }),
    ),
    inRecovery: about?.in_recovery ?? false,
  }
}

/** One look at the sessions of a server, without its own. */
export async function takeSample(session: Session): Promise<LiveSample> {
  const rows = await session.query<ActivityRow>(activitySql)
  const groups = rows.flatMap(
    ({ role, database, application_name: applicationName, connections, busy, hidden }): readonly SessionGroup[] =>
      role === null || database === null ? [] : [{ role, database, applicationName, connections, busy, hidden }],
  )
  const authenticating = rows.filter((row) => row.role === null || row.database === null)
  return { groups, authenticating: authenticating.reduce((sum, row) => sum + row.connections, 0) }
}

/** True when an application finds no slot as long as this session stays: none of the server, of the session's role or of its database. */
export function isLastSlot({ limits, user, database, roles, databases }: LiveFacts, sample: LiveSample): boolean {
  if (connectionsOf(sample) + 1 >= capacity(limits)) return true
  // CONNECTION LIMIT does not bind superusers.
  const ordinary = sample.groups.filter((group) => roles[group.role]?.kind !== 'superuser')
  const taken = (own: (group: SessionGroup) => boolean) =>
    connectionsOf({ groups: ordinary.filter(own), authenticating: 0 }) + 1
  if (roles[user]?.kind === 'superuser') return false
  return (
    taken((group) => group.role === user) >= (roles[user]?.connectionLimit ?? Infinity) ||
    taken((group) => group.database === database) >= (databases[database] ?? Infinity)
  )
}

/** What every database has done since its statistics began: the load is the growth between two. */
export async function readWork(session: Session): Promise<readonly Work[]> {
  const rows = await session.query<WorkRow>(workSql)
  return rows.map((row) => ({
    database: row.database,
    busyMs: row.busy_ms,
    transactions: row.transactions,
    sessions: row.sessions,
    atMs: row.at_ms,
  }))
}

interface SettingRow {
  readonly name: string
  readonly value: string
}

interface AboutRow {
  readonly role: string
  readonly database: string
  readonly sees_all: boolean
  readonly in_recovery: boolean
  readonly knows_system: boolean
  readonly postmaster: string
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
  readonly busy: number
  readonly hidden: number
}

interface KeptLocksRow {
  readonly role: string
  readonly database: string
  readonly application_name: string | null
  readonly connections: number
}

interface WorkRow {
  readonly database: string
  readonly busy_ms: number
  readonly transactions: number
  readonly sessions: number
  readonly at_ms: number
}

function limitsOf(settings: ReadonlyMap<string, number>): SlotLimits {
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
  const autovacuum = settings.get('autovacuum_work_mem') ?? -1
  return {
    sharedBuffers: settings.get('shared_buffers') ?? 0,
    workMem: settings.get('work_mem') ?? 0,
    // -1 is "as maintenance_work_mem".
    maintenanceWorkMem: (autovacuum < 0 ? null : autovacuum) ?? settings.get('maintenance_work_mem') ?? 0,
    autovacuumWorkers: settings.get('autovacuum_max_workers') ?? 0,
    hashMemMultiplier: settings.get('hash_mem_multiplier') ?? 1,
    workersPerGather: settings.get('max_parallel_workers_per_gather') ?? 0,
    parallelWorkers: settings.get('max_parallel_workers') ?? 0,
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
