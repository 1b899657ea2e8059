import { comparisonsOf, readCondition } from '../../sql/rewrite/condition.js'
import { columnTypesSql, tableIdentitySql } from '../../sql/measure/explain-catalog.js'
import { operatorClassesSql } from '../../sql/measure/explain-opclasses.js'
import { tableOf, type PlanNode } from '../plan/plan-node.js'
import { rolledBack } from '../sample/sample.js'
import { catalogOnly } from '../sample/tables.js'
import { operatorOf, type ColumnFacts, type TableCatalog } from './serves-index.js'
import type { Session } from '../../server/session/session.js'
import type { IndexFacts } from '../sample/indexes.js'
import type { Limits } from '../sample/limits.js'

/** What the catalog says of a table, and whose it is. */
export interface Catalog extends TableCatalog {
  /** The partitioned table that it belongs to, else itself: `schema.table`. */
  readonly root: string
  /** null where it may not be asked. */
  readonly owner: string | null
  /** The role may create statistics on it. */
  readonly owned: boolean
}

interface Asking {
  readonly session: Session
  readonly limits: Limits
  /** Of all tables of the query plan. */
  readonly indexes: readonly IndexFacts[]
  readonly foreign: boolean
}

/** Of the table that a node reads, with the operators of its conditions. Throws the server's errors. */
export async function readCatalog({ session, limits, indexes, foreign }: Asking, node: PlanNode): Promise<Catalog> {
  const names = [node.schema, node.relation]
  const conditions = await Promise.all([node.filter, node.indexCondition].map(readCondition))
  const operators = conditions.flatMap((one) => (one === null ? [] : comparisonsOf(one))).map(operatorOf)
  const [columns, classes, [identity]] = await rolledBack(session, limits, catalogOnly, async () => [
    await session.query<ColumnFacts & { readonly column: string }>(columnTypesSql, names),
    await session.query<TableCatalog['operators'][number]>(operatorClassesSql, [
      ...names,
      [...new Set(['=', ...operators])],
    ]),
    await session.query<Pick<Catalog, 'root' | 'owner' | 'owned'>>(tableIdentitySql, names),
  ])
  const table = tableOf(node)
  return {
    columns: new Map(columns.map(({ column, type, collation }) => [column, { type, collation }])),
    operators: classes,
    indexes: indexes.filter((index) => index.table === table),
    root: identity?.root ?? table,
    // Without an owner nothing is tried on a copy.
    owner: foreign ? null : (identity?.owner ?? null),
    owned: identity?.owned ?? false,
  }
}
