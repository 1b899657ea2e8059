/** A sum over the last one to two minutes, and over all. */
export interface Window {
  add(value: number): void
  recent(): number
  readonly total: number
}

const lengthMs = 60_000

/** Two buckets that take turns: no list of events, and what happened last night is no alarm today. */
export function makeWindow(): Window {
  let [now, before, total] = [0, 0, 0]
  let adds = 0
  let since = performance.now()
  const turn = () => {
    const age = performance.now() - since
    if (age < lengthMs) return
    before = age < 2 * lengthMs ? now : 0
    now = 0
    since = performance.now()
  }
  return {
    add(value) {
      // The clock is not for every query: `recent` looks at it in any case.
      adds += 1
      if (adds % 64 === 0) turn()
      now += value
      total += value
    },
    recent() {
      turn()
      return now + before
    },
    get total() {
      return total
    },
  }
}
