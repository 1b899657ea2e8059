import type { DemoClaimResult, DemoResult } from '../commands/demo-result.js'
import { applyBlocks, applyVerdict } from './apply.js'
import type { Block, Cell, Tone } from './block.js'
import type { Layout } from './layout.js'
import { verifyBlocks } from './plan.js'
import { poolBlocks } from './pool.js'
import { bytes, count, duration } from './units.js'

/** The demo's story: claims beside measurements first, then the run itself, what does not pay, verify, pools, the report. */
export function demoBlocks(result: DemoResult, layout: Layout): Block[] {
  const paying = { ...result.apply, findings: result.apply.findings.filter((finding) => finding.code !== 'NOT_USED') }
  const [, ...apply] = applyBlocks(paying, layout)
  return [
    { kind: 'verdict', tone: result.ok ? 'good' : 'bad', text: applyVerdict(result.apply) },
    {
      kind: 'text',
      tone: 'quiet',
      text: `job shop at scale ${result.scale}, loaded in ${duration(result.load_ms)}: ${rowsText(result)}`,
    },
    claimsGrid(result),
    ...result.notes.map((text): Block => ({ kind: 'text', tone: 'quiet', text })),
    ...apply,
    ...unpaid(result),
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

/** Which of the indexes do not pay, and why: no declared query uses them. */
function unpaid({ apply }: DemoResult): Block[] {
  const unused = apply.findings.filter((finding) => finding.code === 'NOT_USED')
  const total = apply.steps.length
  if (unused.length === 0) return [{ kind: 'text', tone: 'good', text: `All ${total} indexes are used.` }]
  return [
    {
      kind: 'grid',
      title: `${unused.length} of the ${total} do not pay: every write keeps them up, and no query uses them`,
      columns: [
        { head: 'index', kind: 'name', floor: 20 },
        { head: 'rows', kind: 'number' },
        { head: 'why', kind: 'prose' },
      ],
      rows: unused.map((finding): Cell[] => {
        const step = apply.steps.find((one) => one.index === finding.index)
        const bytesOfTable = step?.table_bytes ?? 0
        const small = bytesOfTable < smallTableBytes
        return [
          { text: finding.index ?? '' },
          { text: step?.table_rows === undefined ? '' : count(step.table_rows) },
          {
            text: small ? `a table of ${bytes(bytesOfTable)}: cheaper read whole` : finding.message,
          },
        ]
      }),
    },
  ]
}

/** 50 blocks: below that the planner reads the table whole, and is right. */
const smallTableBytes = 50 * 8192

function rowsText({ rows }: DemoResult): string {
  return Object.entries(rows)
    .map(([table, number]) => `${table} ${count(number)}`)
    .join(', ')
}

const tones: Readonly<Record<string, Tone>> = { faster: 'good', same: 'quiet', slower: 'bad', inconclusive: 'warn' }

/** A row a claim with what the report says, then a row for each query that tries it with what was measured. */
function claimsGrid(result: DemoResult): Block {
  const claims = [...new Set(result.claims.map((claim) => claim.claim))]
  const rows = claims.flatMap((name) => {
    const tried = result.claims.filter((claim) => claim.claim === name)
    const [first] = tried
    const head: Cell[] = [
      { text: name },
      { text: first?.reported_before ?? '' },
      { text: first?.reported_after ?? '' },
      { text: 'reported', tone: 'quiet' },
    ]
    return [head, ...tried.map(measuredRow)]
  })
  return {
    kind: 'grid',
    title: 'What the field report says of single runs, and what was measured here',
    columns: [
      { head: 'claim', kind: 'name', floor: 24 },
      { head: 'before', kind: 'number' },
      { head: 'after', kind: 'number' },
      { head: '', kind: 'word' },
    ],
    rows,
  }
}

function measuredRow(claim: DemoClaimResult): Cell[] {
  const ms = (value: number | undefined): string => (value === undefined ? '' : duration(value))
  const set = claim.params === undefined || claim.params === 'default' ? '' : ` (${claim.params})`
  return [
    { text: `- ${claim.query}${set}` },
    { text: ms(claim.before_ms) },
    { text: ms(claim.after_ms) },
    { text: claim.verdict ?? `${(claim.speedup ?? 1).toFixed(1)}x`, tone: tones[claim.verdict ?? ''] ?? 'plain' },
  ]
}
