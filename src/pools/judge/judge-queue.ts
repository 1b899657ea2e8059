import { cacheEffect } from '../sums/cache.js'
import type { PoolFinding, Remedy, Service } from '../sums/model.js'
import type { Tenant } from '../../tenants/tenant.js'
import { poolsPerInstance, tenantsOf } from '../sums/demand.js'
import { held } from '../sums/pool.js'
import { hintOf } from './named-remedies.js'
import { fewestServers, queue, waitsLongerThan } from '../sums/queue.js'

/** Equal pools that share the work of one service: `rate` is of all of them. */
export interface QueueLine {
  readonly name: string
  readonly pools: number
  readonly rate: number
  readonly serviceTimeSeconds: number
  /** Squared coefficient of variation of the service time. */
  readonly cv2: number
  /** Connections of one pool. */
  readonly servers: number
  /** What a request may wait for a connection; null when nothing says so. */
  readonly waitMs: number | null
  /** The key of the file that sizes it, of the service or pooler that `owner` names, and what comes on top of it. */
  readonly setting: string
  readonly owner: string
  readonly beyond: number
  /** The load was measured over so many seconds; null when it is declared. */
  readonly measuredSeconds: number | null
}

/** Shares of requests that wait too long: the field's thresholds, "over 0.1 % database issue, over 1 % investigate". */
export const warnShare = 0.001
const failShare = 0.01

/** QUEUE_UNSTABLE and QUEUE_WAIT of the pools of a service that declares its load; the load is spread evenly. */
export function judgeQueue(service: Service, tenants: readonly Tenant[]): readonly PoolFinding[] {
  const line = queueLine(service, tenants)
  const server = service.server === null ? {} : { server: service.server }
  return line === null ? [] : queueFinding(line, { ...server, service: service.name, place: service.poolPlace })
}

/** The pools of a service as a queue; null without a declared rate and service time, or for functions that never share. */
export function queueLine(service: Service, tenants: readonly Tenant[]): QueueLine | null {
  const { load, pool, runtime, instances, connectionsPerRequest } = service
  const rate = arrivalRate(service)
  if (load?.serviceTimeSeconds == null || rate === null) return null
  if (service.via.kind === 'http' || runtime.maxConcurrency !== null) return null
  const pools =
    instances.desired * poolsPerInstance(service) * (pool.perTenant ? tenantsOf(service, tenants).length : 1)
  if (pools === 0) return null
  return {
    name: service.name,
    pools,
    rate,
    serviceTimeSeconds: load.serviceTimeSeconds,
    cv2: load.cv2,
    servers: held(pool, runtime, connectionsPerRequest),
    waitMs: load.sloWaitMs ?? pool.acquireTimeoutMs,
    setting: 'pool.max',
    owner: service.name,
    beyond: pool.maxOverflow,
    measuredSeconds: load.measuredSeconds ?? null,
  }
}

/** Requests for a connection per second: those declared or measured, else the queries that miss the declared cache; null when neither is known. */
export function arrivalRate({ load, cache, instances, runtime }: Service): number | null {
  if (load?.ratePerSecond != null || cache === null) return load?.ratePerSecond ?? null
  return cacheEffect(cache, Math.max(1, instances.desired * runtime.processes)).missQueriesPerSecond
}

/** Judges one line; `about` says whose it is. */
export function queueFinding(
  line: QueueLine,
  about: Pick<PoolFinding, 'server' | 'service' | 'place'>,
): readonly PoolFinding[] {
  const rate = line.rate / line.pools
  const { stable, utilization, erlangs } = queue(rate, line.serviceTimeSeconds, line.servers, line.cv2)
  const waitSeconds = line.waitMs === null ? null : line.waitMs / 1000
  const needed = fewestServers(rate, line.serviceTimeSeconds, waitSeconds ?? line.serviceTimeSeconds, line)
  const size = Math.max(1, needed - line.beyond)
  const remedies: readonly Remedy[] = [
    {
      text: `${line.setting}: ${size}${line.pools === 1 ? '' : ` for each of ${line.pools} pools`}${sharedHint(line, waitSeconds)}`,
      change: `${line.owner}.${line.setting}=${size}`,
    },
  ]
  if (!stable) {
    const message = `${line.name}: ${erlangs.toFixed(1)} connections are always busy and a pool has ${line.servers} (${(utilization * 100).toFixed(0)} %): the line grows whatever the timeout`
    return [
      {
        code: 'QUEUE_UNSTABLE',
        severity: severest(line),
        ...about,
        message: message + origin(line),
        remedies,
        hint: hintOf(remedies),
      },
    ]
  }
  if (waitSeconds === null) return []
  const share = waitsLongerThan(rate, line.serviceTimeSeconds, line.servers, waitSeconds, line.cv2)
  if (share <= warnShare) return []
  const message = `${line.name}: ${(share * 100).toFixed(1)} % of requests wait over ${line.waitMs} ms for one of ${line.servers} connections`
  const severity = share > failShare ? severest(line) : 'warning'
  return [{ code: 'QUEUE_WAIT', severity, ...about, message: message + origin(line), remedies, hint: hintOf(remedies) }]
}

/** Seconds of measuring warn; they fail no deployment. */
function severest(line: QueueLine): PoolFinding['severity'] {
  return line.measuredSeconds === null ? 'error' : 'warning'
}

function origin(line: QueueLine): string {
  return line.measuredSeconds === null ? '' : `; load measured over ${line.measuredSeconds.toFixed(0)} s`
}

function sharedHint(line: QueueLine, waitSeconds: number | null): string {
  if (line.pools < 2) return ''
  const shared = fewestServers(line.rate, line.serviceTimeSeconds, waitSeconds ?? line.serviceTimeSeconds, line)
  return shared > line.pools * line.servers ? '' : `, or ${shared} in one shared pool`
}
