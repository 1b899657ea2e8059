import type { Session } from '../../server/session/session.js'
import { indexesSql } from '../../sql/measure/explain-catalog.js'
import type { PlanNode } from '../plan/plan-node.js'
import { rolledBack } from './sample.js'
import { catalogOnly, rowsOncePerTable } from './tables.js'
import type { Limits } from './limits.js'

/** An existing index with the size of its table. Lists have one member for each key. */
export interface IndexFacts {
  /** `schema.table` */
  readonly table: string
  readonly name: string
  readonly method: string
  readonly valid: boolean
  readonly primary: boolean
  readonly predicate: string | null
  readonly keys: readonly string[]
  /** Empty for an expression. */
  readonly columns: readonly string[]
  readonly opclasses: readonly string[]
  readonly collations: readonly string[]
  readonly descending: readonly boolean[]
  /** Of the table; of all partitions of a partitioned one. */
  readonly pages: number
  readonly estimated_rows: number
  /** The indexes of partitions that query plans name instead of a partitioned one. */
  readonly parts: readonly string[]
}

/** The indexes of the tables that these nodes read, and those of these names. Throws the server's errors. */
export async function readIndexes(
  session: Session,
  nodes: readonly PlanNode[],
  names: readonly string[],
  limits: Limits,
): Promise<readonly IndexFacts[]> {
  const read = nodes.filter((node) => node.schema !== '')
  const ofTables = (await indexesOf(session, limits, read)).flat()
  const others = names.filter((name) => !ofTables.some((one) => one.name === name))
  if (others.length === 0) return ofTables
  const ask = async () => session.query<IndexFacts>(indexesSql, [[], [], others])
  return [...ofTables, ...(await rolledBack(session, limits, catalogOnly, ask))]
}

const indexesOf = rowsOncePerTable(async (session, names) => session.query<IndexFacts>(indexesSql, [...names, []]))
