import type { LoadConnection, LoadRequest } from '../../server/load-connection.js'
import { closedArrivals, openArrivals } from './arrivals.js'
import { startPacer } from './pacer.js'
import { makeTally, type Measured } from './tally.js'

/** Arrivals a second, or users who think between an answer and their next request. */
export type Offer = { readonly rate: number } | { readonly users: number; readonly thinkMs: number }

export interface Step {
  readonly offer: Offer
  readonly durationMs: number
  /** At the beginning, sent and not counted. */
  readonly warmUpMs: number
  /** An answer that comes later than so long after its request was due is a failure. */
  readonly timeoutMs: number
}

/** So long without an empty queue is saturation of an open loop; a closed one slows down by itself. */
const saturationMs = 5000

/** So often it is looked whether the step is over, whatever arrives. */
const lookMs = 50

/**
 * Sends what is due on whichever connection is free, and measures. Time counts from the moment a request was due, so that a server that stops is told by all
 * who would have come meanwhile.
 */
export async function runStep(
  step: Step,
  connections: readonly LoadConnection[],
  next: () => LoadRequest,
  random: () => number,
  signal: AbortSignal,
): Promise<Measured> {
  const free = connections.filter((connection) => !connection.lost())
  let alive = free.length
  /** Due and not sent; those before `head` are gone. */
  const queue: number[] = []
  let [head, running, saturated, paced] = [0, 0, false, 0]
  const pacer = await startPacer(look)
  const start = performance.now()
  const counted = start + step.warmUpMs
  let [end, emptied] = [counted + step.durationMs, start]
  const { offer, timeoutMs } = step
  const arrivals =
    'rate' in offer
      ? openArrivals(offer.rate, start, random)
      : closedArrivals(offer.users, offer.thinkMs, start, random)
  const tally = makeTally(counted, () => end, timeoutMs)
  let finished: (measured: Measured) => void = () => undefined
  const measured = new Promise<Measured>((resolve) => (finished = resolve))

  function send(connection: LoadConnection, asked: number, now: number): void {
    tally.sent(asked, now)
    running += 1
    connection.send(next(), (code) => {
      const answeredAt = performance.now()
      running -= 1
      if (code !== undefined && signal.aborted) tally.cancelled(answeredAt)
      else tally.answered(asked, answeredAt, code)
      arrivals.over(answeredAt)
      if (connection.lost()) alive -= 1
      else free.push(connection)
      look()
    })
  }
  function takeFree(): LoadConnection | undefined {
    for (;;) {
      const connection = free.pop()
      if (connection?.lost() !== true) return connection
      alive -= 1
    }
  }
  function sendWhatIsDue(now: number): void {
    while (head < queue.length) {
      const asked = queue[head] ?? now
      const late = now - asked > timeoutMs
      const connection = late ? undefined : takeFree()
      if (!late && connection === undefined) return
      head += 1
      if (connection !== undefined) send(connection, asked, now)
      else {
        tally.skipped(asked, now)
        arrivals.over(now)
      }
    }
    queue.length = 0
    head = 0
    emptied = now
  }
  function look(): void {
    const now = performance.now()
    if (signal.aborted || alive === 0) {
      // What waits is nobody's fault: only what was sent is waited for.
      end = Math.min(end, now)
      queue.length = 0
      head = 0
    }
    for (let due = arrivals.next(); due <= now && due < end; due = arrivals.next()) {
      arrivals.take()
      queue.push(due)
    }
    sendWhatIsDue(now)
    if ('rate' in offer && now - emptied > saturationMs && now < end) {
      saturated = true
      end = now
    }
    if (now >= end && head === queue.length && (running === 0 || alive === 0)) finished(tally.measured(saturated))
    else if (arrivals.next() < end && arrivals.next() !== paced) {
      paced = arrivals.next()
      pacer.at(paced)
    }
  }
  const timer = setInterval(look, lookMs)
  try {
    return await measured
  } finally {
    clearInterval(timer)
    await pacer.close()
  }
}
