import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { PerfdbError } from '../../errors.js'
import { portableTarget, type PortableTarget } from '../../server/target/portable.js'
import type { Target } from '../../server/target/target.js'
import type { Driver, DriverSetup } from './driver.js'
import type { Step } from './run-step.js'
import type { Measured } from './tally.js'

/** What a thread is made with. The password stands in it, for the memory of this process alone. */
export interface ThreadSetup {
  readonly target: PortableTarget
  readonly setup: DriverSetup
}

export type ToThread = { readonly step: Step } | 'cancel' | 'close'

export type FromThread =
  | 'open'
  | { readonly failure: Pick<PerfdbError, 'code' | 'message' | 'detail' | 'hint' | 'sqlstate'> }
  | { readonly measured: Measured; readonly lost: boolean }

/** A driver in a thread of its own, with connections of its own. Throws what openDriver throws. */
export async function openThread(target: Target, setup: DriverSetup): Promise<Driver> {
  const workerData: ThreadSetup = { target: await portableTarget(target), setup }
  // bin/build.mjs puts src/commands/load/thread.ts beside this module.
  const worker = new Worker(join(dirname(fileURLToPath(import.meta.url)), 'load-thread.cjs'), { workerData })
  let [lost, ended] = [false, false]
  const exit = new Promise<void>((resolve) => worker.once('exit', resolve)).then(() => (ended = true))
  const post = (message: ToThread) => worker.postMessage(message, [])
  const heard = async () =>
    new Promise<FromThread>((resolve, reject) => {
      const failed = (cause?: unknown) => reject(new PerfdbError('INTERNAL', 'a thread of the load ended', { cause }))
      if (ended) failed()
      worker.once('error', failed).once('exit', failed)
      worker.once('message', (message: FromThread) => {
        worker.off('error', failed).off('exit', failed)
        resolve(message)
      })
    })
  const first = await heard()
  if (typeof first === 'object' && 'failure' in first) {
    const { code, message, ...rest } = first.failure
    throw new PerfdbError(code, message, rest)
  }
  return {
    async step(step) {
      post({ step })
      const message = await heard()
      if (typeof message !== 'object' || !('measured' in message))
        throw new PerfdbError('INTERNAL', 'a thread of the load measured nothing')
      lost = message.lost
      return message.measured
    },
    cancel: () => post('cancel'),
    lost: () => lost || ended,
    async close() {
      post('close')
      await exit
    },
  }
}
