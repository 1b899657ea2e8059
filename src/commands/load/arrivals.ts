/** When requests are due, in ms of performance.now(). */
export interface Arrivals {
  /** The next one; Infinity while nobody is about to ask. */
  next(): number
  /** The next ones as far as they are known, the earliest first. */
  ahead(): readonly number[]
  take(): void
  /** One of those taken is over: answered, failed or given up. */
  over(now: number): void
}

/** So many arrivals of an open loop are known beforehand. */
const known = 16

/**
 * An open loop: requests arrive by themselves, `rate` a second as a Poisson process, whether or not those before them are answered. The same load on both
 * sides of a comparison.
 */
export function openArrivals(rate: number, start: number, random: () => number): Arrivals {
  const dues: number[] = []
  let [at, last] = [0, start]
  function more(): void {
    dues.splice(0, at)
    at = 0
    while (dues.length < known) dues.push((last += exponential(1000 / rate, random)))
  }
  more()
  return {
    next: () => dues[at] ?? Infinity,
    ahead: () => dues.slice(at),
    take() {
      at += 1
      if (at === dues.length) more()
    },
    over: () => undefined,
  }
}

/** A closed loop: each of the users asks, waits for the answer, thinks (`thinkMs` on average, exponentially distributed) and asks again. */
export function closedArrivals(users: number, thinkMs: number, start: number, random: () => number): Arrivals {
  /** Latest first, so that the next one is at the end. */
  const dues: number[] = []
  const add = (due: number) => {
    let [low, high] = [0, dues.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((dues[middle] ?? 0) > due) low = middle + 1
      else high = middle
    }
    dues.splice(low, 0, due)
  }
  // They do not begin all at once: nobody's users do.
  for (let user = 0; user < users; user += 1) add(start + exponential(thinkMs, random))
  return {
    next: () => dues.at(-1) ?? Infinity,
    ahead: () => dues.slice(-1),
    take: () => void dues.pop(),
    over: (now) => add(now + exponential(thinkMs, random)),
  }
}

function exponential(mean: number, random: () => number): number {
  return -Math.log(1 - random()) * mean
}
