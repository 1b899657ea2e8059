import { PerfdbError } from '../../errors.js'
import { openLoadConnection, type LoadConnection } from '../../server/load-connection.js'
import type { Target } from '../../server/target/target.js'
import { generator } from './random.js'
import { requestsOf, type RequestPart } from './requests.js'
import { runStep, type Step } from './run-step.js'
import type { Measured } from './tally.js'

/** What one thread sends, on which connections. Plain data: it passes from thread to thread. */
export interface DriverSetup {
  /** Which of the threads: each has arrivals of its own. */
  readonly number: number
  readonly parts: readonly RequestPart[]
  /** Connections of each of its pools. */
  readonly pools: readonly number[]
  readonly timeoutMs: number
  /** Nothing that is sent changes data, and none of it could. */
  readonly readOnly: boolean
}

/** A thread's part of a load: its connections are open. */
export interface Driver {
  step(step: Step): Promise<Measured>
  /** Ends the step that runs: what was sent is cancelled. */
  cancel(): void
  /** No connection is left. */
  lost(): boolean
  close(): Promise<void>
}

/** Opens the connections, for this thread. Throws what connecting throws. */
export async function openDriver(
  target: Target,
  { number, parts, pools, timeoutMs, readOnly }: DriverSetup,
): Promise<Driver> {
  const stop = new AbortController()
  const random = generator(number)
  const next = requestsOf(parts, random)
  const all = await connectAll(
    async () => openLoadConnection(target, timeoutMs, readOnly),
    pools.reduce((sum, size) => sum + size, 0),
  )
  let taken = 0
  const byPool = pools.map((size) => all.slice(taken, (taken += size)))
  return {
    step: async (step) => runStep(step, byPool, next, random, stop.signal),
    cancel() {
      stop.abort()
      for (const connection of all) void connection.cancel().catch(() => undefined)
    },
    lost: () => all.every((connection) => connection.lost()),
    close: async () => void (await Promise.all(all.map(async (connection) => connection.close()))),
  }
}

async function connectAll(connect: () => Promise<LoadConnection>, count: number): Promise<readonly LoadConnection[]> {
  const opened = await Promise.allSettled(Array.from({ length: count }, async () => connect()))
  const connections = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = opened.find((one) => one.status === 'rejected')
  if (failed === undefined) return connections
  await Promise.all(connections.map(async (connection) => connection.close()))
  const { reason } = failed
  throw reason instanceof PerfdbError
    ? new PerfdbError(reason.code, `${connections.length} of ${count} connections opened: ${reason.message}`, {
        detail: reason.detail,
        hint: reason.hint,
        sqlstate: reason.sqlstate,
        cause: reason,
      })
    : reason
}
