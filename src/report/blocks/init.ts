import type { InitResult } from '../../result/documents/init-result.js'
import type { Block } from '../block/block.js'

/** Which files were written, and what to do next. */
export function initBlocks({ files, not_understood: left }: InitResult): Block[] {
  const verdict: Block = { kind: 'verdict', tone: 'good', text: `written: ${files.join(', ')}` }
  if (left !== undefined)
    return [
      verdict,
      {
        kind: 'items',
        title: 'Not understood',
        items: left.map((text) => ({ tone: 'warn', label: 'left out', text, details: [] })),
      },
      {
        kind: 'items',
        title: 'Next',
        items: [
          { tone: 'plain', label: `perfdb check-pool ${files[0] ?? ''} --offline`, text: 'adds it up', details: [] },
        ],
      },
    ]
  return [
    verdict,
    {
      kind: 'items',
      title: 'Next',
      items: next.map(([command, what]) => ({ tone: 'plain', label: command, text: what, details: [] })),
    },
  ]
}

const next = [
  ['perfdb import --out perfdb/indexes.yaml --force', 'starts with the indexes that a database has (DATABASE_URL)'],
  ['perfdb plan --env ci', 'what would be done, on a private server'],
  ['perfdb check-pool --offline', 'adds up perfdb/app.pools.yaml'],
  ['perfdb config', 'what is in force, and where it comes from'],
] as const
