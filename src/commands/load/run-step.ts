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
  /** Whoever waits longer for a connection gives up. */
  readonly patienceMs: number
}

/** So long without an empty queue is saturation of an open loop; a closed one slows down by itself. */
const saturationMs = 5000

/** So long after the last answer could have been in time it is waited for: then the server, or the way to it, is gone. */
const graceMs = 10_000

/** Being woken takes a fifth of a millisecond where others want the processor too: what is due sooner is awaited awake, but not for more than a tenth of all time. */
const awake = { mostMs: 0.2, share: 0.1 }

/** So often it is looked whether the step is over, whatever arrives. */
const lookMs = 50

/** Connections of one pool, and who waits for one of them. */
interface Lane {
  readonly free: LoadConnection[]
  /** When those who wait were due; those before `head` are gone. */
  readonly queue: number[]
  head: number
  alive: number
  /** When nobody waited. */
  emptied: number
}

/**
 * Sends what is due on whichever connection of its pool is free, and measures. Time counts from the moment a request was due, so that a server that stops is told by all
 * who would have come meanwhile. Who comes goes to any of the pools, as to the processes of an application.
 */
export async function runStep(
  { offer, durationMs, warmUpMs, timeoutMs, patienceMs }: Step,
  pools: readonly (readonly LoadConnection[])[],
  next: () => LoadRequest,
  random: () => number,
  signal: AbortSignal,
): Promise<Measured> {
  const perSecond = 'rate' in offer ? offer.rate : (offer.users * 1000) / offer.thinkMs
  const awakeMs = Math.min(awake.mostMs, (awake.share * 1000) / perSecond)
  const pacer = await startPacer(look, awakeMs)
  const start = performance.now()
  const counted = start + warmUpMs
  const lanes = pools.map((pool) => laneOf(pool, start))
  let [end, running, saturated] = [counted + durationMs, 0, false]
  /** Of what the pacer knows. */
  let [earliest, announced, looking] = [Infinity, -Infinity, false]
  const arrivals =
    'rate' in offer
      ? openArrivals(offer.rate, start, random)
      : closedArrivals(offer.users, offer.thinkMs, start, random)
  const tally = makeTally(counted, () => end, timeoutMs)
  let finished: (measured: Measured) => void = () => undefined
  const measured = new Promise<Measured>((resolve) => (finished = resolve))

  function send(lane: Lane, connection: LoadConnection, asked: number, now: number): void {
    tally.sent(asked, now)
    running += 1
    connection.send(next(), (code) => {
      const answeredAt = performance.now()
      running -= 1
      if (code !== undefined && signal.aborted) tally.cancelled(answeredAt)
      else tally.answered(asked, answeredAt, code)
      arrivals.over(answeredAt)
      if (connection.lost()) lane.alive -= 1
      else lane.free.push(connection)
      look()
    })
  }
  function sendWhatIsDue(lane: Lane, now: number): void {
    const { queue } = lane
    while (lane.head < queue.length) {
      const asked = queue[lane.head] ?? now
      const late = now - asked > patienceMs
      const connection = late ? undefined : takeFree(lane)
      if (!late && connection === undefined) return
      lane.head += 1
      if (connection !== undefined) send(lane, connection, asked, now)
      else {
        tally.skipped(asked, now)
        arrivals.over(now)
      }
    }
    dismiss(lane)
    lane.emptied = now
  }
  function look(): void {
    const now = performance.now()
    const lost = lanes.every(({ alive }) => alive === 0)
    if (lost || signal.aborted) {
      // What waits is nobody's fault: only what was sent is waited for.
      end = Math.min(end, now)
      lanes.forEach(dismiss)
    }
    for (let due = arrivals.next(); due <= now && due < end; due = arrivals.next()) {
      arrivals.take()
      pacer.taken(due)
      lanes[lanes.length === 1 ? 0 : Math.floor(random() * lanes.length)]?.queue.push(due)
    }
    for (const lane of lanes) sendWhatIsDue(lane, now)
    if ('rate' in offer && now < end && lanes.some(({ emptied }) => now - emptied > saturationMs)) {
      saturated = true
      end = now
    }
    if (now > end + timeoutMs + graceMs) for (const connection of pools.flat()) connection.drop()
    if (now >= end && (running === 0 || lost) && lanes.every(({ head, queue }) => head === queue.length))
      finished(tally.measured(saturated))
    else sleep(now)
  }
  function sleep(now: number): void {
    const due = arrivals.next()
    if (due >= end) return
    if (due > announced || due < earliest) {
      const dues = arrivals.ahead()
      earliest = due
      announced = dues.at(-1) ?? due
      pacer.at(dues)
    }
    if (due - now > awakeMs || looking) return
    looking = true
    setImmediate(() => {
      looking = false
      look()
    })
  }
  const timer = setInterval(look, lookMs)
  look()
  try {
    return await measured
  } finally {
    clearInterval(timer)
    await pacer.close()
  }
}

function laneOf(connections: readonly LoadConnection[], start: number): Lane {
  const free = connections.filter((connection) => !connection.lost())
  return { free, queue: [], head: 0, alive: free.length, emptied: start }
}

function takeFree(lane: Lane): LoadConnection | undefined {
  for (;;) {
    const connection = lane.free.pop()
    if (connection?.lost() !== true) return connection
    lane.alive -= 1
  }
}

function dismiss(lane: Lane): void {
  lane.queue.length = 0
  lane.head = 0
}
