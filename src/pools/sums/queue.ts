/** One pool as a queue: `a` erlangs offered to `c` connections. Times in seconds. */
export interface Queue {
  readonly servers: number
  readonly erlangs: number
  /** Share of the connections that work: 1 and more is unstable, the line grows without end. */
  readonly utilization: number
  readonly stable: boolean
  /** Probability that a request has to wait at all (Erlang C). */
  readonly waits: number
  readonly meanWaitSeconds: number
  readonly p99WaitSeconds: number
}

/**
 * M/G/c: `rate` arrivals per second, service time S seconds, `servers` connections. Who waits is Erlang C, the mean wait that of Lee and
 * Longton (1 + cv2)/2, which above cv2 = 1 is an upper bound (1.7 times the simulated mean at cv2 = 16 and 20 connections), the tail that of `tail`.
 * test/pools/queue.test.ts holds all of it against a simulation. Waits are Infinity and waits = 1 when unstable.
 */
export function queue(rate: number, serviceTimeSeconds: number, servers: number, cv2 = 1): Queue {
  const erlangs = rate * serviceTimeSeconds
  const utilization = servers === 0 ? Infinity : erlangs / servers
  if (utilization >= 1) {
    return {
      servers,
      erlangs,
      utilization,
      stable: false,
      waits: 1,
      meanWaitSeconds: Infinity,
      p99WaitSeconds: Infinity,
    }
  }
  const waits = erlangC(erlangs, servers)
  const { meanSeconds, beyond } = tail(rate, serviceTimeSeconds, servers, cv2)
  return {
    servers,
    erlangs,
    utilization,
    stable: true,
    waits,
    meanWaitSeconds: waits * meanSeconds,
    p99WaitSeconds: waits > 0.01 ? reached((seconds) => waits * beyond(seconds), 0.01, meanSeconds) : 0,
  }
}

/** Probability that a request waits longer than t seconds; 1 when the queue is unstable. */
export function waitsLongerThan(
  rate: number,
  serviceTimeSeconds: number,
  servers: number,
  seconds: number,
  cv2 = 1,
): number {
  const { stable, waits } = queue(rate, serviceTimeSeconds, servers, cv2)
  return stable ? waits * tail(rate, serviceTimeSeconds, servers, cv2).beyond(seconds) : 1
}

/**
 * The wait of those that wait: its mean, and the probability that it lasts longer than t seconds. Up to cv2 = 1 it is exponential. Above, it is
 * that of hyperexponential service with balanced means: two exponentials whose rates are the roots of E[exp(x S / c)] = 1 + x / rate (exact for
 * one connection; Abate, Choudhury and Whitt, "Exponential approximations for tail probabilities in queues", Oper. Res. 43, 1995), weighed so
 * that the mean is kept. An exponential with that mean alone is up to 24 % too short at the 99th percentile.
 */
function tail(
  rate: number,
  serviceTimeSeconds: number,
  servers: number,
  cv2: number,
): { readonly meanSeconds: number; readonly beyond: (seconds: number) => number } {
  const meanSeconds = (serviceTimeSeconds / (servers - rate * serviceTimeSeconds)) * ((1 + cv2) / 2)
  if (cv2 <= 1 || rate === 0) return { meanSeconds, beyond: (seconds) => Math.exp(-seconds / meanSeconds) }
  const likely = (1 + Math.sqrt((cv2 - 1) / (cv2 + 1))) / 2
  const [short, long] = [serviceTimeSeconds / (2 * likely), serviceTimeSeconds / (2 * (1 - likely))]
  const between = servers / rate
  const square = between * short * long
  const linear = short * long - between * (short + long)
  const constant = between - short - long + likely * long + (1 - likely) * short
  const root = Math.sqrt(linear * linear - 4 * square * constant)
  const slow = (servers * (-linear - root)) / (2 * square)
  const quick = (servers * (-linear + root)) / (2 * square)
  const share = Math.min(1, Math.max(0, (meanSeconds - 1 / quick) / (1 / slow - 1 / quick)))
  return {
    meanSeconds,
    beyond: (seconds) => share * Math.exp(-slow * seconds) + (1 - share) * Math.exp(-quick * seconds),
  }
}

/** Seconds at which a falling probability reaches `share`, by halving. */
function reached(probability: (seconds: number) => number, share: number, guess: number): number {
  let [low, high] = [0, guess]
  while (probability(high) > share) high *= 2
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2
    if (probability(middle) > share) low = middle
    else high = middle
  }
  return high
}

/** Fewest connections with which at most `share` of the requests (0.01) wait longer than t seconds. */
export function fewestServers(
  rate: number,
  serviceTimeSeconds: number,
  seconds: number,
  { cv2 = 1, share = 0.01 }: { readonly cv2?: number; readonly share?: number } = {},
): number {
  let servers = Math.max(1, Math.floor(rate * serviceTimeSeconds))
  while (waitsLongerThan(rate, serviceTimeSeconds, servers, seconds, cv2) > share) servers += 1
  return servers
}

/** The stable recursion B(k) = a B(k-1) / (k + a B(k-1)) of Erlang B, then C = B / (1 - rho (1 - B)). */
function erlangC(erlangs: number, servers: number): number {
  let blocked = 1
  for (let k = 1; k <= servers; k += 1) blocked = (erlangs * blocked) / (k + erlangs * blocked)
  return blocked / (1 - (erlangs / servers) * (1 - blocked))
}
