import type { ApplyResult } from '../../result/documents/result.js'
import { ratio, several } from '../../text/amounts.js'

/**
 * What two measurements of the same thing differed by in this run, as whom the queries ran, and whether indexes were hidden to compare: one line.
 * Empty where nothing was compared.
 */
export function noiseText({ noise, measured_as: role, counterfactual }: ApplyResult): string {
  if (noise === undefined) return ''
  const { in_turns: turns } = noise
  return [
    `noise of this run: ${factor(noise.floor)} between blocks (${several(noise.pairs, 'pair')})`,
    ...(turns === undefined ? [] : [`${factor(turns.floor)} in turns (${several(turns.pairs, 'pair')})`]),
    ...(role === undefined ? [] : [`measured as ${role}`]),
    ...(counterfactual?.reason === undefined ? [] : [counterfactual.reason]),
  ].join('; ')
}

function factor(value: number): string {
  return value < 10 ? `${value.toFixed(2)}x` : `${ratio(value)}x`
}
