import type { DoctorResult } from '../../result/documents/doctor-result.js'
import { several } from '../../text/amounts.js'
import type { Block } from '../block/block.js'
import { detail } from '../block/block.js'

/** A line for each check; what to paste stands below one that failed, and below what is missing and not needed. */
export function doctorBlocks({ checks }: DoctorResult): Block[] {
  const failed = checks.filter(({ ok }) => !ok).length
  return [
    failed === 0
      ? { kind: 'verdict', tone: 'good', text: `${several(checks.length, 'check')} passed` }
      : { kind: 'verdict', tone: 'bad', text: `${failed} of ${several(checks.length, 'check')} failed` },
    {
      kind: 'items',
      title: '',
      items: checks.map(({ code, ok, message, hint }) => ({
        tone: ok ? 'plain' : 'bad',
        label: ok ? `ok ${code}` : `failed ${code}`,
        text: message,
        details: detail('hint', hint),
      })),
    },
  ]
}
