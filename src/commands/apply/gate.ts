import type { Plan } from '../../plan/plan.js'
import type { HazardCode } from '../../codes/hazard-codes.js'

export interface Gate {
  /** Hazard codes that the plan has and nobody allowed, in alphabetical order. */
  readonly refused: readonly HazardCode[]
  readonly messages: readonly string[]
}

/** The hazard gate of apply: a plan with a hazard that is not allowed by name is not begun at all. */
export function hazardGate(plan: Plan, allow: ReadonlySet<HazardCode>): Gate {
  const hazards = plan.steps
    .flatMap((step) => step.hazards)
    .filter((hazard) => hazard.advisory !== true && hazard.refused !== true && !allow.has(hazard.code))
  return {
    refused: [...new Set(hazards.map((hazard) => hazard.code))].sort(),
    messages: hazards.map((hazard) => `${hazard.code}: ${hazard.message}`),
  }
}
