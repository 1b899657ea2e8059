import type { StatisticsResult } from '../../result/documents/statistics-result.js'
import { bytes, several } from '../../text/amounts.js'
import type { Block } from '../block/block.js'
import { findingBlocks } from '../block/findings.js'

/** What was written, and what to do with it. */
export function statisticsBlocks({
  file,
  file_bytes: size,
  values,
  counts,
  size_bytes: whole,
  findings,
}: StatisticsResult): Block[] {
  const { tables, indexes, columns, ends } = counts
  return [
    {
      kind: 'verdict',
      tone: 'good',
      text: `${file} (${bytes(size)}): statistics of ${several(tables, 'table')} and ${several(indexes, 'index', 'indexes')} of ${bytes(whole)}`,
    },
    {
      kind: 'text',
      tone: 'plain',
      text: `${several(columns, 'column or expression', 'columns and expressions')}, the ends of ${several(ends, 'column')}; values of rows are ${values}.`,
    },
    ...findingBlocks(findings),
    {
      kind: 'items',
      title: 'Next',
      items: [
        {
          tone: 'plain',
          label: `perfdb explain my.yaml --url embedded --load schema.sql --statistics ${file}`,
          text: 'plans as that server would, without it; pg_dump --schema-only writes schema.sql',
          details: [],
        },
      ],
    },
  ]
}
