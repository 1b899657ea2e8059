/** Median with its 95 % interval; `low` and `high` are samples themselves. */
export interface MedianInterval {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly samples: number
  /** Probability that the interval covers the true median; below 0.95 with fewer than 6 samples. */
  readonly coverage: number
}

/** A ratio of two medians with its 95 % interval. */
export interface RatioInterval {
  readonly median: number
  readonly low: number
  readonly high: number
  /** False when one of the sides has too few samples for a 95 % interval. */
  readonly sound: boolean
}

export const confidence = 0.95

/** Fewer samples have no interval of 95 %, see medianInterval. */
export const leastForInterval = 6

/** Samples go on until the 95 % interval of the median is within 10 %: 50 to 100 of them on a noisy machine. */
export const tolerance = 0.1

/** EXPLAIN prints times in ms with three decimals: nothing can be told apart below that. */
export const resolutionMs = 0.001

/** The middle sample, or the mean of the two in the middle. NaN for no samples. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The sample in the middle by what is counted of it, the lower of two; undefined for no samples. */
export function middle<T>(samples: readonly T[], counted: (sample: T) => number): T | undefined {
  return samples.toSorted((a, b) => counted(a) - counted(b))[(samples.length - 1) >> 1]
}

/**
 * Distribution-free interval of the median by binomial order statistics: how many samples fall below the true median
 * is Binomial(n, 1/2), whatever the distribution. Le Boudec, "Performance Evaluation of Computer and Communication
 * Systems" (2010), theorem 2.1; Conover, "Practical Nonparametric Statistics", 3rd ed., section 3.2.
 * Below 6 samples no pair of order statistics reaches 95 %: the interval is minimum to maximum and `coverage` says so.
 */
export function medianInterval(samples: readonly number[]): MedianInterval {
  const sorted = samples.toSorted((a, b) => a - b)
  const { rank, coverage } = medianRank(sorted.length)
  return {
    median: median(sorted),
    low: sorted[rank - 1] ?? Number.NaN,
    high: sorted[sorted.length - rank] ?? Number.NaN,
    samples: sorted.length,
    coverage,
  }
}

/** True when both ends of the interval are within `tolerance` (0.1 is 10 %) of the median, at 95 %. */
export function narrow(interval: MedianInterval, tolerance: number): boolean {
  const width = Math.max(interval.high - interval.median, interval.median - interval.low)
  return interval.coverage >= confidence && width <= tolerance * Math.max(interval.median, resolutionMs)
}

/**
 * How many times faster: median of `before` over median of `after`, times in ms. What the control query's time changed by is drift of the
 * machine, and is taken out of the estimate; but a query may share it only in part, so that the interval holds the ratio as it was seen too. `noise` is the ratio that pairs of nothing reach in this run (1: none): samples of
 * one block know nothing of what differs from block to block, and the interval is as much wider.
 *
 * It is put together from the intervals of the medians on a log scale by the method of variance estimates recovery
 * (Zou and Donner 2008, "Construction of confidence limits about effect measures: a general approach", Statistics in
 * Medicine 27:1693), which needs no distribution and no random numbers. Law: speedup(a, b) x speedup(b, a) = 1, and
 * the ends of the one are the inverse of the ends of the other.
 */
export function speedup(
  before: readonly number[],
  after: readonly number[],
  control: { readonly before: readonly number[]; readonly after: readonly number[] } = { before: [], after: [] },
  noise = 1,
): RatioInterval {
  const sides = [logInterval(before), logInterval(after)] as const
  const seen = difference(...sides, Math.log(noise))
  const controlled = control.before.length > 0 && control.after.length > 0
  const drift = controlled ? difference(logInterval(control.after), logInterval(control.before), 0) : nothing
  const estimate = seen.estimate + drift.estimate
  return {
    median: Math.exp(estimate),
    low: Math.exp(Math.min(seen.estimate - seen.below, estimate - Math.hypot(seen.below, drift.below))),
    high: Math.exp(Math.max(seen.estimate + seen.above, estimate + Math.hypot(seen.above, drift.above))),
    sound: sides.every((term) => term.coverage >= confidence),
  }
}

/** The samples of each round, in ms. */
export type Rounds = readonly (readonly number[])[]

/**
 * As speedup, of two sides whose samples were taken in turns, a list for each round: the median of what each round says, and the interval of
 * that median, as of any other. A neighbour that makes both sides of a round twice as slow changes no ratio, where the medians of all samples
 * swing between the quiet rounds and the others. Not sound below 6 rounds.
 */
export function speedupInTurns(before: Rounds, after: Rounds, noise = 1): RatioInterval {
  const of = medianInterval(roundRatios(before, after))
  const more = Math.log(noise)
  return {
    median: Math.exp(of.median),
    low: Math.exp(of.median - Math.hypot(of.median - of.low, more)),
    high: Math.exp(of.median + Math.hypot(of.high - of.median, more)),
    sound: of.coverage >= confidence,
  }
}

/** Logarithms of what each round says. */
export function roundRatios(before: Rounds, after: Rounds): readonly number[] {
  const logMedian = (samples: readonly number[]) => Math.log(Math.max(median(samples), resolutionMs))
  return before.flatMap((samples, round) => {
    const other = after[round] ?? []
    return samples.length === 0 || other.length === 0 ? [] : [logMedian(samples) - logMedian(other)]
  })
}

/** True when a ratio is known within 10 % to both sides, at 95 %. */
export function narrowRatio({ median: middle, low, high, sound }: RatioInterval): boolean {
  return sound && Math.max(high / middle, middle / low) <= 1 + tolerance
}

interface Difference {
  readonly estimate: number
  readonly below: number
  readonly above: number
}

const nothing: Difference = { estimate: 0, below: 0, above: 0 }

function difference(a: MedianInterval, b: MedianInterval, more: number): Difference {
  return {
    estimate: a.median - b.median,
    below: Math.hypot(a.median - a.low, b.high - b.median, more),
    above: Math.hypot(a.high - a.median, b.median - b.low, more),
  }
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function logInterval(samples: readonly number[]): MedianInterval {
  return medianInterval(samples.map((value) => Math.log(Math.max(value, resolutionMs))))
}

/** The largest rank k with P(k <= Binomial(n, 1/2) <= n - k) >= 95 %; rank 1 when there is none. */
function medianRank(n: number): { readonly rank: number; readonly coverage: number } {
  // In logarithms: 2^-n is 0 in floating point beyond 1074 samples.
  let logTerm = -n * Math.LN2
  let tail = Math.exp(logTerm)
  let best = { rank: 1, coverage: Math.max(0, 1 - 2 * tail) }
  for (let rank = 2; rank <= n / 2; rank += 1) {
    logTerm += Math.log((n - rank + 2) / (rank - 1))
    tail += Math.exp(logTerm)
    const coverage = 1 - 2 * tail
    if (coverage < confidence) break
    best = { rank, coverage }
  }
  return best
}
