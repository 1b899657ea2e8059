import { Worker } from 'node:worker_threads'

export interface Pacer {
  /** The next moments of performance.now() at which `wake` is to be called, the earliest first; those that were said before are forgotten. */
  at(dues: readonly number[]): void
  /** Nobody needs to be woken for what is due up to this moment. */
  taken(due: number): void
  close(): Promise<void>
}

/** Of the shared memory, in Int32: how often the moments were set, how often one came, and how many there are. */
const counter = { set: 0, came: 1, dues: 2, bytes: 16 }
/** And behind them in Float64, in ms since 1970: up to when nobody needs to be woken, until when the thread sleeps, the moments. */
const moment = { taken: 0, asleep: 1, first: 2, most: 16 }

/** Linux lets a sleeper sleep so much longer (timer slack). */
const slackMs = 0.05

/**
 * `wake` is called `earlyMs` before each moment, as being woken takes its time too.
 *
 * Node's own timers count milliseconds, which would be the whole of a fast answer, and a loop that looks without sleep takes a processor from the server and is put
 * behind it by the scheduler: p50 of 6 ms where pgbench had 0.5. So a second thread sleeps until the moment and wakes this one. It knows the moments that come, so that
 * it is told of them seldom, and leaves this one alone where it is awake anyway.
 */
export async function startPacer(wake: () => void, earlyMs: number): Promise<Pacer> {
  const memory = new SharedArrayBuffer(counter.bytes + 8 * (moment.first + moment.most))
  const [counters, moments] = [new Int32Array(memory, 0, 4), new Float64Array(memory, counter.bytes)]
  moments[moment.asleep] = Infinity
  const worker = new Worker(`(${String(sleepUntilDue)})(require('node:worker_threads').workerData)`, {
    eval: true,
    workerData: { memory, counter, moment, earlyMs: earlyMs + slackMs },
  })
  await new Promise((resolve, reject) => worker.once('online', resolve).once('error', reject))
  const { timeOrigin } = performance
  let [came, closed] = [0, false]
  function listen(): void {
    const waiting = Atomics.waitAsync(counters, counter.came, came)
    void Promise.resolve(waiting.value).then(() => {
      if (closed) return
      // Before the look: what comes during it is looked at again.
      came = Atomics.load(counters, counter.came)
      wake()
      listen()
    })
  }
  listen()
  return {
    at(dues) {
      const count = Math.min(dues.length, moment.most)
      for (let at = 0; at < count; at += 1) moments[moment.first + at] = timeOrigin + (dues[at] ?? 0)
      Atomics.store(counters, counter.dues, count)
      Atomics.add(counters, counter.set, 1)
      if (count > 0 && timeOrigin + (dues[0] ?? 0) < (moments[moment.asleep] ?? 0))
        Atomics.notify(counters, counter.set)
    },
    taken: (due) => void (moments[moment.taken] = timeOrigin + due),
    async close() {
      closed = true
      Atomics.notify(counters, counter.came)
      await worker.terminate()
    },
  }
}

interface Shared {
  readonly memory: SharedArrayBuffer
  readonly counter: { readonly set: number; readonly came: number; readonly dues: number; readonly bytes: number }
  readonly moment: { readonly taken: number; readonly asleep: number; readonly first: number }
  readonly earlyMs: number
}

/** Runs in the second thread, from its own text: it sees its parameter and what is global, nothing else of this file. */
function sleepUntilDue({ memory, counter, moment, earlyMs }: Shared): void {
  const [counters, moments] = [new Int32Array(memory, 0, 4), new Float64Array(memory, counter.bytes)]
  const { timeOrigin } = performance
  let told = -Infinity
  const nextDue = (): number => {
    const past = Math.max(told, moments[moment.taken] ?? 0)
    for (let at = 0; at < Atomics.load(counters, counter.dues); at += 1) {
      const due = moments[moment.first + at] ?? 0
      if (due > past) return due
    }
    return Infinity
  }
  for (;;) {
    const set = Atomics.load(counters, counter.set)
    const due = nextDue()
    moments[moment.asleep] = due
    const leftMs = due - earlyMs - timeOrigin - performance.now()
    // Told of other moments while it reads them or sleeps, it reads again.
    if (leftMs > 0 && Atomics.wait(counters, counter.set, set, leftMs) !== 'timed-out') continue
    if (due <= (moments[moment.taken] ?? 0)) continue
    told = due
    Atomics.add(counters, counter.came, 1)
    Atomics.notify(counters, counter.came)
  }
}
