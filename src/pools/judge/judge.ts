import type { Budget, BudgetLine } from './budget.js'
import { limitUses, type LimitUse } from './connection-limits.js'
import { describeService, someOf } from './describe.js'
import { judgeDrivers } from './judge-driver.js'
import { judgeLive } from './judge-live.js'
import { judgeMemory } from './judge-memory.js'
import { judgeRule } from './judge-service.js'
import { judgePoolers } from './judge-pooler.js'
import { judgeStorms } from './judge-storm.js'
import type { Deployment, PoolFinding, Verdict } from '../sums/model.js'
import { recommendations, remedy, type Recommendation } from './recommend.js'
import { withThousands } from '../../text/amounts.js'

/**
 * Every finding of one server: POOL_OVER, POOL_SURGE, POOL_NEAR, ROLE_LIMIT, DATABASE_LIMIT, LIMIT_UNKNOWN, LIMIT_ESTIMATED,
 * DEPLOY_UNDECLARED, BOOT_STORM, RULE_OF_THUMB, and those of judge-pooler, judge-storm, judge-memory, judge-live and judge-driver.
 */
export function judge(budget: Budget, deployment: Deployment): readonly PoolFinding[] {
  if (budget.limits === null) return [limitUnknown(budget)]
  const changes = recommendations(budget, deployment, judgeWithoutRemedies)
  return judgeWith(budget, deployment, changes)
}

/** The same findings without advice on the slots: what a change would leave. */
export function judgeWithoutRemedies(budget: Budget, deployment: Deployment): readonly PoolFinding[] {
  return budget.limits === null ? [limitUnknown(budget)] : judgeWith(budget, deployment, [])
}

function judgeWith(budget: Budget, deployment: Deployment, changes: readonly Recommendation[]): readonly PoolFinding[] {
  return [
    ...slots(budget, changes),
    ...estimated(budget),
    ...limitUses(budget).flatMap((use) => connectionLimit(budget, deployment, use)),
    ...judgePoolers(budget),
    ...judgeMemory(budget),
    ...judgeLive(budget, deployment),
    ...judgeDrivers(budget, deployment),
    ...judgeRule(budget),
    ...undeclaredDeploys(budget),
    ...bootStorm(budget),
    ...judgeStorms(budget),
  ]
}

/**
 * FAIL for any error, UNKNOWN when max_connections or other sessions cannot be seen, WARN for any warning. What is hidden
 * is never silently OK.
 */
export function verdictOf(
  budget: Pick<Budget, 'limits' | 'live' | 'matched'>,
  findings: readonly PoolFinding[],
): Verdict {
  if (findings.some((finding) => finding.severity === 'error')) return 'FAIL'
  if (budget.limits === null || hiddenIn(budget) || findings.some(({ code }) => leavesUnknown.has(code)))
    return 'UNKNOWN'
  return findings.some((finding) => finding.severity === 'warning') ? 'WARN' : 'OK'
}

/** Findings without whose answer no verdict is sure. */
const leavesUnknown: ReadonlySet<string> = new Set(['POOLER_UNKNOWN', 'RUNTIME_UNKNOWN'])

function hiddenIn({ live, matched }: Pick<Budget, 'live' | 'matched'>): boolean {
  return live !== null && !live.seesAll && (matched?.hidden ?? 0) > 0
}

function limitUnknown({ server }: Budget): PoolFinding {
  return {
    code: 'LIMIT_UNKNOWN',
    severity: 'warning',
    server: server.name,
    message: `max_connections of ${server.name} is not known`,
    hint:
      server.url === null
        ? 'give the server a url, max_connections, or a provider with a known size'
        : 'max_connections in the file counts while the server cannot be asked',
    place: server.place,
  }
}

/** A formula on the memory is no limit that somebody has read. */
function estimated({ server, limits }: Budget): readonly PoolFinding[] {
  if (limits?.source !== 'provider' || server.provider?.name.toLowerCase() !== 'rds') return []
  return [
    {
      code: 'LIMIT_ESTIMATED',
      severity: 'info',
      server: server.name,
      message: `${server.name}: max_connections ${limits.maxConnections} is an estimate from ${server.provider.size}, by the formula of RDS on its memory`,
      hint: 'show max_connections on the server, and write it as max_connections',
      place: server.place,
    },
  ]
}

function slots(budget: Budget, changes: readonly Recommendation[]): readonly PoolFinding[] {
  const { server, capacity, total } = budget
  const largest = budget.lines.toSorted((a, b) => b.peak - a.peak)[0]
  const place = largest?.service?.poolPlace ?? largest?.pooler?.place ?? server.place
  const hint = remedy(changes, budget)
  const about = {
    server: server.name,
    ...(largest?.service && { service: largest.service.name }),
    place,
    ...(hint !== undefined && { hint }),
  }
  const of = (connections: number) =>
    `${withThousands(connections)} of ${withThousands(capacity)} connections (${percentOf(connections, capacity)})`
  const most = largest === undefined ? '' : `. Most by ${largest.name}${largestSum(budget, largest)}`
  if (total.steady > server.failAt * capacity) {
    const rollout = total.peak > total.steady ? `, ${total.peak} during a rollout` : ''
    return [
      {
        code: 'POOL_OVER',
        severity: 'error',
        ...about,
        message: `${server.name}: ${of(total.steady)}${rollout}${most}`,
      },
    ]
  }
  if (total.peak > server.failAt * capacity) {
    return [
      {
        code: 'POOL_SURGE',
        severity: 'error',
        ...about,
        message: `${server.name}: ${of(total.peak)} during a rollout; steady it is ${total.steady}${most}`,
      },
    ]
  }
  if (total.peak > server.warnAt * capacity) {
    const room = budget.live === null && capacity - total.peak < 3 ? '; perfdb apply itself needs 3' : ''
    return [
      {
        code: 'POOL_NEAR',
        severity: 'warning',
        ...about,
        message: `${server.name}: ${of(total.peak)}, over ${percentOf(server.warnAt, 1)}${room}${most}`,
      },
    ]
  }
  return []
}

/** The arithmetic behind the largest line: what a reader has to change is in it. */
function largestSum({ rows }: Budget, line: BudgetLine): string {
  const { service } = line
  if (service === null) return `: ${line.peak}`
  const tenants = rows.reduce((sum, row) => sum + (row.service === service ? row.tenants.length : 0), 0)
  return `: ${describeService(service, line, tenants)}`
}

/** A larger limit is no advice where the server has not the slots. */
function roomFor({ peak }: LimitUse, { total, capacity, server }: Budget): boolean {
  return peak <= capacity && total.peak <= server.failAt * capacity
}

function connectionLimit(budget: Budget, deployment: Deployment, use: LimitUse): readonly PoolFinding[] {
  const { server } = budget
  if (use.peak <= use.limit) return []
  const service = deployment.services.find((one) => one.name === use.services[0])
  const shared = someOf(use.services)
  return [
    {
      code: use.kind === 'role' ? 'ROLE_LIMIT' : 'DATABASE_LIMIT',
      severity: 'error',
      server: server.name,
      ...(service && { service: service.name }),
      message: `${server.name}: ${use.kind} ${use.name} may have ${use.limit} connections, ${shared} ${use.services.length === 1 ? 'needs' : 'need'} ${use.peak}`,
      hint: `${roomFor(use, budget) ? `alter ${use.kind} "${use.name}" connection limit ${use.peak}; or ` : ''}smaller pools or fewer instances in ${shared}`,
      place: service?.poolPlace ?? server.place,
    },
  ]
}

/** Counted as the platform rolls out by default, because the file says nothing: one word for all such services. */
function undeclaredDeploys({ server, lines }: Budget): readonly PoolFinding[] {
  const assumed = lines.flatMap((line) =>
    line.service?.deploy.strategy === 'rolling' && line.service.deploy.assumed === true && line.peak > line.steady
      ? [{ service: line.service, added: line.peak - line.steady }]
      : [],
  )
  const [first] = assumed.toSorted((a, b) => b.added - a.added)
  if (first === undefined) return []
  const names = someOf(assumed.map(({ service }) => service.name))
  const added = assumed.reduce((sum, one) => sum + one.added, 0)
  return [
    {
      code: 'DEPLOY_UNDECLARED',
      severity: 'info',
      server: server.name,
      service: first.service.name,
      message: `${names}: no deploy is declared, so the default rollout of Kubernetes is assumed: old instances that end hold ${added} connections beside the new ones`,
      hint: 'deploy: { strategy: recreate }, { strategy: rolling, startup: 30s, termination: 10s } or { platform: compose }',
      place: first.service.place,
    },
  ]
}

/** Half of the slots opened at once: each connection is a new process on the server. */
function bootStorm({ server, lines, capacity }: Budget): readonly PoolFinding[] {
  return lines.flatMap((line): readonly PoolFinding[] => {
    if (line.service === null || line.warm * 2 <= capacity) return []
    const message = `${line.name}: opens ${line.warm} connections at boot, all at once`
    return [
      {
        code: 'BOOT_STORM',
        severity: 'info',
        server: server.name,
        service: line.name,
        message,
        hint: `lower pool.min (now ${line.service.pool.min})`,
        place: line.service.poolPlace,
      },
    ]
  })
}

function percentOf(part: number, whole: number): string {
  return `${Number(((part / whole) * 100).toPrecision(3))} %`
}
