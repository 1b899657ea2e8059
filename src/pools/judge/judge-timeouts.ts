import type { PoolFindingCode } from '../../codes/codes.js'
import type { Budget } from './budget.js'
import { groupBy, targetsOf } from '../sums/demand.js'
import { someOf } from './describe.js'
import type { Deployment, PoolFinding } from '../sums/model.js'
import { settingFor } from '../server/role-settings.js'
import type { Live } from '../server/sessions.js'

/**
 * Timeouts that let a connection be held for ever, by the roles and databases of the declared services (ALTER ROLE and ALTER DATABASE ... SET
 * count): IDLE_IN_TRANSACTION, NO_STATEMENT_TIMEOUT; IDLE_SESSION_TIMEOUT, where the server cuts what a pool keeps; and CONNECTION_CHURN, where
 * nobody keeps anything.
 */
export function judgeTimeouts(budget: Budget, deployment: Deployment): readonly PoolFinding[] {
  const { live } = budget
  if (live === null) return []
  return [
    ...cutConnections(budget, deployment),
    ...churn(budget, live),
    ...unlimited(budget, live, {
      code: 'IDLE_IN_TRANSACTION',
      setting: 'idle_in_transaction_session_timeout',
      value: '5min',
      serverMs: live.timeouts.idleInTransactionMs,
      harm: 'a forgotten transaction holds its connection for ever',
    }),
    ...unlimited(budget, live, {
      code: 'NO_STATEMENT_TIMEOUT',
      setting: 'statement_timeout',
      value: '30s',
      serverMs: live.timeouts.statementMs,
      harm: 'a query that hangs holds its connection for ever',
    }),
  ]
}

interface Timeout {
  readonly code: PoolFindingCode
  readonly setting: string
  /** A usual value, for the hint. */
  readonly value: string
  readonly serverMs: number
  readonly harm: string
}

/** One finding a server, with the roles it is about. */
function unlimited({ server, rows }: Budget, live: Live, timeout: Timeout): readonly PoolFinding[] {
  const reached = rows.flatMap((row) =>
    row.service.via.kind === 'direct' ? targetsOf(row).map(({ role, database }) => ({ role, database })) : [],
  )
  const open = reached.filter(({ role, database }) => effectiveMs(live, timeout, role, database) === 0)
  if (reached.length > 0 ? open.length === 0 : timeout.serverMs > 0) return []
  const roles = [...groupBy(open, ({ role }) => role).keys()].filter((role) => role !== null)
  const [first] = roles
  const names = someOf(roles)
  return [
    {
      code: timeout.code,
      severity: 'info',
      server: server.name,
      message: `${server.name}: ${timeout.setting} is 0${names === '' ? '' : ` for ${names}`}: ${timeout.harm}`,
      hint:
        first === undefined
          ? `alter system set ${timeout.setting} = '${timeout.value}'`
          : `alter role "${first}" set ${timeout.setting} = '${timeout.value}'`,
      place: server.place,
    },
  ]
}

function effectiveMs(live: Live, { setting, serverMs }: Timeout, role: string | null, database: string | null): number {
  const own = settingFor(live.roleSettings, setting, role, database)
  return own === undefined ? serverMs : Number.parseFloat(own)
}

function cutConnections({ server, live, lines }: Budget, deployment: Deployment): readonly PoolFinding[] {
  const idleSessionMs = live?.timeouts.idleSessionMs ?? 0
  const here = new Set(lines.map((line) => line.service))
  const cut = deployment.services.filter(
    (service) => here.has(service) && idleSessionMs > 0 && (service.pool.idleTimeoutMs ?? Infinity) >= idleSessionMs,
  )
  return cut.map((service): PoolFinding => ({
    code: 'IDLE_SESSION_TIMEOUT',
    severity: 'warning',
    server: server.name,
    service: service.name,
    message: `${service.name}: idle_session_timeout (${idleSessionMs} ms) of the server cuts connections that the pool keeps`,
    hint: `pool.idle_timeout below ${idleSessionMs}ms, or idle_session_timeout = 0`,
    place: service.poolPlace,
  }))
}

/** A connection to five transactions, and one a second at least: a look of perfdb's own is one in seconds. */
const churning = { perTransaction: 0.2, perSecond: 1 }
/** Connecting took 5 ms on loopback where a query of an open connection took 0.06 ms; TLS and a network come on top. */
const connectMs = 5

function churn({ server }: Budget, { load }: Live): readonly PoolFinding[] {
  return Object.entries(load).flatMap(([database, { sessionsPerSecond, transactionsPerSecond }]) => {
    if (sessionsPerSecond < churning.perSecond) return []
    if (sessionsPerSecond < churning.perTransaction * transactionsPerSecond) return []
    const rate = sessionsPerSecond.toFixed(1)
    return [
      {
        code: 'CONNECTION_CHURN',
        severity: 'info' as const,
        server: server.name,
        message: `${server.name}: ${rate} connections a second are opened on ${database} for ${transactionsPerSecond.toFixed(1)} transactions: ${connectMs} ms and more of each`,
        hint: 'a pool that keeps its connections, CONN_MAX_AGE in Django, or a pooler on the same host',
        place: server.place,
      },
    ]
  })
}
