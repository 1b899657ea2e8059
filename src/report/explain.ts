import type { Comparison, ExplainResult } from '../commands/result.js'
import type { Block, Cell } from './block.js'
import { comparedBlocks, measuredBlocks, queryNotes, queryTally } from './queries.js'
import { serverText } from './steps.js'
import { duration, timeInterval } from './units.js'

/** The query audit: each query's numbers, what was missed, findings with advice, variants side by side. */
export function explainBlocks(result: ExplainResult): Block[] {
  return [
    { kind: 'verdict', tone: result.ok ? 'good' : 'bad', text: explainVerdict(result) },
    { kind: 'text', tone: 'quiet', text: serverText(result.server) },
    ...comparedBlocks(result.queries),
    ...measuredBlocks(result.queries),
    ...result.comparisons.flatMap(comparisonBlocks),
    ...queryNotes(result.queries, result.findings),
  ]
}

function explainVerdict(result: ExplainResult): string {
  const time = result.duration_ms === undefined ? '' : ` in ${duration(result.duration_ms)}`
  const missed = result.queries.flatMap((query) => query.expectations).filter((expectation) => !expectation.met).length
  const queries = queryTally(result.queries)
  const head = queries === '' ? 'no queries' : queries
  return `${head}${time}${missed === 0 ? '' : `; ${missed} expectation${missed === 1 ? '' : 's'} missed`}`
}

/** Variants of one query side by side, the fastest in colour. */
export function comparisonBlocks(comparison: Comparison): Block[] {
  const fastest = Math.min(...comparison.variants.map((variant) => variant.elapsed_ms.median))
  const rows = comparison.variants.map((variant): Cell[] => [
    { text: variant.name },
    { text: String(variant.statements) },
    { text: timeInterval(variant.server_ms) },
    { text: timeInterval(variant.elapsed_ms), tone: variant.elapsed_ms.median === fastest ? 'good' : 'plain' },
  ])
  return [
    {
      kind: 'grid',
      title: `Variants of ${comparison.query}, one round trip ${duration(comparison.round_trip_ms)}`,
      columns: [
        { head: 'variant', kind: 'name', floor: 16 },
        { head: 'statements', kind: 'number', drop: 1 },
        { head: 'on the server', kind: 'number', drop: 2 },
        { head: 'elapsed', kind: 'number' },
      ],
      rows,
    },
    { kind: 'text', tone: 'plain', text: comparison.message },
  ]
}
