import type { PartitionTree } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { commentSql, renameIndexSql, statisticsTargetSql, storageSql } from '../../sql/ddl/index-ddl.js'
import type { Statement } from '../plan.js'

/**
 * Short statements that give indexes of single partitions what is declared for them, once they are attached below the index `name`: a storage
 * parameter counts from the next REINDEX on. One transaction each; nothing for partitions that are not there any more.
 */
export function partStatements(definition: Definition, tree: PartitionTree, name: string): readonly Statement[] {
  const attached = attachedBelow(tree, name)
  return (definition.partitions ?? []).flatMap((part): readonly Statement[] => {
    const { schema } = part.table
    const current = attached.get(JSON.stringify([schema, part.table.name]))
    if (current === undefined) return []
    const wanted = part.name ?? current
    const sql = [
      ...(wanted === current ? [] : [renameIndexSql(schema, current, wanted)]),
      ...(part.storage === undefined ? [] : storageSql(schema, wanted, part.storage, definition.storage)),
      ...(part.comment === undefined ? [] : [commentSql(schema, wanted, part.comment)]),
      ...Object.entries(part.statistics ?? {}).map(([key, target]) =>
        statisticsTargetSql(schema, wanted, Number(key), target),
      ),
    ]
    return sql.length === 0 ? [] : [{ kind: 'swap', verb: 'restore', schema, index: wanted, sql }]
  })
}

/** By their partitions, the names of the indexes that belong to it. */
function attachedBelow({ partitions }: PartitionTree, name: string): ReadonlyMap<string, string> {
  const own = new Set<number>()
  const names = new Map<string, string>()
  for (const { schema, name: table, parentOid: parent, indexes } of partitions)
    for (const index of indexes) {
      const belongs = index.parentOid === null ? parent === null && index.name === name : own.has(index.parentOid)
      if (!belongs) continue
      own.add(index.oid)
      if (parent !== null) names.set(JSON.stringify([schema, table]), index.name)
    }
  return names
}
