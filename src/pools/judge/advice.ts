import { cacheEffect } from '../sums/cache.js'
import { poolsPerInstance } from '../sums/demand.js'
import { queueLine } from './judge-queue.js'
import type { Service } from '../sums/model.js'
import type { Tenant } from '../../tenants/tenant.js'
import { fewestServers } from '../sums/queue.js'

/** What a declared load asks for, in words: the fewest connections by the queue, and what the field's rule says beside it. */
export function loadAdvice(service: Service, tenants: readonly Tenant[]): readonly string[] {
  return [...byQueue(service, tenants), ...byRule(service), ...ofCache(service)]
}

/** What the cache leaves to the database, and what it is worth by times: the mean of the ratios would say ten times as much. */
function ofCache({ name, cache, instances, runtime }: Service): readonly string[] {
  if (cache === null) return []
  const { hit, missQueriesPerSecond, speedup } = cacheEffect(cache, Math.max(1, instances.desired * runtime.processes))
  const worth = speedup === null ? '' : `; the average request is ${speedup.toFixed(1)}x as fast, by times`
  return [
    `${name}: its cache answers ${(hit * 100).toFixed(1)} % and leaves ${missQueriesPerSecond.toFixed(1)} queries/s to the database${worth}`,
  ]
}

function byQueue(service: Service, tenants: readonly Tenant[]): readonly string[] {
  const line = queueLine(service, tenants)
  if (line?.waitMs == null) return []
  const fewest = (pools: number) =>
    fewestServers(line.rate / pools, line.serviceTimeSeconds, line.waitMs === null ? 0 : line.waitMs / 1000, line)
  const split = line.pools > 1 ? `, ${line.pools * fewest(line.pools)} in ${line.pools} pools` : ''
  return [
    `${service.name}: ${fewest(1)} connections in one shared pool${split} keep 99 % of the waits under ${line.waitMs} ms`,
  ]
}

/** The field rule min = expected concurrent x 0.5, max = most concurrent x 1.5; Little's law where the file gives no number. */
function byRule(service: Service): readonly string[] {
  if (service.load === null || service.load.measuredSeconds !== undefined || service.via.kind === 'http') return []
  const { ratePerSecond, serviceTimeSeconds, expectedConcurrent, maxConcurrent } = service.load
  const little = ratePerSecond === null || serviceTimeSeconds === null ? null : ratePerSecond * serviceTimeSeconds
  const expected = expectedConcurrent ?? little
  const most = maxConcurrent ?? expected
  if (expected === null || most === null) return []
  const pools = service.instances.desired * poolsPerInstance(service)
  const min = Math.ceil(expected * 0.5)
  const max = Math.ceil(most * 1.5)
  const each = pools > 1 ? `, ${Math.ceil(min / pools)}..${Math.ceil(max / pools)} in each of ${pools} pools` : ''
  return [`${service.name}: the rule "expected x 0.5 .. most x 1.5" says ${min}..${max} in all${each}`]
}
