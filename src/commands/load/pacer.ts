import { Worker } from 'node:worker_threads'

export interface Pacer {
  /** Calls `wake` at this moment of performance.now(), once; a later call before then moves it. */
  at(due: number): void
  close(): Promise<void>
}

/** Of the shared memory: how often a moment was set, and how often it came (Int32); the moment since 1970 in ms (Float64). */
const layout = { set: 0, came: 1, due: 1, bytes: 16 }

/** Linux lets a sleeper sleep so much longer (timer slack). */
const slackMs = 0.05

/**
 * Node's own timers count milliseconds, which would be the whole of a fast answer, and a loop that looks without sleep takes a processor from the server and is put
 * behind it by the scheduler: p50 of 6 ms where pgbench had 0.5. So a second thread sleeps until the moment and wakes this one.
 */
export async function startPacer(wake: () => void): Promise<Pacer> {
  const memory = new SharedArrayBuffer(layout.bytes)
  const [counters, shared] = [new Int32Array(memory), new Float64Array(memory)]
  const worker = new Worker(`(${String(sleepUntilDue)})(require('node:worker_threads').workerData)`, {
    eval: true,
    workerData: memory,
  })
  await new Promise((resolve, reject) => worker.once('online', resolve).once('error', reject))
  let [listening, due] = [false, 0]
  function listen(): void {
    if (listening) return
    listening = true
    const waiting = Atomics.waitAsync(counters, layout.came, Atomics.load(counters, layout.came))
    void Promise.resolve(waiting.value).then(() => {
      listening = false
      const early = due - performance.now()
      if (early > 2 * slackMs) return listen()
      while (performance.now() < due);
      wake()
    })
  }
  return {
    at(moment) {
      due = moment
      listen()
      shared[layout.due] = performance.timeOrigin + due - slackMs
      Atomics.add(counters, layout.set, 1)
      Atomics.notify(counters, layout.set)
    },
    close: async () => void (await worker.terminate()),
  }
}

/** Runs in the second thread, from its own text: it sees its parameter and what is global, nothing else of this file. */
function sleepUntilDue(memory: SharedArrayBuffer): void {
  const [counters, moment] = [new Int32Array(memory), new Float64Array(memory)]
  let seen = 0
  for (;;) {
    if (Atomics.load(counters, 0) === seen) Atomics.wait(counters, 0, seen)
    seen = Atomics.load(counters, 0)
    const leftMs = (moment[1] ?? 0) - performance.timeOrigin - performance.now()
    // Woken before its time means that there is another one.
    if (leftMs > 0 && Atomics.wait(counters, 0, seen, leftMs) !== 'timed-out') continue
    Atomics.add(counters, 1, 1)
    Atomics.notify(counters, 1)
  }
}
