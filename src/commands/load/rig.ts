import type { LoadExpectation } from '../../profile/load.js'
import type { Query } from '../../profile/profile.js'
import type { LoadStep } from '../../result/documents/load-result.js'
import type { Session } from '../../server/session/session.js'
import type { Target } from '../../server/target/target.js'
import { openDriver, type Driver } from './driver.js'
import { makeMix, type Mix, type MixOptions } from './mix.js'
import { refuseDisturbance, refuseForeignCode } from './refusals.js'
import type { Offer } from './run-step.js'
import { stepOf } from './step.js'
import { together } from './tally.js'
import { watchServer } from './server-view.js'
import { openThread } from './threads.js'

export interface RigOptions extends MixOptions {
  readonly durationMs: number
  /** Connections of each pool: requests wait for one of the pool that they came to. */
  readonly pools: readonly number[]
  /** Whoever waits longer for a connection gives up. */
  readonly patienceMs: number
  readonly timeoutMs: number
  /** That send; each has a part of the connections. */
  readonly threads: number
  readonly expect: LoadExpectation
  /** Others are busy on that server, and may be slowed down. */
  readonly allowLoad: boolean
  readonly signal: AbortSignal
}

/** Connections that are open, and what is sent on them. */
export interface Rig extends AsyncDisposable {
  readonly mix: Pick<Mix, 'shares' | 'writes'>
  step(offer: Offer): Promise<LoadStep>
  /** A signal came, or no connection is left: no further step. */
  over(): boolean
}

/** A tenth of a step, and not for ever: caches fill, statements are prepared, and this process recovers from its own start. */
const warmUp = { share: 0.1, leastMs: 500, mostMs: 5000 }

/**
 * Opens the connections of a load; where all that is sent only reads, their sessions are read-only. Throws BAD_OPTION for more connections than fit, HAZARD for a server
 * on which others are busy, and what makeMix and connecting throw; nothing is sent then.
 */
export async function openRig(
  look: Session,
  target: Target,
  queries: readonly Query[],
  options: RigOptions,
): Promise<Rig> {
  const { durationMs, timeoutMs, patienceMs, signal } = options
  const mix = await makeMix(look, queries, options)
  const connections = sumOf(options.pools)
  await refuseDisturbance(look, connections, options.allowLoad)
  await refuseForeignCode(look, mix.texts)
  const parts = dealt(options.pools, options.threads)
  const setup = { parts: mix.parts, timeoutMs, readOnly: mix.writes.length === 0 }
  // One of them is this one.
  const drivers = await allOpen(
    parts.map(async (pools, number) => (number === 0 ? openDriver : openThread)(target, { ...setup, number, pools })),
  )
  const cancel = () => {
    for (const driver of drivers) driver.cancel()
  }
  signal.addEventListener('abort', cancel, { once: true })
  const over = () => signal.aborted || drivers.every((driver) => driver.lost())
  const warmUpMs = Math.max(warmUp.leastMs, Math.min(warmUp.mostMs, durationMs * warmUp.share))
  return {
    mix,
    over,
    async step(offer) {
      const asked = { durationMs, warmUpMs, timeoutMs, patienceMs }
      const shares = parts.map((pools) => sumOf(pools) / connections)
      const offers = offersOf(offer, shares)
      const seen = await watchServer(look, mix.parts)
      const measured = await Promise.all(
        drivers.map(async (driver, at) => driver.step({ ...asked, offer: offers[at] ?? offer })),
      )
      return stepOf(offer, together(measured), await seen(), over(), options.expect)
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', cancel)
      await Promise.all(drivers.map(async (driver) => driver.close()))
    },
  }
}

/** Each thread's pools: whole ones where there are enough, else parts of each. */
export function dealt(pools: readonly number[], threads: number): readonly (readonly number[])[] {
  const count = Math.max(1, Math.min(threads, sumOf(pools)))
  const whole = pools.length >= count
  return Array.from({ length: count }, (_, thread) =>
    whole
      ? pools.filter((_pool, at) => at % count === thread)
      : pools.map((size) => partOf(size, count, thread)).filter((size) => size > 0),
  )
}

/** So much of what is asked for comes to each thread; users stay whole. */
function offersOf(offer: Offer, shares: readonly number[]): readonly Offer[] {
  if ('rate' in offer) return shares.map((share) => ({ rate: offer.rate * share }))
  const { users, thinkMs } = offer
  let [sum, given] = [0, 0]
  return shares.map((share) => {
    const before = given
    sum += share
    given = Math.round(users * sum)
    return { users: given - before, thinkMs }
  })
}

/** Of a number that is divided as evenly as it can be. */
function partOf(whole: number, count: number, at: number): number {
  return Math.floor((whole * (at + 1)) / count) - Math.floor((whole * at) / count)
}

export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

/** All of them, or none. */
async function allOpen(opening: readonly Promise<Driver>[]): Promise<readonly Driver[]> {
  const settled = await Promise.allSettled(opening)
  const drivers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed === undefined) return drivers
  await Promise.all(drivers.map(async (driver) => driver.close()))
  throw failed.reason
}
