import type { TableName } from '../../definition/definition.js'
import { looksAgain } from '../../server/session/version.js'
import type { Session } from '../../server/session/session.js'
import { partitionTreesSql } from '../../sql/ddl/partitions.js'
import { withBounds } from './bounds.js'
import type { ExistingIndex, PartitionTree, Partition, PartitionIndex } from '../snapshot.js'

/** The trees of those of the tables that are partitioned, in one statement; `names` are those of the indexes that are wanted there. */
export async function readPartitionTrees(
  session: Session,
  tables: readonly TableName[],
  names: readonly string[],
): Promise<readonly PartitionTree[]> {
  const wanted = { tables: tables.map(({ schema, name }) => ({ schema, name })), indexes: names }
  const rows = await session.query<{ document: TreesDocument }>(partitionTreesSql(session.versionNum), [
    JSON.stringify(wanted),
  ])
  const document = rows[0]?.document
  if (document === undefined) return []
  const nodes = document.nodes ?? []
  const indexes = indexesByTable({ ...document, loose: await withBounds(session, document.loose ?? []) })
  return nodes
    .filter((node) => node.parentOid === null)
    .map((root) => ({
      table: { schema: root.schema, name: root.name },
      partitions: nodes
        .filter((node) => node.rootOid === root.oid)
        .map((node) => ({ ...node, indexes: indexes.get(node.oid) ?? [] })),
      names: document.names ?? [],
      lockTimeoutMs: Math.max(1, Math.min(longestQueueMs, Math.floor(document.deadlockTimeoutMs / 2))),
      looksAgain: looksAgain(session.versionNum),
    }))
}

/** Fault 36: whoever queues behind a statement of perfdb's waits for that long at most, and hits no lock_timeout of 200 ms. */
const longestQueueMs = 50

interface Node extends Omit<Partition, 'indexes'> {
  readonly rootOid: number
}

interface Attached extends Pick<PartitionIndex, 'oid' | 'name' | 'parentOid' | 'usable'> {
  readonly tableOid: number
}

interface TreesDocument {
  readonly deadlockTimeoutMs: number
  readonly nodes: readonly Node[] | null
  readonly attached: readonly Attached[] | null
  readonly loose: readonly ExistingIndex[] | null
  readonly builds: readonly { readonly indexOid: number; readonly tableOid: number; readonly hidden: boolean }[] | null
  readonly names: readonly TableName[] | null
}

function indexesByTable({ attached, loose, builds }: TreesDocument): ReadonlyMap<number, readonly PartitionIndex[]> {
  const built = new Set((builds ?? []).map((build) => build.indexOid))
  // Of another role's build only the table is seen: it may be any of its indexes (fault 64).
  const builtOn = new Set((builds ?? []).filter((build) => build.hidden).map((build) => build.tableOid))
  const all = [
    ...(attached ?? []).map((index) => ({ ...index, constraint: null, canonical: null })),
    ...(loose ?? []).map((index) => ({ ...index, parentOid: null, usable: index.valid && index.ready && index.live })),
  ]
  const byTable = new Map<number, PartitionIndex[]>()
  for (const { tableOid, oid, name, parentOid, usable, constraint, canonical } of all) {
    const building = !usable && (built.has(oid) || builtOn.has(tableOid))
    const index = { oid, name, parentOid, usable, building, constraint, canonical }
    const known = byTable.get(tableOid)
    if (known === undefined) byTable.set(tableOid, [index])
    else known.push(index)
  }
  return byTable
}
