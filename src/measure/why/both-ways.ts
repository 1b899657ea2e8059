import type { QueryPlan } from '../plan/query-plan.js'
import { milliseconds } from '../rules/rule.js'
import { median, speedupInTurns } from '../sample/statistics.js'

/** Two ways to run a query, in turns: what a neighbour does meanwhile meets both. */
export interface BothWays {
  /** Medians in ms. */
  readonly asIs: number
  readonly other: number
  readonly runs: number
  /** Whether the other way is quicker by a tenth at least, at 95 %; null where that cannot be told. */
  readonly faster: boolean | null
}

const leastRounds = 3
const mostRounds = 12
/** In each of the first rounds so far apart, no more are needed. */
const far = 2
const enough = 1.1

/**
 * Runs the query as it is and the other way in turns, until it is known which is the quicker or the time is spent (ms; three rounds at least). One run of the other
 * way warms it up; null where its time is not `worth` more, and when a run failed or met its timeout.
 */
export async function runBothWays(
  asIs: () => Promise<QueryPlan>,
  other: () => Promise<QueryPlan>,
  spendMs: number,
  worth: (otherMs: number) => boolean = () => true,
): Promise<BothWays | null> {
  const until = performance.now() + spendMs
  const times = { asIs: [] as number[][], other: [] as number[][] }
  const run = async (name: keyof typeof times) => {
    const { executionMs } = await (name === 'asIs' ? asIs() : other())
    times[name].push([executionMs ?? 0])
  }
  try {
    const { executionMs: warming } = await other()
    if (!worth(warming ?? 0)) return null
    for (let round = 1; round <= mostRounds; round += 1) {
      // Whoever comes second finds the cache as the first left it.
      const [first, second] = round % 2 === 1 ? (['other', 'asIs'] as const) : (['asIs', 'other'] as const)
      await run(first)
      await run(second)
      if (round >= leastRounds && (verdict(times.asIs, times.other) !== null || performance.now() > until)) break
    }
  } catch {
    return null
  }
  return {
    asIs: median(times.asIs.flat()),
    other: median(times.other.flat()),
    runs: times.asIs.length,
    faster: verdict(times.asIs, times.other),
  }
}

function verdict(asIs: readonly (readonly number[])[], other: readonly (readonly number[])[]): boolean | null {
  const ratios = asIs.map(([one = 0], round) => one / Math.max(other[round]?.[0] ?? 0, Number.MIN_VALUE))
  if (ratios.every((ratio) => ratio >= far)) return true
  if (ratios.every((ratio) => ratio <= 1 / far)) return false
  const { low, high, sound } = speedupInTurns(asIs, other)
  if (!sound) return null
  return low >= enough ? true : high < enough ? false : null
}

export function bothTimes({ asIs, other, runs }: BothWays): string {
  return `${milliseconds(other)} with it, ${milliseconds(asIs)} without (${runs} runs each, in turns)`
}
