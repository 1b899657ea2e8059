import type { TableName } from '../definition/definition.js'
import type { Session } from '../server/session.js'
import { copyPartitionedSql, partitionKeySql } from '../sql/partitions.js'

/**
 * Makes the empty temporary copy of a partitioned table, partitioned by the same key, with one partition for every row, so
 * that PostgreSQL itself says what it refuses on the original. Within the caller's transaction, at whose end it is gone.
 */
export async function copyPartitioned(session: Session, table: TableName, copy: string): Promise<void> {
  const rows = await session.query<{ key: string; strategy: string }>(partitionKeySql, [table.schema, table.name])
  for (const { key, strategy } of rows) {
    for (const sql of copyPartitionedSql(copy, table, key, strategy)) await session.query(sql)
  }
}
