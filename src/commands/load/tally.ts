import { clear, makeHistogram, merged, percentile, record, type Histogram } from './histogram.js'

/** Plain data: it passes from thread to thread. */
export interface Measured {
  /** From the moment a request was due, of those that were answered and those that were given up. */
  readonly latency: Histogram
  /** Of it: until there was a connection. */
  readonly wait: Histogram
  /** p95 of each second in which something was answered. */
  readonly seconds95: readonly number[]
  readonly due: number
  readonly answered: number
  readonly late: number
  /** Given up unsent: they had waited for a connection longer than the timeout. */
  readonly skipped: number
  readonly errors: ReadonlyMap<string, number>
  readonly seconds: number
  /** Answers a second. */
  readonly achieved: number
  /** Connections that worked, on average. */
  readonly busy: number
  /** The queue did not empty for so long that the step was ended. */
  readonly saturated: boolean
}

export interface Tally {
  sent(asked: number, now: number): void
  /** With the code of its failure where there is one. */
  answered(asked: number, now: number, code: string | undefined): void
  skipped(asked: number, now: number): void
  /** Sent, and cancelled by us: nobody's failure. */
  cancelled(now: number): void
  measured(saturated: boolean): Measured
}

/** Counts the requests that were due from `counted` on; what came before was to warm up. `end` may still come nearer. */
export function makeTally(counted: number, end: () => number, timeoutMs: number): Tally {
  const [latency, wait, second] = [makeHistogram(), makeHistogram(), makeHistogram()]
  const seconds95: number[] = []
  const errors = new Map<string, number>()
  let [answered, failed, late, skipped] = [0, 0, 0, 0]
  let [running, busyMs, changed, secondEnds] = [0, 0, counted, counted + 1000]

  function busy(now: number, change: number): void {
    const until = Math.max(changed, Math.min(now, end()))
    busyMs += running * (until - changed)
    changed = until
    running += change
  }
  function endSecond(now: number): void {
    const p95 = percentile(second, 0.95)
    if (p95 !== null) seconds95.push(p95)
    clear(second)
    secondEnds += 1000 * (1 + Math.floor(Math.max(0, now - secondEnds) / 1000))
  }
  function felt(took: number, now: number): void {
    if (now >= secondEnds) endSecond(now)
    record(latency, took)
    record(second, took)
  }
  return {
    sent(asked, now) {
      busy(now, 1)
      if (asked >= counted) record(wait, now - asked)
    },
    answered(asked, now, code) {
      busy(now, -1)
      if (asked < counted) return
      if (code !== undefined) {
        failed += 1
        errors.set(code, (errors.get(code) ?? 0) + 1)
        return
      }
      felt(now - asked, now)
      answered += 1
      if (now - asked > timeoutMs) late += 1
    },
    skipped(asked, now) {
      if (asked < counted) return
      skipped += 1
      felt(now - asked, now)
    },
    cancelled: (now) => busy(now, -1),
    measured(saturated) {
      busy(end(), 0)
      endSecond(end())
      const due = answered + failed + skipped
      const seconds = Math.max(0, end() - counted) / 1000
      const all = { latency, wait, seconds95, due, answered, late, skipped, errors, seconds, saturated }
      const perSecond = (count: number) => (seconds === 0 ? 0 : count / seconds)
      return { ...all, achieved: perSecond(answered), busy: perSecond(busyMs / 1000) }
    },
  }
}

/** What several threads measured of one step at the same time. */
export function together(parts: readonly Measured[]): Measured {
  const sum = (of: (part: Measured) => number) => parts.reduce((all, part) => all + of(part), 0)
  const errors = new Map<string, number>()
  for (const part of parts) for (const [code, times] of part.errors) errors.set(code, (errors.get(code) ?? 0) + times)
  return {
    latency: merged(parts.map(({ latency }) => latency)),
    wait: merged(parts.map(({ wait }) => wait)),
    seconds95: parts.flatMap(({ seconds95 }) => seconds95),
    due: sum(({ due }) => due),
    answered: sum(({ answered }) => answered),
    late: sum(({ late }) => late),
    skipped: sum(({ skipped }) => skipped),
    errors,
    seconds: Math.max(...parts.map(({ seconds }) => seconds)),
    achieved: sum(({ achieved }) => achieved),
    busy: sum(({ busy }) => busy),
    saturated: parts.some(({ saturated }) => saturated),
  }
}
