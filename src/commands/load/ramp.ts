import type { Query } from '../../profile/profile.js'
import type { LoadSide } from '../../result/documents/load-result.js'
import type { Session } from '../../server/session/session.js'
import type { Target } from '../../server/target/target.js'
import { measureSide, type LoadOptions } from './load.js'
import { openRig, type RigOptions } from './rig.js'
import type { Offer } from './run-step.js'

export interface RampOptions extends RigOptions, Pick<LoadOptions, 'onStep'> {
  readonly offers: readonly Offer[]
}

/**
 * One side of a comparison: each step upwards and again downwards (A B B A), so that what changed meanwhile for another reason shows between the two runs of
 * a step. Throws what openRig throws.
 */
export async function rampSide(
  look: Session,
  target: Target,
  queries: readonly Query[],
  options: RampOptions,
): Promise<LoadSide> {
  await using rig = await openRig(look, target, queries, options)
  const offers = [...options.offers, ...options.offers.toReversed()]
  const { side } = await measureSide(rig, { ...options, what: { offers } })
  return side
}
