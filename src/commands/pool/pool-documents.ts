import { loadAdvice } from '../../pools/judge/advice.js'
import type { Budget, BudgetLine } from '../../pools/judge/budget.js'
import { keptBack } from '../../pools/sums/capacity.js'
import { limitUses } from '../../pools/judge/connection-limits.js'
import { demands, type Demand } from '../../pools/sums/demand.js'
import { describeService } from '../../pools/judge/describe.js'
import { queueLine } from '../../pools/judge/judge-queue.js'
import type { Deployment, PoolFinding, Service, Verdict } from '../../pools/sums/model.js'
import { queue } from '../../pools/sums/queue.js'
import { knownRecommendations } from '../../pools/judge/recommend.js'
import { connectionsOf, sessionsOf, type Live } from '../../pools/server/sessions.js'
import { waterfall } from '../../pools/judge/waterfall.js'
import type { JudgedServer } from './pool-judge.js'
import type { PoolLine, PoolResult, PoolServer } from '../../result/documents/pool-result.js'
import { tenantDocuments } from './pool-tenants.js'
import { several } from '../../text/amounts.js'

/** A budget as the document shows it. */
export function serverDocument(
  budget: Budget,
  deployment: Deployment,
  verdict: Verdict,
  before?: Pick<JudgedServer, 'budget' | 'verdict'>,
): PoolServer {
  const { server, limits, live } = budget
  const changes = knownRecommendations(budget)
  return {
    name: server.name,
    verdict,
    max_connections: limits?.maxConnections ?? null,
    reserved: limits === null ? null : keptBack(limits),
    available: limits === null ? null : budget.capacity,
    limits_from: limits?.source ?? 'unknown',
    ...(live !== null && { version: live.version }),
    declared: budget.declared,
    unmanaged: live === null ? null : budget.unmanaged,
    perfdb: budget.perfdb,
    live: live === null ? null : Math.max(...live.samples.map(connectionsOf)),
    hidden: budget.matched?.hidden ?? 0,
    headroom: limits === null ? null : budget.capacity - budget.total.peak,
    services: [
      ...budget.lines.map((line) => lineDocument(line, deployment, budget)),
      ...pooledServices(budget, deployment),
    ],
    limits: limitUses(budget).map((use) => ({ ...use, services: [...use.services] })),
    waterfall: waterfall(budget).map((line) => ({ ...line })),
    ...tenantDocuments(budget),
    ...(live !== null && { sessions: sessionDocuments(budget, live), load: loadDocuments(live) }),
    ...(before !== undefined && {
      before: {
        peak: before.budget.declared.peak,
        headroom: before.budget.limits === null ? null : before.budget.capacity - before.budget.total.peak,
        verdict: before.verdict,
      },
    }),
    changes: changes.map(({ name, change, now, largest, whatIf, place }) => ({
      name,
      change,
      now,
      largest,
      what_if: [...whatIf],
      place: { ...place },
    })),
    recommendations: [
      ...changes.map((one) => one.text),
      ...deployment.services
        .filter((service) => service.server === server.name)
        .flatMap((service) => loadAdvice(service, deployment.tenants)),
    ],
  }
}

export function poolFindingDocument({ remedies: _judged, ...finding }: PoolFinding): PoolResult['findings'][number] {
  return { ...finding, ...(finding.place === undefined ? {} : { place: { ...finding.place } }) }
}

function sessionDocuments({ patterns }: Budget, { samples }: Live): NonNullable<PoolServer['sessions']> {
  return sessionsOf(samples, patterns).map((group) => ({
    role: group.role,
    database: group.database,
    application_name: group.applicationName,
    connections: group.connections,
    busy: group.busy,
    hidden: group.hidden,
    services: [...group.owners],
  }))
}

function loadDocuments({ load }: Live): NonNullable<PoolServer['load']> {
  return Object.entries(load).map(([database, { erlangs, transactionsPerSecond, sessionsPerSecond, seconds }]) => ({
    database,
    erlangs,
    transactions_per_second: transactionsPerSecond,
    sessions_per_second: sessionsPerSecond,
    seconds,
  }))
}

function lineDocument(line: BudgetLine, deployment: Deployment, { rows }: Budget): PoolLine {
  const { name, service, pooler, steady, peak, warm, nominal } = line
  const sum = service === null ? poolerSum(line) : describeService(service, line, tenantsIn(rows, service))
  return {
    name,
    kind: pooler === null ? 'service' : 'pooler',
    steady,
    peak,
    warm,
    nominal,
    sum,
    ...queueOf(line, deployment),
  }
}

/** Clients of poolers, and services that speak HTTP: told, because somebody looks for them, and counted as nothing here. */
function pooledServices({ server }: Budget, deployment: Deployment): readonly PoolLine[] {
  return deployment.services
    .filter((service) => service.via.kind !== 'direct' && service.server === server.name)
    .map((service) => {
      const rows = demands(service, deployment.tenants)
      const add = (key: 'steady' | 'peak' | 'warm') => rows.reduce((sum, row) => sum + row[key], 0)
      const clients = { steady: add('steady'), peak: add('peak'), warm: add('warm') }
      const via = service.via.kind === 'pooler' ? service.via.pooler : service.via.kind
      const sum = describeService(service, clients, tenantsIn(rows, service))
      const text = service.via.kind === 'pooler' ? `clients of ${via}: ${sum}` : sum
      return { name: service.name, kind: 'service', via, steady: 0, peak: 0, warm: 0, nominal: 0, sum: text }
    })
}

function tenantsIn(rows: readonly Demand[], service: Service): number {
  return rows.reduce((sum, row) => sum + (row.service === service ? row.tenants.length : 0), 0)
}

function poolerSum({ pooler, pools, peak }: BudgetLine): string {
  const sizes = [...new Set(pools.map((pool) => pool.size))]
  const each = sizes.length === 1 && sizes[0] !== undefined ? ` x ${sizes[0]}` : ''
  const free = (pooler?.replicas ?? 1) * pools.reduce((sum, pool) => sum + pool.size, 0)
  const limited = peak < free ? `, ${free} without max_db_connections and max_user_connections` : ''
  return `${several(pooler?.replicas ?? 1, 'replica')} x ${several(pools.length, 'pool')}${each} = ${peak}${limited}`
}

function queueOf({ service }: BudgetLine, deployment: Deployment): Pick<PoolLine, 'queue'> {
  const line = service === null ? null : queueLine(service, deployment.tenants)
  if (line === null) return {}
  const { utilization, waits, meanWaitSeconds, p99WaitSeconds, stable } = queue(
    line.rate / line.pools,
    line.serviceTimeSeconds,
    line.servers,
    line.cv2,
  )
  return {
    queue: {
      pools: line.pools,
      connections: line.servers,
      utilization,
      waits,
      mean_wait_ms: stable ? meanWaitSeconds * 1000 : null,
      p99_wait_ms: stable ? p99WaitSeconds * 1000 : null,
      ...(line.measuredSeconds !== null && { measured: true }),
    },
  }
}
