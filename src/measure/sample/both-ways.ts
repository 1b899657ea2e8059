import type { QueryPlan } from '../plan/query-plan.js'
import { leastForInterval, median, roundRatios, speedupInTurns, sum } from './statistics.js'

/** Two ways to run a query, in turns: what a neighbour does meanwhile meets both. */
export interface BothWays {
  /** Medians in ms. */
  readonly asIs: number
  readonly other: number
  readonly runs: number
  /** The other way is so many times as fast, at 95 %; 0 and infinity where that cannot be told. */
  readonly low: number
  readonly high: number
}

const leastRounds = 3
/** Beyond those of an interval: of a quick query more of them cost nothing. */
const mostRounds = 24
const quickMs = 250
/** So far apart in each of the first rounds, no more of them are needed. */
const far = 1.5

/**
 * Runs the query as it is and the other way in turns, until what is asked is `known` of the ends of the interval, or the time is spent (ms; three rounds at
 * least). Both ways have warm caches already. null when a run failed or met its timeout.
 */
export async function runBothWays(
  asIs: () => Promise<QueryPlan>,
  other: () => Promise<QueryPlan>,
  spendMs: number,
  known: (interval: Pick<BothWays, 'low' | 'high'>) => boolean,
): Promise<BothWays | null> {
  const start = performance.now()
  const times = { asIs: [] as number[][], other: [] as number[][] }
  const run = async (name: keyof typeof times) => {
    const { executionMs } = await (name === 'asIs' ? asIs() : other())
    times[name].push([executionMs ?? 0])
  }
  try {
    for (let round = 1; ; round += 1) {
      // Whoever comes second finds the cache as the first left it.
      const [first, second] = round % 2 === 1 ? (['other', 'asIs'] as const) : (['asIs', 'other'] as const)
      await run(first)
      await run(second)
      if (round < leastRounds) continue
      const interval = intervalOf(times.asIs, times.other)
      const ranMs = sum([...times.asIs, ...times.other].flat())
      const mayGoOn =
        round < leastForInterval ? performance.now() - start < spendMs : round < mostRounds && ranMs < quickMs
      if (!known(interval) && mayGoOn) continue
      return { asIs: median(times.asIs.flat()), other: median(times.other.flat()), runs: round, ...interval }
    }
  } catch {
    return null
  }
}

function intervalOf(asIs: readonly (readonly number[])[], other: readonly (readonly number[])[]) {
  const ratios = roundRatios(asIs, other).map(Math.exp)
  if (ratios.every((ratio) => ratio >= far) || ratios.every((ratio) => ratio <= 1 / far))
    return { low: Math.min(...ratios), high: Math.max(...ratios) }
  const { low, high, sound } = speedupInTurns(asIs, other)
  return sound ? { low, high } : { low: 0, high: Number.POSITIVE_INFINITY }
}
