import type { ExplainResult } from '../../result/documents/result.js'
import type { Block } from '../block/block.js'
import { countedBlocks } from './counted.js'
import { comparedBlocks, measuredBlocks, plannedBlocks, queryNotes, queryTally } from './queries.js'
import { serverText } from './steps.js'
import { duration } from '../../text/amounts.js'
import { comparisonBlocks } from './variants.js'
import { twinText, whatIfBlocks } from './what-if.js'

/** The query audit: each query's numbers, what was missed, findings with advice, variants side by side. */
export function explainBlocks(result: ExplainResult): Block[] {
  return [
    { kind: 'verdict', tone: result.ok ? 'good' : 'bad', text: explainVerdict(result) },
    { kind: 'text', tone: 'quiet', text: serverText(result.server) },
    ...countedBlocks(result.queries),
    ...comparedBlocks(result.queries),
    ...measuredBlocks(result.queries),
    ...plannedBlocks(result.queries),
    ...twinBlocks(result.twin),
    ...result.comparisons.flatMap(comparisonBlocks),
    ...whatIfBlocks(result.what_if),
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

function twinBlocks(twin: ExplainResult['twin']): Block[] {
  if (twin === undefined) return []
  const text = `Planned on a twin (PostgreSQL ${twin.version}) of the statistics that were given: ${twinText(twin)}. Costs are estimates of the planner in its own unit; nothing ran.`
  return [{ kind: 'text', tone: 'quiet', text }]
}
