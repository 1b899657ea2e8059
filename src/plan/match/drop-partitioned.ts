import type { ExistingIndex } from '../../catalog/snapshot.js'
import type { TableName } from '../../definition/definition.js'
import { dropPartitionedShortlySql } from '../../sql/ddl/partitions.js'
import type { Statement } from '../plan.js'

/** What the drop of the index of a partitioned table locks, and for how long. */
export function lockText({ table }: Pick<ExistingIndex, 'table'>): string {
  return `DROP INDEX locks ${table.schema}.${table.name} and all its partitions ACCESS EXCLUSIVE for a moment, tried for 150 ms at a time, with pauses that grow`
}

/** Drops it, in one short transaction. */
export function dropPartitionedStatement(index: { schema: string; name: string; table: TableName }): Statement {
  const { schema, name, table } = index
  return { kind: 'swap', verb: 'drop', schema, index: name, sql: dropPartitionedShortlySql(index, table) }
}
