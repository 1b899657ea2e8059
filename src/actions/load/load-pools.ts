import { dirname, isAbsolute, join } from 'node:path'
import { PerfdbError } from '../../errors.js'
import type { DeclaredLoad } from '../../profile/load.js'
import type { Config } from '../../settings/config.js'
import type { Invocation } from '../../settings/invocation.js'

/** The pools that the connections of a load are in: a request waits for one of its own pool, as in the process that it came to. */
export interface LoadPools {
  readonly service: string | null
  /** Connections of each. */
  readonly sizes: readonly number[]
  /** Whoever waits for a connection longer than this gives up; null where only the timeout ends it. */
  readonly acquireTimeoutMs: number | null
}

const alone = (connections: number): LoadPools => ({ service: null, sizes: [connections], acquireTimeoutMs: null })

/**
 * One pool of so many connections as are `given`, else of what the profile says, else of 10; or those of the declared service: one for each process that runs at rest, each as large as check-pool counts it. Throws
 * BAD_VALUE for a service that is not there or has no connections of its own, and what reading the pools files throws.
 */
export async function loadPools(
  given: number | undefined,
  { cwd, environment }: Pick<Invocation, 'cwd' | 'environment'>,
  config: Config,
  declared: DeclaredLoad | undefined,
): Promise<LoadPools> {
  const { service: name, pools: file, connections, place } = declared ?? {}
  if (given !== undefined || name === undefined) return alone(given ?? connections ?? 10)
  const beside = file === undefined || isAbsolute(file) ? file : join(dirname(place?.file ?? ''), file)
  const files = beside === undefined ? config.pools : [beside]
  if (files.length === 0)
    throw new PerfdbError('BAD_VALUE', `load.service: no pools file says what ${name} is`, {
      hint: 'load: { service: web, pools: shop.pools.yaml }, or pools: in perfdb.yaml',
      place,
    })
  const [{ readPools }, { held }] = await Promise.all([
    import('../../pools/file/read.js'),
    import('../../pools/sums/pool.js'),
  ])
  const services = (await readPools(files, { cwd, environment })).flatMap((one) => one.services)
  const service = services.find((one) => one.name === name)
  if (service === undefined)
    throw new PerfdbError('BAD_VALUE', `load.service: no service ${name} in ${files.join(', ')}`, {
      hint: `declared: ${services.map((one) => one.name).join(', ')}`,
      place,
    })
  if (service.via.kind === 'http')
    throw new PerfdbError('BAD_VALUE', `load.service: ${name} speaks HTTP and has no connections of its own`, {
      hint: 'connections: as many as its server of HTTP has',
      place,
    })
  const { pool, runtime, instances, connectionsPerRequest } = service
  const count = instances.desired * (runtime.scope === 'instance' ? 1 : runtime.processes)
  const size = held(pool, runtime, connectionsPerRequest)
  return {
    service: name,
    sizes: Array.from({ length: count }, () => size),
    acquireTimeoutMs: pool.acquireTimeoutMs,
  }
}
