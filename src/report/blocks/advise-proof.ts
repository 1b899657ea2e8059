import type { ApplyResult } from '../../result/documents/result.js'
import type { Block } from '../block/block.js'
import type { Layout } from '../block/layout.js'
import { duration } from '../../text/amounts.js'
import { runBlocks } from './apply.js'

/** `2 were measured to pay and stay, 1 was dropped again (12 s)`. */
export function proofVerdict({ steps, prices = [], error, duration_ms: ms, findings }: ApplyResult): string {
  const built = steps.filter(({ outcome }) => outcome === 'built').length
  if (built === 0) return `none was built${error === undefined ? '' : `: ${error.message}`}`
  const paying = prices.filter(({ verdict, dropped }) => verdict === 'pays' && dropped !== true).length
  const dropped = prices.filter((price) => price.dropped === true).length
  const left = findings.filter(({ code }) => code === 'LEFT_BEHIND').length
  const parts = [
    ...(paying === 0 ? ['none was measured to pay'] : [`${paying} measured to pay and kept`]),
    ...(dropped === 0 ? [] : [`${dropped} dropped again`]),
    ...(left === 0 ? [] : [`${left} could not be dropped again`]),
    ...(built === steps.length ? [] : [`${steps.length - built} not built`]),
  ]
  return `${parts.join(', ')}${ms === undefined ? '' : ` (${duration(ms)})`}`
}

/** What the builds and the measurements said, as apply tells it. */
export function proofBlocks(proof: ApplyResult, layout: Layout): Block[] {
  return runBlocks({ ...proof, prices: proof.prices?.map((one) => ({ ...one, reason: reasonOf(one) })) }, layout)
}

function reasonOf({ reason, dropped }: NonNullable<ApplyResult['prices']>[number]): string {
  return dropped === true ? `dropped again: ${reason}` : reason
}
