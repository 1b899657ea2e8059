import { comparisonsOf, readCondition } from '../../sql/rewrite/condition.js'
import { columnTypesSql, tableIdentitySql } from '../../sql/measure/explain-catalog.js'
import { operatorClassesSql } from '../../sql/measure/explain-opclasses.js'
import { tableOf, type PlanNode } from '../plan/plan-node.js'
import { rolledBack } from '../sample/sample.js'
import { catalogOnly } from '../sample/tables.js'
import { operatorOf, type ColumnFacts, type TableCatalog } from './serves-index.js'
import { oncePerTable, type TableName } from '../sample/once.js'
import type { OperatorClass } from '../../sql/measure/explain-opclasses.js'
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

/** What most conditions ask: with them the answer for one query serves the next. */
const ordering = ['=', '<', '<=', '>', '>=']

const columnsOf = oncePerTable(async (session, limits, tables) =>
  eachTable(session, limits, tables, async (names) => {
    const [columns, [identity]] = await Promise.all([
      session.query<ColumnFacts & { readonly column: string }>(columnTypesSql, names),
      session.query<Pick<Catalog, 'root' | 'owner' | 'owned'>>(tableIdentitySql, names),
    ])
    return {
      columns: new Map(columns.map(({ column, type, collation }) => [column, { type, collation }])),
      identity,
    }
  }),
)

const classesOf = oncePerTable(async (session, limits, tables, operators) =>
  eachTable(session, limits, tables, async (names) =>
    session.query<OperatorClass>(operatorClassesSql, [...names, operators]),
  ),
)

async function eachTable<T>(
  session: Session,
  limits: Limits,
  tables: readonly TableName[],
  ask: (names: readonly [string, string]) => Promise<T>,
): Promise<readonly T[]> {
  return rolledBack(session, limits, catalogOnly, async () =>
    Promise.all(tables.map(async ({ schema, relation }) => ask([schema, relation]))),
  )
}

/** Of the table that a node reads, with the operators of its conditions. Throws the server's errors. */
export async function readCatalog({ session, limits, indexes, foreign }: Asking, node: PlanNode): Promise<Catalog> {
  const conditions = await Promise.all([node.filter, node.indexCondition].map(readCondition))
  const operators = conditions.flatMap((one) => (one === null ? [] : comparisonsOf(one))).map(operatorOf)
  const searched = [...new Set([...ordering, ...operators])].toSorted()
  const [{ columns, identity } = { columns: new Map<string, ColumnFacts>(), identity: undefined }] = await columnsOf(
    session,
    limits,
    [node],
  )
  const [classes = []] = await classesOf(session, limits, [node], searched)
  const table = tableOf(node)
  return {
    columns,
    operators: classes,
    indexes: indexes.filter((index) => index.table === table),
    root: identity?.root ?? table,
    // Without an owner nothing is tried on a copy.
    owner: foreign ? null : (identity?.owner ?? null),
    owned: identity?.owned ?? false,
  }
}
