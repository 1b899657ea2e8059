import { PerfdbError } from '../../errors.js'
import { nearest } from '../../text/nearest.js'
import { capacity, limitsOf } from '../sums/capacity.js'
import type { Deployment } from '../sums/model.js'
import { poolerKeys, serverKeys, serviceKeys, shortKeys, truth, wholeNumber, type Keys } from './what-if-keys.js'
import { withTenants } from './what-if-tenants.js'

/**
 * The deployment with changes such as `api.instances=6`, `api.pool.max=4`, `pgb.default_pool_size=10` or `main.max_connections=300`: keys as the file
 * writes them, of a service, a pooler or a server, and `tenants=20000` for all tenants; where one name stands for several, the key tells which. Throws BAD_OPTION with the names or
 * keys that there are.
 */
export function withChanges(deployment: Deployment, changes: readonly string[]): Deployment {
  const changed = changes.reduce(withChange, deployment)
  for (const server of changed.servers) {
    const limits = server.assumed === undefined ? null : limitsOf(server, null)
    if (limits !== null && capacity(limits) <= 0)
      throw new PerfdbError(
        'BAD_OPTION',
        `--what-if: the reserved connections of ${server.name} leave none of ${limits.maxConnections}`,
      )
  }
  return changed
}

function withChange(deployment: Deployment, change: string): Deployment {
  const [, tenants] = /^\s*tenants\s*=\s*(.+?)\s*$/.exec(change) ?? []
  if (tenants !== undefined)
    return withTenants(deployment, wholeNumber(tenants, `--what-if ${change}`), `--what-if ${change}`)
  const [, ending] = /^\s*defaults\.count_terminating\s*=\s*(.+?)\s*$/.exec(change) ?? []
  if (ending !== undefined) return withTerminating(deployment, truth(ending, `--what-if ${change}`))
  const { name: spaceless, key: written, value } = parts(change)
  const name = namesOf(deployment).find((one) => one.replaceAll(' ', '') === spaceless) ?? spaceless
  const key = shortKeys[written] ?? written
  const kinds = [
    kindOf('service', deployment.services, serviceKeys, (services) => ({ ...deployment, services })),
    kindOf('pooler', deployment.poolers, poolerKeys, (poolers) => ({ ...deployment, poolers })),
    kindOf('server', deployment.servers, serverKeys, (servers) => ({ ...deployment, servers })),
  ]
  const named = kinds.filter(({ names }) => names.includes(name))
  if (named.length === 0) {
    const names = kinds.flatMap((kind) => kind.names)
    const near = nearest(name, names)
    throw new PerfdbError(
      'BAD_OPTION',
      `--what-if ${change}: no service, pooler or server is named ${name}${near === undefined ? '' : `; did you mean ${near}?`}`,
      { hint: `there are ${[...new Set(names)].slice(0, 20).join(', ')}` },
    )
  }
  const changed = named.find(({ keys }) => keys.includes(key))?.change(name, key, value, `--what-if ${change}`)
  if (changed !== undefined) return changed
  throw new PerfdbError('BAD_OPTION', `--what-if ${change}: ${written} cannot be changed here`, {
    hint: named.map(({ kind, keys }) => `keys of a ${kind}: ${keys.join(', ')}`).join('; '),
  })
}

/** The default of all services: each that declares its own keeps it where the file says so, which the deployment no longer tells. */
function withTerminating(deployment: Deployment, countTerminating: boolean): Deployment {
  const services = deployment.services.map((service) =>
    service.deploy.strategy === 'rolling' ? { ...service, deploy: { ...service.deploy, countTerminating } } : service,
  )
  return { ...deployment, services }
}

function namesOf({ services, poolers, servers }: Deployment): readonly string[] {
  return [...services, ...poolers, ...servers].map((one) => one.name)
}

/** What --what-if can change of one kind of thing. */
interface Kind {
  readonly kind: string
  readonly names: readonly string[]
  readonly keys: readonly string[]
  /** undefined for a key that it has not. */
  change(name: string, key: string, value: string, option: string): Deployment | undefined
}

function kindOf<One extends { readonly name: string }>(
  kind: string,
  all: readonly One[],
  keys: Keys<One>,
  estateWith: (changed: readonly One[]) => Deployment,
): Kind {
  return {
    kind,
    names: all.map((one) => one.name),
    keys: Object.keys(keys),
    change(name, key, value, option) {
      const change = keys[key]
      return change && estateWith(all.map((one) => (one.name === name ? change(one, value, option) : one)))
    },
  }
}

/** Names may have dots: the key begins at the last one, or at the word before `pool`, `instances`, `runtime` and `deploy`. */
function parts(change: string): { readonly name: string; readonly key: string; readonly value: string } {
  const match = /^(.+?)\.((?:(?:pool|instances|runtime|deploy|settings)\.)?[a-z_]+)=(.+)$/.exec(
    change.replaceAll(' ', ''),
  )
  const [, name, key, value] = match ?? []
  if (name === undefined || key === undefined || value === undefined)
    throw new PerfdbError('BAD_OPTION', `--what-if ${change}: the form is NAME.KEY=VALUE`, {
      hint: '--what-if api.instances=6 --what-if api.pool.max=4',
    })
  return { name, key, value }
}
