import type { ResultStep } from '../../result/documents/result.js'
import type { Block, Item } from '../block/block.js'
import { detail } from '../block/block.js'
import { several } from '../../text/amounts.js'

/** Every hazard with its index, then the option that allows all of them. */
export function hazardBlocks(steps: readonly ResultStep[]): Block[] {
  const hazards = steps.flatMap((step) => step.hazards)
  const codes = [...new Set(hazards.map((hazard) => hazard.code))]
  // What is only told needs no permission.
  const gated = codes.filter((code) => hazards.some((hazard) => hazard.code === code && isGated(hazard)))
  if (codes.length === 0) return []
  const items = codes.flatMap((code) =>
    steps.flatMap((step) =>
      step.hazards.filter((hazard) => hazard.code === code).map((hazard) => hazardItem(step, hazard)),
    ),
  )
  return [
    { kind: 'items', title: several(items.length, 'hazard'), items, limit: 20 },
    ...(gated.length === 0
      ? []
      : [
          {
            kind: 'text',
            next: true,
            tone: 'plain',
            text: `to allow: perfdb apply --allow ${gated.join(',')}`,
          } as const,
        ]),
  ]
}

/** A danger that a permission by name settles; what is only told needs none, and what is refused has none. */
export function isGated({ told, refused }: ResultStep['hazards'][number]): boolean {
  return told !== true && refused !== true
}

function hazardItem(step: ResultStep, hazard: ResultStep['hazards'][number]): Item {
  const named = hazard.message.includes(step.index)
  return {
    tone: 'warn',
    label: `${hazard.refused === true ? 'refused' : 'hazard'}[${hazard.code}]`,
    text: named ? hazard.message : `${step.index}: ${hazard.message}`,
    details: [...detail('hint', hazard.hint)],
  }
}
