import { PerfdbError } from '../errors.js'
import type { Named } from '../profile/files.js'
import type { LoadResult } from '../result/load-result.js'
import { openDatabase } from './connect/database.js'
import { inputs } from './inputs.js'
import { shownAs } from './shown.js'
import type { Invocation } from '../settings/invocation.js'

const most = { rate: 100_000, durationMs: 600_000, connections: 500 }

/** load of these profiles, or of those of perfdb.yaml. Throws BAD_OPTION, what reading them throws, and what runLoad throws. */
export async function runLoadAction(invocation: Invocation, args: readonly Named[]): Promise<LoadResult> {
  const { rate = [], duration, connections, timeout, mix = [], allow } = invocation.options
  const rates = rate.flatMap((text) => text.split(',')).map(rateOf)
  if (rates.length === 0)
    throw new PerfdbError('BAD_OPTION', '--rate is missing', {
      hint: 'arrivals a second, one step each: --rate 20,100,500',
    })
  if (duration > most.durationMs || duration < 1000)
    throw new PerfdbError('BAD_OPTION', '--duration: a step takes 1s to 10min', { hint: '--duration 30s' })
  if (connections > most.connections)
    throw new PerfdbError('BAD_OPTION', `--connections: ${most.connections} at most`, { hint: '--connections 20' })
  const { config, profiles } = await inputs(invocation, args)
  return shownAs(profiles, invocation, async (given) => {
    const [{ runLoad }, { openLoadConnection }] = await Promise.all([
      import('../commands/load/load.js'),
      import('../server/load-connection.js'),
    ])
    await using database = await openDatabase(given, config)
    await using look = await database.connect('look')
    const queries = profiles.flatMap((profile) => profile.queries)
    return await runLoad(look, queries, async () => openLoadConnection(database.target, timeout), {
      rates,
      durationMs: duration,
      connections,
      timeoutMs: timeout,
      mix,
      allowLoad: database.embedded || (allow?.has('LOAD') ?? false),
      signal: given.signals.signal,
      signalName: given.signals.name,
      onStep: ({ offered, latency_ms: { p95 } }, number) =>
        given.listener({
          type: 'stage',
          stage: 'measure-before',
          message: `step ${number} of ${rates.length}: ${offered}/s, p95 ${p95 === null ? 'unknown' : `${p95} ms`}`,
        }),
    })
  })
}

function rateOf(text: string): number {
  const value = Number(text.trim().replace(/\/s$/, ''))
  if (text.trim() !== '' && value > 0 && value <= most.rate) return value
  throw new PerfdbError('BAD_OPTION', `--rate ${text}: expected arrivals a second, up to ${most.rate}`, {
    hint: '--rate 20,100,500',
  })
}
