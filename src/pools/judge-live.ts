import type { Budget } from './budget.js'
import { targetsOf } from './demand.js'
import type { Estate, PoolFinding } from './model.js'
import type { SessionGroup } from './sessions.js'

/**
 * Findings that only a look at the server can give: SETTING_MISMATCH, UNDECLARED_CLIENTS, HIDDEN_SESSIONS, UNKNOWN_ROLE,
 * UNKNOWN_DATABASE, IDLE_SESSION_TIMEOUT, IDLE_IN_TRANSACTION. Empty without one.
 */
export function judgeLive(budget: Budget, estate: Estate): readonly PoolFinding[] {
  if (budget.live === null) return []
  return [
    ...settingMismatches(budget),
    ...strangers(budget),
    ...hidden(budget),
    ...unknownNames(budget),
    ...timeouts(budget, estate),
  ]
}

function settingMismatches({ server, live }: Budget): readonly PoolFinding[] {
  const pairs: readonly (readonly [string, number | null, number | undefined])[] = [
    ['max_connections', server.maxConnections, live?.limits.maxConnections],
    ['superuser_reserved_connections', server.superuserReserved, live?.limits.superuserReserved],
    ['reserved_connections', server.reserved, live?.limits.reserved],
  ]
  return pairs.flatMap(([name, declared, actual]): readonly PoolFinding[] => {
    if (declared === null || actual === undefined || declared === actual) return []
    return [
      {
        code: 'SETTING_MISMATCH',
        severity: 'warning',
        server: server.name,
        message: `${server.name}: ${name} is ${actual} on the server, ${declared} in the file; the server's counts`,
        hint: `${name}: ${actual}`,
        place: server.place,
      },
    ]
  })
}

function strangers({ server, matched, unmanaged, other }: Budget): readonly PoolFinding[] {
  if (matched === null || unmanaged === 0) return []
  const beyond = other > 0 ? ` beyond the ${other} declared` : ''
  return [
    {
      code: 'UNDECLARED_CLIENTS',
      severity: 'warning',
      server: server.name,
      message: `${server.name}: ${unmanaged} sessions${beyond} belong to no declared service: ${listed(matched.strangers)}`,
      hint: `declare them as a service, or other_connections: ${other + unmanaged}`,
      place: server.place,
    },
  ]
}

/** At most five, the largest first. */
function listed(groups: readonly SessionGroup[]): string {
  const sorted = groups.toSorted((a, b) => b.connections + b.hidden - a.connections - a.hidden)
  const shown = sorted.slice(0, 5).map((group) => {
    const name = group.applicationName === null || group.applicationName === '' ? '' : ` (${group.applicationName})`
    return `${group.connections + group.hidden} of ${group.role} on ${group.database}${name}`
  })
  return [...shown, ...(sorted.length > 5 ? ['...'] : [])].join(', ')
}

function hidden({ server, live, matched }: Budget): readonly PoolFinding[] {
  if (live === null || live.seesAll || matched === null || matched.hidden === 0) return []
  return [
    {
      code: 'HIDDEN_SESSIONS',
      severity: 'warning',
      server: server.name,
      message: `${server.name}: ${live.user} may not see what ${matched.hidden} sessions of others are; they are counted as an upper bound`,
      hint: `grant pg_monitor to "${live.user}"`,
      place: server.place,
    },
  ]
}

function unknownNames({ server, live, rows }: Budget): readonly PoolFinding[] {
  if (live === null) return []
  const seen = new Set<string>()
  const reached = rows
    .filter((row) => row.service.via.kind === 'direct')
    .flatMap((row) => targetsOf(row).map((target) => ({ service: row.service, ...target })))
  return reached.flatMap(({ service, role, database }): readonly PoolFinding[] => {
    const missing = [
      ...(role !== null && !(role in live.roles) ? [{ code: 'UNKNOWN_ROLE', what: `role ${role}` }] : []),
      ...(database !== null && !(database in live.databases)
        ? [{ code: 'UNKNOWN_DATABASE', what: `database ${database}` }]
        : []),
    ].filter(({ what }) => !seen.has(what))
    return missing.map(({ code, what }): PoolFinding => {
      seen.add(what)
      const message = `${service.name}: the server has no ${what}`
      return {
        code,
        severity: 'warning',
        server: server.name,
        service: service.name,
        message,
        hint: 'check the name; names are case-sensitive',
        place: service.place,
      }
    })
  })
}

function timeouts({ server, live, lines }: Budget, estate: Estate): readonly PoolFinding[] {
  const { idleSessionMs = 0, idleInTransactionMs = 0 } = live?.timeouts ?? {}
  const cut = estate.services.filter(
    (service) =>
      lines.some((line) => line.service === service) &&
      idleSessionMs > 0 &&
      (service.pool.idleTimeoutMs ?? Infinity) >= idleSessionMs,
  )
  const cutFindings = cut.map((service): PoolFinding => ({
    code: 'IDLE_SESSION_TIMEOUT',
    severity: 'warning',
    server: server.name,
    service: service.name,
    message: `${service.name}: idle_session_timeout (${idleSessionMs} ms) of the server cuts connections that the pool keeps`,
    hint: `pool.idle_timeout below ${idleSessionMs}ms, or idle_session_timeout = 0`,
    place: service.poolPlace,
  }))
  if (idleInTransactionMs > 0) return cutFindings
  const message = `${server.name}: idle_in_transaction_session_timeout is 0: a forgotten transaction holds its connection for ever`
  return [
    ...cutFindings,
    {
      code: 'IDLE_IN_TRANSACTION',
      severity: 'info',
      server: server.name,
      message,
      hint: "alter system set idle_in_transaction_session_timeout = '5min'",
      place: server.place,
    },
  ]
}
