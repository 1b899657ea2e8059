import { stepFailed, type LoadKnee, type LoadStep } from '../../result/load-result.js'

/** A knee that is known to a fifth costs three runs less than one to a tenth, and says as much. */
const apart = 1.2

const search = { first: 16, times: 4, mostSteps: 40 }

/**
 * The highest rate whose p95 keeps the limit: upwards in large steps until one does not, then halved between the two until they are a fifth apart. Then a run at the
 * rate has to confirm it, and those a fifth above to refute more; each that says otherwise moves the rate. A rate is refused by two runs, or by one that saturates. `step` returns null when the run is over.
 */
export async function findKnee(
  limitMs: number,
  mostRate: number,
  step: (rate: number) => Promise<LoadStep | null>,
): Promise<LoadKnee> {
  let steps = 0
  const holds = async (rate: number, again = true): Promise<boolean | null> => {
    steps += 1
    const measured = steps > search.mostSteps ? null : await step(rate)
    if (measured === null || measured.cut_short) return null
    const { p95 } = measured.latency_ms
    if (p95 !== null && p95 <= limitMs && measured.success >= 0.99 && !measured.saturated && !stepFailed(measured))
      return true
    // Somebody else on the machine makes a few answers late, but seldom twice.
    return again && !measured.saturated ? holds(rate, false) : false
  }
  const unknown: LoadKnee = { limit_ms: limitMs, rate: null, refuted: null }

  let [low, high] = [0, Infinity]
  let next = search.first
  while (high / low > apart) {
    const held = await holds(next)
    if (held === null) return unknown
    if (held) low = next
    else high = next
    if (low >= mostRate || high <= 1) break
    if (high === Infinity) next = Math.min(mostRate, low * search.times)
    else next = Math.max(1, Math.round(low === 0 ? high / search.times : Math.sqrt(low * high)))
    if (next === low || next === high) break
  }
  let tried = 0
  while (low >= 1 && (tried += 1) <= 6) {
    const confirmed = await holds(low)
    if (confirmed === null) return unknown
    if (!confirmed) {
      low = Math.floor(low / apart)
      continue
    }
    const above = Math.min(mostRate, Math.ceil(low * apart))
    if (above === low) return { ...unknown, rate: low }
    const more = await holds(above)
    if (more === null) return unknown
    if (!more) return { ...unknown, rate: low, refuted: above }
    low = above
  }
  return unknown
}
