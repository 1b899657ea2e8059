import { rolledBack } from '../../measure/sample/sample.js'
import { catalogOnly } from '../../measure/sample/tables.js'
import type { Limits } from '../../measure/sample/limits.js'
import type { Session } from '../../server/session/session.js'
import { tableWritesSql } from '../../sql/statements/advise.js'
import type { Engine } from '../../twin/twin.js'
import type { Weighed } from '../asks.js'
import type { Option } from '../outcomes.js'

/** Rows written to a table since its counters were reset. */
export interface TableWrites {
  readonly inserted: number
  readonly updated: number
  readonly hot_updated: number
  readonly deleted: number
}

/** By `schema.table`, of partitioned tables those of all partitions. Throws the server's errors. */
export async function readWrites(
  session: Session,
  limits: Limits,
  options: readonly Option[],
): Promise<ReadonlyMap<string, TableWrites>> {
  const tables = [...new Map(options.map(({ table, definition }) => [table, definition.table])).values()]
  if (tables.length === 0) return new Map()
  const names = [tables.map(({ schema }) => schema), tables.map(({ name }) => name)]
  const rows = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<TableWrites & { table: string }>(tableWritesSql, names),
  )
  return new Map(rows.map(({ table, ...counts }) => [table, counts]))
}

/**
 * What a row that is written to an index costs in the planner's unit, which has no price for it. Measured once on PostgreSQL 15 with 1.5 million rows in memory, on a busy machine, where reading a page
 * of a table in order is 1: a btree of random keys 2.1, of serial ones 0.35, gin of four elements 0.7, brin nothing.
 */
const perRow = 2

/** The weighted price of what these queries write to an index. */
export type WritePrice = (option: Option) => number

/** By the INSERTs, UPDATEs and MERGEs among the queries; of UPDATEs the share that was not HOT so far: a HOT one writes to no index. Rows are the planner's guess. */
export function writePrices(
  twin: Engine,
  queries: readonly Weighed[],
  writes: ReadonlyMap<string, TableWrites>,
): WritePrice {
  const writing = queries.filter(({ present }) => present.subject.writes)
  return ({ table, definition }) => {
    if (definition.method === 'brin') return 0
    const rows = writing.map(({ present: { there }, weight }) => {
      const node = there.nodes.find(({ type }) => type === 'ModifyTable')
      if (node === undefined || !twin.reads({ ...there, nodes: [node] }, table)) return 0
      const below = node.children.map((id) => there.nodes[id]?.estimatedRows ?? 0)
      return weight * shareOf(node.operation, writes.get(table)) * below.reduce((sum, each) => sum + each, 0)
    })
    return perRow * rows.reduce((sum, each) => sum + each, 0)
  }
}

function shareOf(operation: string, writes: TableWrites | undefined): number {
  if (operation === 'Delete') return 0
  const { updated = 0, hot_updated: hot = 0 } = writes ?? {}
  return operation === 'Update' && updated > 0 ? (updated - hot) / updated : 1
}
