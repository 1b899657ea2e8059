import { foreignKeySql } from '../../sql/measure/explain-catalog.js'
import type { PlanNode } from '../plan/plan-node.js'
import { rolledBack } from '../sample/sample.js'
import { catalogOnly } from '../sample/tables.js'
import { createText, quoted } from './serves-text.js'
import type { WithoutSeqScan } from './without-seq-scan.js'

/** What a foreign key costs the table that it refers to: an index that is missing, or the look-ups themselves. null where the catalog does not know it. */
export async function foreignKeyReason(
  { session, limits, plan }: WithoutSeqScan,
  node: PlanNode,
): Promise<string | null> {
  const [slowest] = plan.triggers.toSorted((a, b) => b.totalMs - a.totalMs)
  const names = [node.schema, node.relation, slowest?.constraint ?? '']
  const [key] = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<{ readonly table: string; readonly columns: readonly string[]; readonly indexed: boolean }>(
      foreignKeySql,
      names,
    ),
  )
  if (key === undefined || node.operation === 'Insert') return null
  const columns = key.columns.map(quoted)
  return key.indexed
    ? `an index of ${key.table} has ${columns.join(', ')}: it is the look-ups themselves, one for each row; fewer rows a statement`
    : `${createText(key.table, { method: 'btree', keys: columns, where: null })}: without it each call reads the whole table`
}
