import type { DemoResult } from '../commands/demo-result.js'
import { applyBlocks, applyVerdict } from './apply.js'
import type { Block, Cell, Tone } from './block.js'
import type { Layout } from './layout.js'
import { verifyBlocks } from './plan.js'
import { poolBlocks } from './pool.js'
import { count, duration } from './units.js'

/** The demo's story: claims beside measurements first, then the run itself, verify, pools, and where the report is. */
export function demoBlocks(result: DemoResult, layout: Layout): Block[] {
  const [, ...apply] = applyBlocks(result.apply, layout)
  const unused = result.apply.findings
    .filter((finding) => finding.code === 'NOT_USED')
    .map((finding) => finding.index ?? '')
  return [
    { kind: 'verdict', tone: result.ok ? 'good' : 'bad', text: applyVerdict(result.apply) },
    {
      kind: 'text',
      tone: 'quiet',
      text: `job shop at scale ${result.scale}, loaded in ${duration(result.load_ms)}: ${rowsText(result)}`,
    },
    claimsGrid(result),
    {
      kind: 'text',
      tone: 'plain',
      text: 'The first two columns are what the field report says, of single runs on its own machine; the others were measured here.',
    },
    ...result.notes.map((text): Block => ({ kind: 'text', tone: 'quiet', text })),
    ...apply,
    {
      kind: 'text',
      tone: 'warn',
      text:
        unused.length === 0
          ? `All ${result.apply.steps.length} indexes are used by a declared query.`
          : `${unused.length} of ${result.apply.steps.length} do not pay: no declared query uses them, because their tables are so small that reading them whole is cheaper, or because the index cannot serve the query.`,
    },
    ...verifyBlocks(result.verify, layout),
    ...poolBlocks(result.pools),
    {
      kind: 'text',
      tone: 'plain',
      text: `The whole demo took ${duration(result.duration_ms)}. Report: ${result.report}`,
    },
    {
      kind: 'text',
      tone: 'plain',
      text: 'With your own database: perfdb plan my.yaml --url postgres://user@host/database',
    },
  ]
}

function rowsText({ rows }: DemoResult): string {
  return Object.entries(rows)
    .map(([table, number]) => `${table} ${count(number)}`)
    .join(', ')
}

const tones: Readonly<Record<string, Tone>> = { faster: 'good', same: 'quiet', slower: 'bad', inconclusive: 'warn' }

function claimsGrid(result: DemoResult): Block {
  let last = ''
  const rows = result.claims.map((claim): Cell[] => {
    const again = claim.claim === last
    last = claim.claim
    const ms = (value: number | undefined): string => (value === undefined ? '' : duration(value))
    return [
      { text: again ? '' : claim.claim },
      { text: again ? '' : `${claim.reported_before} -> ${claim.reported_after}` },
      { text: claim.params === undefined ? claim.query : `${claim.query} (${claim.params})` },
      { text: ms(claim.before_ms) },
      { text: ms(claim.after_ms) },
      { text: claim.verdict ?? '', tone: tones[claim.verdict ?? ''] ?? 'plain' },
    ]
  })
  return {
    kind: 'grid',
    title: 'The field report, measured',
    columns: [
      { head: 'claim', kind: 'prose', floor: 14 },
      { head: 'reported', kind: 'word' },
      { head: 'query', kind: 'name', floor: 16 },
      { head: 'before', kind: 'number' },
      { head: 'after', kind: 'number' },
      { head: 'verdict', kind: 'word', drop: 1 },
    ],
    rows,
  }
}
