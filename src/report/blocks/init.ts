import type { InitResult } from '../../result/init-result.js'
import type { Block } from '../block/block.js'

/** Which files were written, and what to do next. */
export function initBlocks({ files }: InitResult): Block[] {
  return [
    { kind: 'verdict', tone: 'good', text: `written: ${files.join(', ')}` },
    {
      kind: 'items',
      title: 'Next',
      items: next.map(([command, what]) => ({ tone: 'plain', label: command, text: what, details: [] })),
    },
  ]
}

const next = [
  ['perfdb import --out perfdb/indexes.yaml', 'starts with the indexes that a database has (DATABASE_URL)'],
  ['perfdb plan --env ci', 'what would be done, on a private server'],
  ['perfdb check-pool --offline', 'adds up perfdb/app.pools.yaml'],
  ['perfdb config', 'what is in force, and where it comes from'],
] as const
