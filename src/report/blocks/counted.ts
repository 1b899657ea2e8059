import type { ResultQuery } from '../../result/documents/result.js'
import { count, duration, percent } from '../../text/amounts.js'
import type { Block, Cell } from '../block/block.js'

/** What pg_stat_statements, or a log, counted of the queries, in their order: best by total. */
export function countedBlocks(queries: readonly ResultQuery[]): Block[] {
  const rows = queries.flatMap((query): Cell[][] => {
    const { name, calls, total_ms: total, mean_ms: mean, rows: all, share } = query
    if (calls === undefined || total === undefined || mean === undefined) return []
    return [
      [
        { text: name },
        { text: share === undefined ? '' : percent(share) },
        { text: duration(total) },
        { text: duration(mean) },
        { text: count(calls) },
        { text: all === undefined ? '' : count(all / Math.max(1, calls)) },
      ],
    ]
  })
  if (rows.length === 0) return []
  const sampled = queries.some(({ params }) => params === 'common' || params === 'rare')
  return [
    {
      kind: 'grid',
      title: 'Statements',
      columns: [
        { head: 'statement', kind: 'name', floor: 20 },
        { head: 'share', kind: 'number' },
        { head: 'total', kind: 'number' },
        { head: 'mean', kind: 'number', drop: 3 },
        { head: 'calls', kind: 'number', drop: 2 },
        { head: 'rows/call', kind: 'number', drop: 1 },
      ],
      rows,
    },
    ...(sampled
      ? [
          {
            kind: 'text' as const,
            tone: 'quiet' as const,
            text: '(common) and (rare): values were not logged; those of the statistics of the columns stand for them, a frequent one and a seldom one; (near): one that gives about as many rows as a call did.',
          },
        ]
      : []),
  ]
}
