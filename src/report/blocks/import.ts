import { noteText } from '../../commands/import/import-notes.js'
import type { ImportResult } from '../../result/documents/import-result.js'
import type { Block } from '../block/block.js'
import { several } from '../../text/amounts.js'

/** The profile alone, so that `perfdb import > my.yaml` works; where it went to a file, what that file holds. */
export function importText(result: ImportResult): string {
  return result.file === null ? result.profile : `${verdictOf(result)}\n`
}

/** The numbers and what was left out; the profile itself is the caller's to show. */
export function importBlocks(result: ImportResult): Block[] {
  return [
    { kind: 'verdict', tone: result.counts.imported > 0 ? 'good' : 'warn', text: verdictOf(result) },
    {
      kind: 'items',
      title: '',
      items: result.notes.map((note) => ({ tone: 'quiet', label: note.code, text: noteText(note), details: [] })),
    },
  ]
}

function verdictOf({ counts, file }: ImportResult): string {
  const what = `${several(counts.imported, 'index', 'indexes')} of ${several(counts.tables, 'table')} imported`
  const left = counts.indexes - counts.imported
  return `${what}${left === 0 ? '' : `, ${left} left out`}${file === null ? '' : `: ${file}`}`
}
