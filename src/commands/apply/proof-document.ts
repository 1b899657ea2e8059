import type { Noise } from '../../measure/sample/noise.js'
import type { Profile } from '../../profile/profile.js'
import type { ApplyResult, ResultNoise, ResultStep } from '../../result/documents/result.js'
import type { Proof } from './proof.js'

/** What a run that was measured says besides its queries. */
export function proofDocument(proof: Proof | undefined, buildMs: number | undefined) {
  const { noise, turnsNoise, measuredAs, counterfactual, measureMs = 0, evidence = null } = proof ?? {}
  const by = evidence?.weights?.by
  return {
    ...(noise === undefined ? {} : { noise: noiseDocument(noise, turnsNoise) }),
    ...(by === undefined ? {} : { weights: by }),
    ...(measuredAs === undefined ? {} : { measured_as: measuredAs }),
    ...(counterfactual === undefined ? {} : { counterfactual }),
    ...(buildMs === undefined ? {} : { build_ms: buildMs }),
    ...(measureMs === 0 ? {} : { measure_ms: measureMs }),
  }
}

/** Of the blocks, and of the queries whose sides were measured in turns. */
function noiseDocument({ floor, pairs }: Noise, turns: Noise | undefined): ResultNoise {
  const ratios = (all: Noise['pairs']) =>
    all.map(({ query, of, ratio }) => ({ query, of, ratio: Number(ratio.toFixed(3)) }))
  return {
    floor: Number(floor.toFixed(3)),
    pairs: pairs.length,
    measured: ratios(pairs),
    ...(turns === undefined || turns.pairs.length === 0
      ? {}
      : {
          in_turns: { floor: Number(turns.floor.toFixed(3)), pairs: turns.pairs.length, measured: ratios(turns.pairs) },
        }),
  }
}

/** What each declared index costs and is worth. */
export async function priced(
  steps: readonly ResultStep[],
  profiles: readonly Profile[],
  proof: Proof | undefined,
): Promise<Pick<ApplyResult, 'prices' | 'write_costs'>> {
  const { prices } = await import('../../measure/price/price.js')
  const declared = profiles.flatMap((profile) => profile.indexes)
  const writes = proof?.evidence?.writes ?? []
  return {
    prices: prices(steps, declared, proof?.evidence ?? null),
    ...(writes.length === 0 ? {} : { write_costs: [...writes] }),
  }
}
