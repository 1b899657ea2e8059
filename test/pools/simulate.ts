/** A generator of numbers from 0 to 1 that gives the same ones in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Controller {
  readonly surge: number
  readonly unavailable: number
  readonly startup: () => number
  readonly termination: () => number
}

/**
 * Most pods of one rolling update that exist at once, ending ones included, by the rules of the Deployment controller: never more than n + surge
 * that are not ending, never fewer than n - unavailable that are ready, and ending pods count for neither.
 */
export function podsAtWorst(n: number, { surge, unavailable, startup, termination }: Controller): number {
  let now = 0
  let old = n
  let starting: readonly number[] = []
  let ready = 0
  let ending: readonly number[] = []
  let most = n
  while (ready < n) {
    const wanted = Math.min(n - ready - starting.length, n + surge - old - starting.length - ready)
    if (wanted > 0) starting = [...starting, ...Array.from({ length: wanted }, () => now + startup())]
    const spare = Math.min(old, old + ready - (n - unavailable))
    if (spare > 0) {
      old -= spare
      ending = [...ending, ...Array.from({ length: spare }, () => now + termination())]
    }
    most = Math.max(most, old + ready + starting.length + ending.length)
    if (wanted > 0 || spare > 0) continue
    now = Math.min(...starting)
    ready += starting.filter((at) => at <= now).length
    starting = starting.filter((at) => at > now)
    ending = ending.filter((at) => at > now)
  }
  return most
}

/** Service times with mean 1: constant, Erlang, exponential, hyperexponential with balanced means. */
export function serviceTimes(cv2: number, random: () => number): () => number {
  const exponential = () => -Math.log(1 - random())
  if (cv2 === 0) return () => 1
  if (cv2 < 1) {
    const phases = Math.round(1 / cv2)
    return () => Array.from({ length: phases }, exponential).reduce((sum, one) => sum + one, 0) / phases
  }
  const likely = (1 + Math.sqrt((cv2 - 1) / (cv2 + 1))) / 2
  return () => exponential() / (2 * (random() < likely ? likely : 1 - likely))
}

/** Waits of so many requests that come at random to `servers` connections, first come first served, in order of size. */
export function simulatedWaits(
  rate: number,
  servers: number,
  times: () => number,
  random: () => number,
  requests: number,
): Float64Array {
  const free = new Float64Array(servers)
  const waits = new Float64Array(requests)
  let now = 0
  for (let request = 0; request < requests; request += 1) {
    now -= Math.log(1 - random()) / rate
    let first = 0
    for (let at = 1; at < servers; at += 1) if ((free[at] ?? 0) < (free[first] ?? 0)) first = at
    const start = Math.max(now, free[first] ?? 0)
    waits[request] = start - now
    free[first] = start + times()
  }
  return waits.subarray(Math.floor(requests / 20)).sort()
}
