import { stepFailed, type LoadKnee, type LoadStep } from '../../result/documents/load-result.js'
import type { Offer } from './run-step.js'

/** A knee that is known to a fifth costs three runs less than one to a tenth, and says as much. */
const apart = 1.2

/** A quiet machine takes 8 to 12. */
const mostSteps = 16

/**
 * The highest rate whose p95 keeps the limit. All connections without a pause say what the server can do at most; from there downwards between what holds and what does
 * not until the two are a fifth apart. Then those a fifth above have to refute more, and a run at the rate to confirm it; each that says otherwise moves the rate. A rate is refused by two
 * runs, or by one that saturates. After 16 steps what is known by then is said, unconfirmed. `step` returns null when the run is over.
 */
export async function findKnee(
  limitMs: number,
  { rate: mostRate, connections }: { readonly rate: number; readonly connections: number },
  step: (offer: Offer) => Promise<LoadStep | null>,
): Promise<LoadKnee> {
  let [steps, low, high] = [1, 0, Infinity]
  const holds = async (rate: number, again = true): Promise<boolean | null> => {
    steps += 1
    const measured = steps > mostSteps ? null : await step({ rate })
    if (measured === null || measured.cut_short) return null
    const { p95 } = measured.latency_ms
    if (p95 !== null && p95 <= limitMs && measured.success >= 0.99 && !measured.saturated && !stepFailed(measured)) {
      low = Math.max(low, rate)
      if (high <= low) high = Infinity
      return true
    }
    // Somebody else on the machine makes a few answers late, but seldom twice.
    if (again && !measured.saturated) return holds(rate, false)
    high = Math.min(high, rate)
    return false
  }
  const ended = (): LoadKnee => ({
    limit_ms: limitMs,
    rate: low === 0 ? null : low,
    refuted: high === Infinity ? null : high,
    confirmed: false,
  })

  const all = await step({ users: connections, thinkMs: 0 })
  if (all === null || all.cut_short) return ended()
  let next = Math.max(1, Math.min(mostRate, Math.round(all.achieved / apart)))
  for (;;) {
    const held = await holds(next)
    if (held === null) return ended()
    if (held || high <= 1) break
    next = Math.max(1, Math.round(next / 4))
  }
  while (low > 0 && high / low > apart) {
    const middle = high === Infinity ? 0 : Math.round(Math.sqrt(low * high))
    if (middle <= low || middle >= high) break
    if ((await holds(middle)) === null) return ended()
  }
  let [rate, refuted]: [number, number | null] = [low, null]
  while (rate < mostRate && refuted === null) {
    const above = Math.min(mostRate, Math.ceil(rate * apart))
    const more = await holds(above)
    if (more === null) return ended()
    if (more) rate = above
    else refuted = above
  }
  while (rate >= 1) {
    const confirmed = await holds(rate)
    if (confirmed === null) return ended()
    if (confirmed) return { limit_ms: limitMs, rate, refuted, confirmed: true }
    low = 0
    refuted = rate
    rate = Math.floor(rate / apart)
  }
  return { ...ended(), rate: null }
}
