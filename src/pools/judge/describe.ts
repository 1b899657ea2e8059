import type { BudgetLine } from './budget.js'
import { instancesAtPeak, instancesSteady, poolsPerInstance } from '../sums/demand.js'
import { runtimes, type RuntimeKind } from '../sums/runtimes.js'
import type { Service } from '../sums/model.js'
import { cap, held } from '../sums/pool.js'
import { several } from '../../text/amounts.js'

/** The arithmetic of a service on a server with so many tenants in words, such as `2 instances x 4 gunicorn workers x own pool 8..24 = 192, 64 opened at boot`. */
export function describeService(
  service: Service,
  line: Pick<BudgetLine, 'steady' | 'peak' | 'warm'>,
  tenants: number,
): string {
  if (service.via.kind === 'http') return 'speaks HTTP: no connection to PostgreSQL of its own'
  const factors = [
    instances(service),
    ...(poolsPerInstance(service) > 1 ? [`${poolsPerInstance(service)} ${workers(service)}`] : []),
    ...(service.pool.perTenant ? [several(tenants, 'tenant')] : []),
    poolText(service),
    ...outside(service),
  ]
  const surge =
    line.peak > line.steady
      ? `, ${line.peak} with ${instancesAtPeak(service)} instances during a rollout${rolloutText(service)}`
      : ''
  const boot = line.warm > 0 ? `, ${line.warm} opened at boot` : ''
  return `${factors.join(' x ').replaceAll(' x and ', ' and ')} = ${line.steady}${surge}${boot}`
}

/** Why so many are there at once, where it is not the surge alone. */
function rolloutText({ deploy }: Service): string {
  if (deploy.strategy !== 'rolling') return ''
  const ending = deploy.countTerminating ? 'old ones still end' : ''
  const assumed = deploy.assumed === true ? 'no deploy declared' : ''
  const why = [assumed, ending].filter((part) => part !== '').join(', ')
  return why === '' ? '' : ` (${why})`
}

/** The first three of many names: `a, b, c and 197 more`. */
export function someOf(names: readonly string[]): string {
  const rest = names.length - 3
  return names.slice(0, 3).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

function instances(service: Service): string {
  const count = instancesSteady(service)
  return service.runtime.maxConcurrency !== null ? `${count} concurrent functions` : several(count, 'instance')
}

function workers({ runtime }: Service): string {
  const kinds: Readonly<Record<string, RuntimeKind>> = runtimes
  return kinds[runtime.kind]?.noun ?? 'processes'
}

function poolText({ pool, runtime, connectionsPerRequest }: Service): string {
  const owner = runtime.scope === 'instance' && runtime.processes > 1 ? ' shared' : ''
  const own = runtime.scope === 'process' && runtime.processes > 1 ? 'own ' : ''
  const size = pool.maxOverflow > 0 ? `(${pool.max} + ${pool.maxOverflow} overflow)` : String(pool.max)
  const range = pool.eager && pool.min > 0 && pool.min < pool.max && own !== '' ? `${pool.min}..${size}` : size
  const used = held(pool, runtime, connectionsPerRequest)
  const bound = used < cap(pool) ? ` of which threads use ${used}` : ''
  return `${own}pool ${range}${owner}${bound}`
}

function outside({ runtime, extraConnections, audit }: Service): readonly string[] {
  const own = audit?.ownConnections === true ? audit.workers : 0
  const each = extraConnections + own
  return each === 0
    ? []
    : [`and ${each} more in each of ${several(runtime.processes, 'process').replace('processs', 'processes')}`]
}
