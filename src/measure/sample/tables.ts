import type { Session } from '../../server/session/session.js'
import { tablesSql } from '../../sql/measure/explain-catalog.js'
import { indexShapesSql } from '../../sql/measure/index-shapes.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { rolledBack } from './sample.js'
import type { Limits } from './limits.js'
import type { IndexShape } from './subject.js'
import { count } from '../plan/plan-node.js'
import { oncePerTable, type OncePerTable, type TableName } from './once.js'

/**
 * Below 50 pages the planner reads the whole table whatever indexes there are, and is right (postgres.ai's Joe ignores
 * sequential scans of fewer than 50 buffers): nothing can be said there of an index or a speedup.
 */
export const smallPages = 50

/** What the planner knows of a table, and since when. Rows are counts. */
export interface TableFacts {
  /** `schema.table` */
  readonly table: string
  /** pg_class.reltuples; -1 when it was never vacuumed or analyzed. */
  readonly estimated_rows: number
  /** Of its file, of 8 kB. */
  readonly pages: number
  /** It holds rows and no column of it has statistics. */
  readonly never: boolean
  readonly changed_rows: number
  /** Changed rows after which autovacuum analyzes it. */
  readonly threshold: number
}

/** What a query plan reads: tables (partitions, not their parents), and the valid indexes of these, used or not. */
export interface Relations {
  readonly tables: readonly TableFacts[]
  readonly indexes: readonly IndexShape[]
}

/** Throws the server's errors. */
export async function readRelations(
  session: Session,
  plan: Pick<QueryPlan, 'nodes'>,
  limits: Limits,
): Promise<Relations> {
  const read = plan.nodes.filter((node) => node.schema !== '')
  return {
    tables: await readTables(session, read, limits),
    indexes: (await shapesOf(session, limits, read)).flat(),
  }
}

/** Of the tables that these nodes read; none for a partitioned one. Throws the server's errors. */
export async function readTables(
  session: Session,
  nodes: readonly TableName[],
  limits: Limits,
): Promise<readonly TableFacts[]> {
  return (await factsOf(session, limits, nodes)).flat()
}

const factsOf = rowsOncePerTable(async (session, names) => session.query<TableFacts>(tablesSql, names))
const shapesOf = rowsOncePerTable(async (session, names) => session.query<IndexShape>(indexShapesSql, names))

/** Rows that name their table, of a statement that takes schemas and names ($1, $2). */
export function rowsOncePerTable<T extends { readonly table: string }>(
  ask: (session: Session, names: readonly (readonly string[])[]) => Promise<readonly T[]>,
): OncePerTable<readonly T[]> {
  return oncePerTable(async (session, limits, tables) => {
    const names = [tables.map(({ schema }) => schema), tables.map(({ relation }) => relation)]
    const rows = await rolledBack(session, limits, catalogOnly, async () => ask(session, names))
    return tables.map(({ schema, relation }) => rows.filter(({ table }) => table === `${schema}.${relation}`))
  })
}

/** Settings of a transaction that reads the catalog. */
export const catalogOnly = { readOnly: true, set: { search_path: 'pg_catalog' } } as const

/** `0 rows`, `12 rows`, `3 pages` where nobody counted. */
export function sizeText({ pages, estimated_rows: rows }: Pick<TableFacts, 'pages' | 'estimated_rows'>): string {
  if (pages === 0) return '0 rows'
  return rows < 0 ? `${pages} page${pages === 1 ? '' : 's'}` : `${count(rows)} row${rows === 1 ? '' : 's'}`
}
