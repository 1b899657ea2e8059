import type { TableName } from '../../definition/definition.js'
import { withConstant } from '../../definition/quote.js'
import type { Session } from '../../server/session/session.js'
import { copyLeafSql, copyPartitionedSql, partitionKeysSql } from '../../sql/ddl/partitions.js'

/** A partition key as PARTITION BY takes it, of a table or of something partitioned below it. */
export interface PartitionKey extends TableName {
  readonly key: string
  /** The first table of the tree that is partitioned by it. */
  readonly member: string
}

/** The different partition keys of the tables, the table's own first. */
export async function readPartitionKeys(
  session: Session,
  tables: readonly TableName[],
): Promise<readonly PartitionKey[]> {
  if (tables.length === 0) return []
  const rows = await session.query<PartitionKey>(withConstant(partitionKeysSql, tables))
  const first = new Map(rows.toReversed().map((row) => [JSON.stringify([row.schema, row.name, row.key]), row]))
  return rows.filter((row) => first.get(JSON.stringify([row.schema, row.name, row.key])) === row)
}

/**
 * Makes the empty temporary copy of a partitioned table, partitioned by its key, below it by each other key that is found
 * further down, and at the end one partition for every row: so that PostgreSQL itself says what it refuses on any
 * level of the original, such as a unique index without the partition key. Statements for a transaction, at whose
 * end it is gone, and the name of the table that each of these copies stands for.
 */
export function copyPartitioned(
  table: TableName,
  keys: readonly PartitionKey[],
  copy: string,
): { readonly texts: readonly string[]; readonly originals: ReadonlyMap<string, string> } {
  const texts: string[] = []
  const originals = new Map<string, string>()
  let above: { readonly copy: string; readonly key: string } | null = null
  for (const { key, member } of keys) {
    const name: string = above === null ? copy : `${copy}_${originals.size}`
    texts.push(copyPartitionedSql(name, key, above ?? { table }))
    originals.set(name, member)
    above = { copy: name, key }
  }
  if (above === null) return { texts, originals }
  const leaf = `${copy}_${originals.size}`
  texts.push(copyLeafSql(leaf, above.copy, above.key))
  return { texts, originals: originals.set(leaf, table.name) }
}
