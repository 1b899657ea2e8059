import { groupBy, allDemands } from '../sums/demand.js'
import type { DatabaseLoad } from './measured-load.js'
import type { Deployment, Load, PoolFinding, Service } from '../sums/model.js'
import type { Pooler } from '../sums/pooler-model.js'
import {
  ownersOf,
  patternsOf,
  patternsOn,
  sessionsSeen,
  type Live,
  type Pattern,
  type SessionGroup,
} from './sessions.js'
import { several } from '../../text/amounts.js'

/** Looks at busy sessions, of all samples together, that a split of a database's load needs at least: fewer say nothing. */
const enoughBusy = 5
/** Erlangs of a database below which nobody misses them. */
const worthTelling = 0.1

/**
 * The deployment with the measured load of services, and of pools of poolers, whose file and console give none. A database that one owner alone uses
 * is all its own; that of several is split as their sessions were seen busy, by role and application. LOAD_UNKNOWN tells for each service why
 * the server cannot tell its part.
 */
export function withMeasuredLoad(
  deployment: Deployment,
  lives: ReadonlyMap<string, Live>,
): { readonly deployment: Deployment; readonly findings: readonly PoolFinding[] } {
  const rows = lives.size === 0 ? [] : allDemands(deployment)
  const all = [...lives].flatMap(([server, live]) =>
    partsOf(server, live, patternsOn(server, rows, deployment.poolers)),
  )
  const parts = groupBy(all, (part) => part.owner)
  const findings: PoolFinding[] = []
  const services = deployment.services.map((service) => {
    const own = parts.get(service.name) ?? []
    if (service.via.kind !== 'direct' || isDeclared(service) || own.length === 0) return service
    const untold = own.find((part) => part.reason !== null && part.load.erlangs >= worthTelling)
    if (untold !== undefined) findings.push(loadUnknown(service, untold))
    const load = own.every((part) => part.reason === null) ? addedUp(own) : null
    return load === null ? service : { ...service, load: { ...noLoad, ...service.load, ...load } }
  })
  const poolers = deployment.poolers.map((pooler) => withAliasLoads(pooler, parts.get(pooler.name) ?? []))
  return { deployment: { ...deployment, services, poolers }, findings }
}

/** A rate, or a cache whose misses are one beside their service time. */
function isDeclared({ load, cache }: Service): boolean {
  return load?.ratePerSecond != null || (cache !== null && load?.serviceTimeSeconds != null)
}

const noLoad: Load = {
  ratePerSecond: null,
  serviceTimeSeconds: null,
  cv2: 1,
  sloWaitMs: null,
  expectedConcurrent: null,
  maxConcurrent: null,
}

/** What one owner has of the load of one database. */
interface Part {
  readonly owner: string
  readonly server: string
  readonly database: string
  readonly load: DatabaseLoad
  /** 0 to 1. */
  readonly share: number
  /** Why it cannot be told; null when it can. */
  readonly reason: string | null
}

function partsOf(server: string, live: Live, patterns: readonly Pattern[]): readonly Part[] {
  const seen = sessionsSeen(live.samples)
  return Object.entries(live.load).flatMap(([database, load]) => {
    const here = patternsOf(patterns, database)
    const owners = [...new Set(here.map((pattern) => pattern.owner))]
    const groups = seen
      .filter((group) => group.database === database)
      .map((group) => ({ ...group, owners: ownersOf(group, here) }))
    return owners.map((owner) => ({ server, database, owner, load, ...shareOf(owner, owners, groups) }))
  })
}

type Owned = SessionGroup & { readonly owners: readonly string[] }

function shareOf(owner: string, owners: readonly string[], groups: readonly Owned[]): Pick<Part, 'share' | 'reason'> {
  const untold = (reason: string) => ({ share: 0, reason })
  const busy = groups.reduce((sum, group) => sum + group.busy, 0)
  const others = groups.filter((group) => group.owners.length !== 1 || group.owners[0] !== owner)
  if (others.some((group) => group.hidden > 0)) return untold('other sessions are hidden from this role')
  if (owners.length === 1 && others.every((group) => group.busy === 0)) return { share: 1, reason: null }
  const shared = others.find((group) => group.owners.includes(owner))
  if (shared !== undefined) {
    const who = shared.owners.filter((one) => one !== owner).join(', ')
    return untold(`${who} ${shared.owners.length === 2 ? 'has' : 'have'} sessions that look the same`)
  }
  if (busy < enoughBusy) return untold(`its sessions were seen busy too seldom (${several(busy, 'time')} in all)`)
  return { share: (busy - others.reduce((sum, group) => sum + group.busy, 0)) / busy, reason: null }
}

/** Over all databases of one owner; null for an idle one. Transactions of one database are taken to be equally long. */
function addedUp(
  parts: readonly Part[],
): Pick<Load, 'ratePerSecond' | 'serviceTimeSeconds' | 'measuredSeconds'> | null {
  const add = (of: (load: DatabaseLoad) => number) => parts.reduce((sum, part) => sum + part.share * of(part.load), 0)
  const rate = add((load) => load.transactionsPerSecond)
  if (rate === 0) return null
  return {
    ratePerSecond: rate,
    serviceTimeSeconds: add((load) => load.erlangs) / rate,
    measuredSeconds: Math.max(...parts.map((part) => part.load.seconds)),
  }
}

/** A database behind two aliases of one pooler tells nothing about either. */
function withAliasLoads(pooler: Pooler, parts: readonly Part[]): Pooler {
  const aliases = pooler.aliases.map((alias) => {
    const twins = pooler.aliases.filter((one) => one.server === alias.server && one.database === alias.database)
    const own = parts.filter(
      (part) => part.server === alias.server && part.database === alias.database && part.reason === null,
    )
    const load = twins.length > 1 || alias.load !== undefined ? null : addedUp(own)
    if (load?.ratePerSecond == null || load.serviceTimeSeconds === null) return alias
    const { serviceTimeSeconds, measuredSeconds = 0 } = load
    return {
      ...alias,
      load: { ratePerSecond: load.ratePerSecond / pooler.replicas, serviceTimeSeconds, measuredSeconds },
    }
  })
  return { ...pooler, aliases }
}

function loadUnknown(service: Service, { server, database, load, reason }: Part): PoolFinding {
  return {
    code: 'LOAD_UNKNOWN',
    severity: 'info',
    server,
    service: service.name,
    message: `${service.name}: its part of the ${load.erlangs.toFixed(1)} connections that are busy on ${database} is not known: ${reason ?? ''}`,
    hint: 'give it a role or an application_name of its own, or declare its load; --watch looks longer',
    place: service.place,
  }
}
