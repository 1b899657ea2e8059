import type { DemoClaimResult, DemoResult } from '../../result/documents/demo-result.js'
import type { ApplyResult, Price } from '../../result/documents/result.js'
import { applyBlocks, applyVerdict } from './apply.js'
import type { Block, Cell, Tone } from '../block/block.js'
import type { Layout } from '../block/layout.js'
import { verifyBlocks } from './plan.js'
import { poolBlocks } from './pool.js'
import { bytes, count, duration } from '../../text/amounts.js'

/** The demo's story: claims beside measurements first, then the run itself, what does not pay or cannot be judged, verify, pools, the report. */
export function demoBlocks(result: DemoResult, layout: Layout): Block[] {
  const paying = { ...result.apply, findings: result.apply.findings.filter((finding) => finding.code !== 'NOT_USED') }
  // Its server is gone when somebody reads this: there is nothing to undo.
  const apply = applyBlocks(paying, layout).filter(
    (block, at) => at > 0 && !(block.kind === 'text' && block.next === true),
  )
  return [
    { kind: 'verdict', tone: result.ok ? 'good' : 'bad', text: applyVerdict(result.apply) },
    {
      kind: 'text',
      tone: 'quiet',
      text: `${result.shop} at scale ${result.scale}, loaded in ${duration(result.load_ms)}: ${rowsText(result)}`,
    },
    ...(result.claims.length === 0 ? [] : [claimsGrid(result)]),
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
      next: true,
      text: 'With your own database: perfdb plan my.yaml --url postgres://user@host/database',
    },
  ]
}

/** Of which indexes the prices do not say that they pay, with their reasons. */
function unpaid({ apply }: DemoResult): Block[] {
  const { prices = [] } = apply
  const of = (verdict: Price['verdict']) => prices.filter((price) => price.verdict === verdict)
  const [useless, untold] = [of('does_not_pay'), of('cannot_say')]
  if (prices.length > 0 && useless.length + untold.length === 0)
    return [{ kind: 'text', tone: 'good', text: `All ${prices.length} indexes pay.` }]
  const all = prices.length
  return [
    indexGrid(`${useless.length} of the ${all} do not pay`, useless, apply),
    indexGrid(`${untold.length} of the ${all} cannot be judged here`, untold, apply),
  ]
}

/** The reason that all have stands in the title alone. */
function indexGrid(title: string, prices: readonly Price[], { steps }: ApplyResult): Block {
  const [common, ...others] = new Set(prices.map(({ reason }) => reason))
  const shared = common !== undefined && others.length === 0
  return {
    kind: 'grid',
    title: shared ? `${title}: ${common}` : title,
    columns: [
      { head: 'index', kind: 'name', floor: 20 },
      { head: 'rows', kind: 'number' },
      { head: 'table', kind: 'number', drop: 1 },
      ...(shared ? [] : [{ head: 'why', kind: 'prose', floor: 20 } as const]),
    ],
    rows: prices.map(({ index, schema, reason }): Cell[] => {
      const step = steps.find((one) => one.index === index && one.schema === schema)
      return [
        { text: index },
        { text: step?.table_rows === undefined ? '' : count(step.table_rows) },
        { text: step?.table_bytes === undefined ? '' : bytes(step.table_bytes) },
        ...(shared ? [] : [{ text: reason }]),
      ]
    }),
  }
}

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
