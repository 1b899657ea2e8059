import { mostLoad } from '../../profile/load.js'
import type { Query } from '../../profile/profile.js'
import { exitCode, type SignalName } from '../../result/exit-code.js'
import { stepFailed, type LoadResult, type LoadSide, type LoadStep } from '../../result/documents/load-result.js'
import { headOf } from '../../result/head.js'
import type { Session } from '../../server/session/session.js'
import type { Target } from '../../server/target/target.js'
import { findKnee } from './find.js'
import { openRig, sumOf, type Rig, type RigOptions } from './rig.js'
import type { Offer } from './run-step.js'
import { unmetByAll } from './step.js'

export interface LoadOptions extends RigOptions {
  /** One step each; or the search for the highest rate that keeps a time. */
  readonly what: { readonly offers: readonly Offer[] } | { readonly findMs: number }
  /** Of a pools file, whose pools these are. */
  readonly service: string | null
  readonly signalName: () => SignalName | undefined
  /** Called when a step is over; `of` null where nobody knows how many there will be. */
  readonly onStep: (step: LoadStep, number: number, of: number | null) => void
}

/** Sends the queries step by step and measures what whoever waits for them feels. Throws what openRig throws. */
export async function runLoad(
  look: Session,
  target: Target,
  queries: readonly Query[],
  options: LoadOptions,
): Promise<LoadResult> {
  await using rig = await openRig(look, target, queries, options)
  const { what, pools, durationMs, timeoutMs, expect } = options
  const { side, whole } = await measureSide(rig, options)
  const unmet = 'offers' in what && whole ? unmetByAll(side.steps, expect) : []
  const refusals = (whole ? 0 : 1) + unmet.length + ('offers' in what ? side.steps.filter(isBad).length : 0)
  const code = exitCode({ signal: options.signalName(), refusals })
  const [first] = 'offers' in what ? what.offers : []
  return {
    ...headOf(code),
    command: 'load',
    server: { host: `${look.host}:${look.port}`, database: look.database, version: look.version },
    mix: [...rig.mix.shares],
    committed: [...rig.mix.writes],
    connections: sumOf(pools),
    service: options.service,
    pools: pools.length,
    threads: options.threads,
    duration_ms: durationMs,
    timeout_ms: timeoutMs,
    think_ms: first !== undefined && 'users' in first ? first.thinkMs : null,
    unmet,
    load: { after: side },
  }
}

/** The steps, as far as they came; `whole` when all were run and, where a rate was looked for, one was found. */
export async function measureSide(
  rig: Rig,
  { what, pools, onStep }: Pick<LoadOptions, 'what' | 'pools' | 'onStep'>,
): Promise<{ readonly side: LoadSide; readonly whole: boolean }> {
  const steps: LoadStep[] = []
  const of = 'offers' in what ? what.offers.length : null
  const measure = async (offer: Offer) => {
    if (rig.over()) return null
    const step = await rig.step(offer)
    steps.push(step)
    onStep(step, steps.length, of)
    return step
  }
  if ('findMs' in what) {
    const knee = await findKnee(what.findMs, { rate: mostLoad.rate, connections: sumOf(pools) }, measure)
    return { side: { steps, knee }, whole: knee.confirmed }
  }
  for (const offer of what.offers) await measure(offer)
  return { side: { steps, knee: null }, whole: steps.length === of }
}

function isBad(step: LoadStep): boolean {
  return step.cut_short || step.saturated || stepFailed(step) || step.unmet.length > 0
}
