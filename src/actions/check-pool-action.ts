import type { PoolResult } from '../result/documents/pool-result.js'
import type { WatchOptions } from '../commands/pool/pool-watch.js'
import { PerfdbError } from '../errors.js'
import type { Named } from '../profile/files/files.js'
import type { Config } from '../settings/config.js'
import { openDatabase, type Database } from './connect/database.js'
import type { Invocation } from '../settings/invocation.js'

/**
 * check-pool of these files. --url, else the environment or perfdb.yaml, stands for the one server without a url; where nothing names one
 * it is not asked. Throws what reading the files throws, and BAD_OPTION.
 */
export async function runCheckPoolAction(
  invocation: Invocation,
  config: Config,
  paths: readonly Named[],
): Promise<PoolResult> {
  const { options, cwd, environment } = invocation
  const [{ readPools }, { askRegistry }] = await Promise.all([
    import('../pools/file/read.js'),
    import('../commands/shared/registry.js'),
  ])
  const offline = options.offline ?? false
  const files = await readPools(paths, {
    cwd,
    environment,
    listed: invocation.tenants,
    ...(!offline && { askRegistry: async (registry) => askRegistry(registry, environment) }),
  })
  const explicit = options.url !== undefined
  const wanted = !offline && (explicit || files.some((file) => file.servers.some((server) => server.url === null)))
  await using database = wanted ? await namedDatabase(invocation, config) : null
  const given = database === null ? undefined : { explicit, connect: async () => database.connect('look') }
  const common = {
    offline,
    failOn: options.failOn === 'warn' ? 'warn' : 'fail',
    environment,
    given,
    suggest: options.suggest ?? false,
    whatIf: options.whatIf === true ? [] : (options.whatIf ?? []),
  } as const
  if (options.watch === undefined) {
    const { runCheckPool } = await import('../commands/pool/check-pool.js')
    return await runCheckPool(files, common)
  }
  const { watchPools } = await import('../commands/pool/pool-watch.js')
  return await watchPools(files, {
    ...common,
    ...(await watching(invocation)),
    intervalMs: typeof options.watch === 'number' ? options.watch : 5000,
    rounds: options.count ?? Infinity,
  })
}

/** null where nothing names a database, or only a variable that is not set: a finding says so, beside those of the file. */
async function namedDatabase(invocation: Invocation, config: Config): Promise<Database | null> {
  try {
    return await openDatabase(invocation, config)
  } catch (error) {
    if (error instanceof PerfdbError && (error.code === 'NO_URL' || error.code === 'MISSING_ENVIRONMENT')) return null
    throw error
  }
}

/** A line a sample: on stdout before the text of the result, on stderr beside a document that a program reads. */
async function watching({
  options,
  signals,
  streams,
}: Invocation): Promise<Pick<WatchOptions, 'signal' | 'signalName' | 'onSample'>> {
  const { sampleLine } = await import('../report/blocks/pool-sample.js')
  const stream = options.format === 'text' ? streams.stdout : streams.stderr
  return {
    signal: signals.signal,
    signalName: signals.name,
    onSample: (sample) => {
      if (options.format === 'text' || options.quiet !== true) stream.write(`${sampleLine(sample)}\n`)
    },
  }
}
