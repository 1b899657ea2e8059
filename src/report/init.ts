import type { InitResult } from '../commands/init-result.js'
import type { Block } from './block.js'

/** Which files were written, and what to do next. */
export function initBlocks({ files }: InitResult): Block[] {
  return [
    { kind: 'verdict', tone: 'good', text: `written: ${files.join(', ')}` },
    {
      kind: 'text',
      tone: 'plain',
      text: 'Next: declare your indexes and queries there, then perfdb plan; perfdb import writes a profile from what a database has.',
    },
  ]
}
