import { quoteLiteral } from '../../definition/quote.js'
import type { Budget } from './budget.js'
import { capacity } from '../sums/capacity.js'
import { targetsOf } from '../sums/demand.js'
import { judgeTimeouts } from './judge-timeouts.js'
import type { Deployment, PoolFinding } from '../sums/model.js'
import {
  connectionsOf,
  ownersOf,
  sessionsOf,
  type Matched,
  type Pattern,
  type SessionGroup,
} from '../server/sessions.js'
import { several } from '../../text/amounts.js'

/**
 * Findings that only a look at the server can give: SERVER_FULL, SETTING_MISMATCH, UNDECLARED_CLIENTS, STALLED_LOGINS, HIDDEN_SESSIONS,
 * UNKNOWN_ROLE, UNKNOWN_DATABASE, POOL_UNREACHED and those of judge-timeouts. Empty without one.
 */
export function judgeLive(budget: Budget, deployment: Deployment): readonly PoolFinding[] {
  if (budget.live === null) return []
  return [
    ...full(budget),
    ...settingMismatches(budget),
    ...undeclaredSessions(budget),
    ...stalledLogins(budget),
    ...hidden(budget),
    ...unknownNames(budget),
    ...unreached(budget),
    ...judgeTimeouts(budget, deployment),
  ]
}

/** Applications find no slot now, or would not if perfdb had stayed on the last one: who holds them is the answer. */
function full({ server, live, patterns }: Budget): readonly PoolFinding[] {
  if (live === null) return []
  const slots = capacity(live.limits)
  const fullest = live.samples.toSorted((a, b) => connectionsOf(b) - connectionsOf(a))[0]
  const taken = fullest === undefined ? 0 : connectionsOf(fullest)
  const last = live.roles[live.user]?.kind === 'superuser' ? 0 : 1
  if (fullest === undefined || taken + last < slots) return []
  const hidden = live.seesAll ? 0 : fullest.groups.reduce((sum, group) => sum + group.hidden, 0)
  const how =
    taken >= slots
      ? `all ${slots} slots of ordinary roles are taken`
      : `${taken} of the ${slots} slots of ordinary roles are taken; perfdb had the last one for a moment`
  return [
    {
      code: 'SERVER_FULL',
      // What is hidden may be no client backend at all.
      severity: taken - hidden + last >= slots ? 'error' : 'warning',
      server: server.name,
      message: `${server.name}: ${how}. Held by ${listed(fullest.groups, patterns)}`,
      hint: endIdle(fullest.groups, patterns),
      place: server.place,
    },
  ]
}

/** Present in every look: a login that takes seconds is no login but a stalled one. Before 18 the server does not show them. */
function stalledLogins({ server, live }: Budget): readonly PoolFinding[] {
  if (live === null || live.samples.length < 2) return []
  const always = Math.min(...live.samples.map((sample) => sample.authenticating))
  if (always === 0) return []
  const seconds = live.timeouts.authenticationMs / 1000
  return [
    {
      code: 'STALLED_LOGINS',
      severity: 'warning',
      server: server.name,
      message: `${server.name}: ${several(always, 'connection')} never finished to authenticate in ${live.samples.length} looks; each holds a slot for up to ${seconds} s`,
      hint: 'look for health checks and proxies that connect and say nothing; authentication_timeout ends them',
      place: server.place,
    },
  ]
}

/** Seconds prove little, but half of a large pool unused is worth a look; --watch sees more. */
function unreached({ server, live, lines, patterns }: Budget): readonly PoolFinding[] {
  if (live === null || live.samples.length < 2 || !live.seesAll) return []
  const sessions = sessionsOf(live.samples, patterns)
  return lines.flatMap(({ name, service, steady }): readonly PoolFinding[] => {
    if (service === null || steady < 10) return []
    const own = sessions.filter((group) => group.owners.includes(name))
    if (own.length === 0 || own.some((group) => group.owners.length > 1)) return []
    const seen = own.reduce((sum, group) => sum + group.connections, 0)
    if (seen * 2 > steady) return []
    return [
      {
        code: 'POOL_UNREACHED',
        severity: 'info',
        server: server.name,
        service: name,
        message: `${name}: ${seen} of ${steady} connections are open, the most of ${live.samples.length} looks`,
        hint: 'perfdb check-pool --watch at the busy hour shows what it really needs',
        place: service.poolPlace,
      },
    ]
  })
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

function undeclaredSessions({ server, matched, unmanaged, other, patterns }: Budget): readonly PoolFinding[] {
  if (matched === null || unmanaged === 0) return []
  const beyond = other > 0 ? ` beyond the ${other} declared` : ''
  return [
    {
      code: 'UNDECLARED_CLIENTS',
      severity: 'warning',
      server: server.name,
      message: `${server.name}: ${unmanaged} sessions${beyond} belong to no declared service: ${listed(matched.undeclaredSessions, patterns)}${authenticating(matched)}`,
      hint: `declare them as a service, or other_connections: ${other + unmanaged}`,
      place: server.place,
    },
  ]
}

/** Logins under way have no name yet. */
function authenticating({ unmanaged, undeclaredSessions }: Matched): string {
  const named = undeclaredSessions.reduce((sum, group) => sum + group.connections + group.hidden, 0)
  if (unmanaged === named) return ''
  return `${named === 0 ? '' : ', '}${unmanaged - named} still authenticating`
}

/** At most five, the largest first; `over` says that they look like a service's but are more than it may open. */
function listed(groups: readonly SessionGroup[], patterns: readonly Pattern[]): string {
  const sorted = groups.toSorted((a, b) => b.connections + b.hidden - a.connections - a.hidden)
  const shown = sorted.slice(0, 5).map((group) => {
    const name = group.applicationName === null || group.applicationName === '' ? '' : ` (${group.applicationName})`
    const [owner] = ownersOf(group, patterns)
    return `${group.connections + group.hidden} of ${group.role} on ${group.database}${name}${owner === undefined ? '' : `, as ${owner}`}${idleText(group)}`
  })
  const rest = sorted.slice(5).reduce((sum, group) => sum + group.connections + group.hidden, 0)
  return [...shown, ...(rest > 0 ? [`${rest} others`] : [])].join('; ')
}

function idleText({ connections, busy, hidden: unseen }: SessionGroup): string {
  if (unseen > 0 || busy === connections) return ''
  return busy === 0 ? ', idle' : `, ${connections - busy} idle`
}

/** Ends the idle sessions of whoever has most, those of nobody in the file first. */
function endIdle(groups: readonly SessionGroup[], patterns: readonly Pattern[]): string {
  const [most] = groups
    .filter((group) => group.connections > group.busy && group.applicationName !== null)
    .map((group) => ({
      ...group,
      idle: group.connections - group.busy,
      declared: ownersOf(group, patterns).length > 0,
    }))
    .toSorted((a, b) => Number(a.declared) - Number(b.declared) || b.idle - a.idle)
  if (most === undefined) return 'lower the pools that hold most'
  const where = `usename = ${quoteLiteral(most.role)} and application_name = ${quoteLiteral(most.applicationName ?? '')}`
  return `lower the pools that hold most; now: select pg_terminate_backend(pid) from pg_stat_activity where ${where} and state = 'idle'`
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
      ...(role !== null && !(role in live.roles) ? [{ code: 'UNKNOWN_ROLE' as const, what: `role ${role}` }] : []),
      ...(database !== null && !(database in live.databases)
        ? [{ code: 'UNKNOWN_DATABASE' as const, what: `database ${database}` }]
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
