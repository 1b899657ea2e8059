import { several } from '../../text/amounts.js'
import { count } from '../plan/plan-node.js'
import type { AdvisedIndexes } from '../sample/advisor.js'
import type { WithoutSeqScan } from './without-seq-scan.js'

const known = new WeakMap<WithoutSeqScan, Promise<AdvisedIndexes | null>>()

/**
 * What the engine of advise says of a query: the indexes on `table`, else those on others that help it; that none of those that were tried does. null where nobody can be asked, or
 * nothing was tried. Throws as the advisor does.
 */
export async function advisedText(counterpart: WithoutSeqScan, table: string): Promise<string | null> {
  const { advisor } = counterpart.limits
  // What would run foreign code is planned nowhere.
  if (advisor === undefined || counterpart.foreign) return null
  const found = known.get(counterpart) ?? advisor(counterpart)
  known.set(counterpart, found)
  const advised = await found
  return advised === null ? null : indexesText(advised, table)
}

/** The same of what is known already. */
export function indexesText(
  { where, tried, indexes, costBefore, costAfter }: AdvisedIndexes,
  table: string,
): string | null {
  if (tried === 0) return null
  if (indexes.length === 0)
    return `${several(tried, 'index was', 'indexes were')} tried ${where}, and none saves a fifth of the cost of this query`
  const own = indexes.filter((one) => one.table === table)
  const texts = (own.length > 0 ? own : indexes).map(({ text }) => text)
  return `${texts.join('; ')} (tried ${where}: the cost of the query falls from ${count(costBefore)} to ${count(costAfter)})`
}
