import { allFindings } from './all-findings.js'
import type { Block } from '../block/block.js'
import { isError, isFleet, type Result } from '../../result/results.js'

/**
 * One quiet line at the end of the text, with the command that explains the codes above; nothing where no finding of severity error or
 * warning stands there, and not for an error, whose message and hint say what to do.
 */
export function helpMention(result: Result): readonly Block[] {
  if (isError(result)) return []
  if (isFleet(result)) return []
  // verify shows what is, and none of the hazards of mending it; the text shows a finding beside the hazard that tells the same.
  const listed = 'findings' in result ? result.findings : []
  const shown = result.command === 'verify' ? listed : [...allFindings(result), ...listed]
  const codes = new Set(shown.filter(({ severity }) => severity !== 'info').map(({ code }) => code))
  // Every code of a finding has a text there (test/cli/help.test.ts): asking would load them all, 54 kB.
  const named = [...codes].filter((code) => code !== 'HAZARD').slice(0, mostShown)
  return named.length === 0 ? [] : [{ kind: 'text', tone: 'quiet', text: `More: perfdb help ${named.join(' ')}` }]
}

const mostShown = 4
