import type { LoadConnection } from '../../server/load-connection.js'
import { makeHistogram, type Histogram } from './histogram.js'

export interface Request {
  readonly text: string
  readonly values: readonly (string | null)[]
}

export interface Step {
  /** Arrivals a second. */
  readonly rate: number
  readonly durationMs: number
  /** At the beginning, sent and not counted. */
  readonly warmUpMs: number
  /** An answer that comes later than so long after its request was due is a failure. */
  readonly timeoutMs: number
}

export interface Measured {
  /** From the moment a request was due, of those that were answered and those that were given up. */
  readonly latency: Histogram
  /** Of it: until there was a connection. */
  readonly wait: Histogram
  readonly due: number
  readonly answered: number
  readonly late: number
  /** Given up unsent: they had waited for a connection longer than the timeout. */
  readonly skipped: number
  readonly errors: ReadonlyMap<string, number>
  readonly seconds: number
  readonly busy: number
  /** The queue did not empty for so long that the step was ended. */
  readonly saturated: boolean
}

/** So long without an empty queue is saturation. */
const saturationMs = 5000

/**
 * Requests arrive by themselves, as a Poisson process, whether or not those before them are answered: the same load on both sides of a comparison. Time counts
 * from the moment a request was due, so that a server that stops is told by all who would have come meanwhile.
 */
export async function openLoop(
  step: Step,
  connections: readonly LoadConnection[],
  next: () => Request,
  random: () => number,
  signal: AbortSignal,
): Promise<Measured> {
  const [latency, wait] = [makeHistogram(), makeHistogram()]
  const errors = new Map<string, number>()
  const free = connections.filter((connection) => !connection.lost())
  const queue: number[] = []
  const start = performance.now()
  const counted = start + step.warmUpMs
  let end = counted + step.durationMs
  let [head, due, answered, late, skipped, all, running] = [0, start, 0, 0, 0, 0, 0]
  let [busyMs, changed, emptied] = [0, start, start]
  let alive = free.length
  let saturated = false

  const count = (change: number) => {
    const now = performance.now()
    busyMs += running * Math.max(0, Math.min(now, end) - Math.max(changed, counted))
    changed = now
    running += change
  }
  const interval = () => (-Math.log(1 - random()) * 1000) / step.rate
  const over = (asked: number, code?: string) => {
    if (asked < counted) return
    const took = performance.now() - asked
    if (code !== undefined) errors.set(code, (errors.get(code) ?? 0) + 1)
    else {
      latency.record(took)
      answered += 1
      if (took > step.timeoutMs) late += 1
    }
  }

  return new Promise((resolve) => {
    due += interval()
    function dispatch(): void {
      const now = performance.now()
      while (head < queue.length) {
        const asked = queue[head] ?? now
        if (now - asked > step.timeoutMs) {
          head += 1
          if (asked >= counted) {
            skipped += 1
            latency.record(now - asked)
          }
          continue
        }
        const connection = free.pop()
        if (connection === undefined) break
        head += 1
        if (asked >= counted) wait.record(now - asked)
        count(1)
        const { text, values } = next()
        connection.run(text, values).then(
          () => answer(connection, asked),
          (error: unknown) => answer(connection, asked, codeOf(error)),
        )
      }
      if (head === queue.length) {
        queue.length = 0
        head = 0
        emptied = now
      }
    }
    function answer(connection: LoadConnection, asked: number, code?: string): void {
      count(-1)
      over(asked, code)
      if (connection.lost() || (code !== undefined && !/^[0-9A-Z]{5}$/.test(code)) || code === '57P01') alive -= 1
      else free.push(connection)
      dispatch()
    }
    function stop(): void {
      end = Math.min(end, performance.now())
    }
    function tick(): void {
      const now = performance.now()
      if (signal.aborted || alive === 0) {
        // What waits is nobody's fault: only what was sent is waited for.
        stop()
        queue.length = 0
        head = 0
      }
      while (due <= now && due < end) {
        queue.push(due)
        if (due >= counted) all += 1
        due += interval()
      }
      dispatch()
      if (now - emptied > saturationMs && now < end) {
        saturated = true
        stop()
      }
      if (now >= end && head === queue.length && (running === 0 || alive === 0)) {
        count(0)
        const seconds = Math.max(0, end - counted) / 1000
        const busy = seconds === 0 ? 0 : busyMs / 1000 / seconds
        resolve({ latency, wait, due: all, answered, late, skipped, errors, seconds, busy, saturated })
        return
      }
      // A timer is late by a millisecond, which would be the whole of a fast answer.
      if (now >= end || due - performance.now() > 2) setTimeout(tick, 1)
      else setImmediate(tick)
    }
    tick()
  })
}

function codeOf(error: unknown): string {
  const { code } = Object(error)
  return typeof code === 'string' ? code : 'unknown'
}
