import { parentPort, workerData } from 'node:worker_threads'
import { PerfdbError } from '../../errors.js'
import { targetOf } from '../../server/target/portable.js'
import { openDriver } from './driver.js'
import type { FromThread, ThreadSetup, ToThread } from './threads.js'

/* The other side of threads.ts: a driver that is told by messages what to do. */

const post = (message: FromThread) => parentPort?.postMessage(message, [])

async function run({ target, setup }: ThreadSetup): Promise<void> {
  const driver = await openDriver(targetOf(target), setup)
  parentPort?.on('message', (message: ToThread) => {
    if (message === 'cancel') driver.cancel()
    else if (message === 'close') void driver.close().then(() => parentPort?.close())
    else void driver.step(message.step).then((measured) => post({ measured, lost: driver.lost() }))
  })
  post('open')
}

run(workerData).catch((error: unknown) => {
  if (!(error instanceof PerfdbError)) throw error
  const { code, message, detail, hint, sqlstate } = error
  post({ failure: { code, message, detail, hint, sqlstate } })
})
