import type { LoadExpectation } from '../../profile/load.js'
import type { LoadStep } from '../../result/documents/load-result.js'
import { percentile, type Histogram } from './histogram.js'
import type { Offer } from './run-step.js'
import type { Measured } from './tally.js'

const curve = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]

/** What was measured, in the words of the document. */
export function stepOf(
  offer: Offer,
  measured: Measured,
  server: LoadStep['server'],
  cutShort: boolean,
  expect: LoadExpectation,
): LoadStep {
  const { latency, wait, seconds95, due, answered, late, skipped, errors, seconds, achieved, busy, saturated } =
    measured
  const at = (of: Histogram, share: number) => rounded(percentile(of, share))
  const max = latency.count === 0 ? null : rounded(latency.max)
  const sorted = seconds95.toSorted((one, other) => one - other)
  const step: LoadStep = {
    offered: 'rate' in offer ? offer.rate : null,
    users: 'rate' in offer ? null : offer.users,
    achieved: rounded(achieved) ?? 0,
    seconds: rounded(seconds) ?? 0,
    latency_ms: { p50: at(latency, 0.5), p95: at(latency, 0.95), p99: at(latency, 0.99), max },
    p95_of_seconds_ms: {
      low: rounded(sorted[Math.floor((sorted.length - 1) * 0.1)] ?? null),
      high: rounded(sorted[Math.ceil((sorted.length - 1) * 0.9)] ?? null),
    },
    curve: curve.flatMap((share) => {
      const ms = share === 1 ? max : at(latency, share)
      return ms === null ? [] : [{ share, ms }]
    }),
    wait_ms: { p50: at(wait, 0.5), p95: at(wait, 0.95) },
    due,
    success: due === 0 ? 0 : Math.max(0, answered - late) / due,
    errors: Object.fromEntries(errors),
    late,
    skipped,
    connections_busy: rounded(busy) ?? 0,
    saturated,
    cut_short: cutShort,
    server,
    unmet: [],
  }
  return { ...step, unmet: unmetBy(step, expect) }
}

/** What is expected of each step; one at a higher rate than the expected one may do what it likes. */
function unmetBy(step: LoadStep, { times, successPercent, rate }: LoadExpectation): string[] {
  if (step.cut_short || (rate !== undefined && step.offered !== null && step.offered > rate)) return []
  const late = times.flatMap(({ of, ms }) => {
    const found = step.latency_ms[of]
    if (found !== null && found <= ms) return []
    return [`${of} ${found === null ? 'unknown' : `${found} ms`}, expected ${ms} ms`]
  })
  if (successPercent === undefined || step.success * 100 >= successPercent) return late
  return [...late, `success ${(Math.floor(step.success * 1000) / 10).toFixed(1)} %, expected ${successPercent} %`]
}

/** The rate that one of the steps has to reach, with nothing else missing: within three standard deviations of its Poisson process. */
export function unmetByAll(steps: readonly LoadStep[], { rate }: LoadExpectation): string[] {
  if (rate === undefined) return []
  const reached = steps.some(
    ({ achieved, seconds, unmet }) =>
      unmet.length === 0 && achieved >= rate * (1 - 3 / Math.sqrt(Math.max(9, rate * seconds))),
  )
  const most = Math.max(0, ...steps.map(({ achieved }) => achieved))
  return reached ? [] : [`no step answered ${rate}/s with all else fulfilled; the most was ${most}/s`]
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4))
}
