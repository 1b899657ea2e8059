import { PerfdbError } from '../../errors.js'
import type { LoadExpectation } from '../../profile/load.js'
import type { Query } from '../../profile/profile.js'
import type { LoadStep } from '../../result/load-result.js'
import type { LoadConnection } from '../../server/load-connection.js'
import type { Session } from '../../server/session/session.js'
import { makeMix, type Mix, type MixOptions } from './mix.js'
import { generator } from './random.js'
import { refuseDisturbance, refuseForeignCode } from './refusals.js'
import { runStep, type Offer } from './run-step.js'
import { stepOf } from './step.js'

export interface RigOptions extends MixOptions {
  readonly durationMs: number
  readonly connections: number
  readonly timeoutMs: number
  readonly expect: LoadExpectation
  /** Others are busy on that server, and may be slowed down. */
  readonly allowLoad: boolean
  readonly signal: AbortSignal
}

/** Connections that are open, and what is sent on them. */
export interface Rig extends AsyncDisposable {
  readonly shares: Mix['shares']
  step(offer: Offer): Promise<LoadStep>
  /** A signal came, or no connection is left: no further step. */
  over(): boolean
}

/** A tenth of a step, and not for ever: caches fill, statements are prepared, and this process recovers from its own start. */
const warmUp = { share: 0.1, leastMs: 500, mostMs: 5000 }

/**
 * Opens the connections of a load. Only what reads is sent, on sessions that are read-only. Throws BAD_OPTION for more connections than fit, HAZARD for a server
 * on which others are busy, and what makeMix and connecting throw; nothing is sent then.
 */
export async function openRig(
  look: Session,
  queries: readonly Query[],
  connect: () => Promise<LoadConnection>,
  options: RigOptions,
): Promise<Rig> {
  const { durationMs, timeoutMs, signal } = options
  const random = generator()
  const mix = await makeMix(look, queries, options, random)
  await refuseDisturbance(look, options.connections, options.allowLoad)
  await refuseForeignCode(look, mix.texts)
  const connections = await connectAll(connect, options.connections)
  const cancel = () => {
    for (const connection of connections) void connection.cancel().catch(() => undefined)
  }
  signal.addEventListener('abort', cancel, { once: true })
  const over = () => signal.aborted || connections.every((connection) => connection.lost())
  const warmUpMs = Math.max(warmUp.leastMs, Math.min(warmUp.mostMs, durationMs * warmUp.share))
  return {
    shares: mix.shares,
    over,
    async step(offer) {
      const asked = { offer, durationMs, warmUpMs, timeoutMs }
      const measured = await runStep(asked, connections, mix.next, random, signal)
      return stepOf(offer, measured, over(), options.expect)
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', cancel)
      await Promise.all(connections.map(async (connection) => connection.close()))
    },
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
