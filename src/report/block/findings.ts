import type { Place, ResultFinding, Severity } from '../../result/documents/result.js'
import type { Block, Detail, Item, Tone } from './block.js'
import { detail } from './block.js'
import { several } from '../../text/amounts.js'

const order: readonly Severity[] = ['error', 'warning', 'info']
const words: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' }
const tones: Readonly<Record<Severity, Tone>> = { error: 'bad', warning: 'warn', info: 'quiet' }

/**
 * Findings grouped by severity, errors first and all of them; of each lesser severity the first ten unless verbose.
 * Within a severity they keep the order of the document.
 */
export function findingBlocks(findings: readonly ResultFinding[]): Block[] {
  return order.flatMap((severity): Block[] => {
    const items = findings.filter((finding) => finding.severity === severity).map(findingItem)
    if (items.length === 0) return []
    const title = several(items.length, words[severity])
    return [{ kind: 'items', title, items, ...(severity === 'error' ? {} : { limit: 10 }) }]
  })
}

/** `file:line:column`, as editors and CI systems make links of. */
export function placeText(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`
}

export function placeDetail(place: Place | undefined): readonly Detail[] {
  return place === undefined ? [] : [{ label: '-->', text: placeText(place) }]
}

function findingItem(finding: ResultFinding): Item {
  const subject = finding.query ?? finding.index ?? finding.table ?? ''
  const named = subject === '' || finding.message.includes(subject)
  return {
    tone: tones[finding.severity],
    label: `${finding.severity}[${finding.code}]`,
    text: named ? finding.message : `${subject}: ${finding.message}`,
    details: [...placeDetail(finding.place), ...detail('hint', finding.hint)],
  }
}
