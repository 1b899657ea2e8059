import type { TableName } from '../definition/definition.js'
import type { Session } from '../server/session.js'
import { partitionTreesSql } from '../sql/partitions.js'
import type { CanonicalDefinition, ExistingIndex } from './snapshot.js'

/** A partitioned table with its partitions on every level, and their indexes. */
export interface PartitionTree {
  readonly table: TableName
  /** The table itself first, then level by level. */
  readonly partitions: readonly Partition[]
  /** Relations in the partitions' schemas whose names begin as the wanted indexes do. */
  readonly names: readonly TableName[]
  /** For short statements: below the server's deadlock_timeout, so that waiting ends no running build (fault 22). */
  readonly lockTimeoutMs: number
  /** ATTACH PARTITION of what is attached already looks whether the parent is valid by now. */
  readonly looksAgain: boolean
}

export interface Partition {
  readonly oid: number
  /** null for the table itself. */
  readonly parentOid: number | null
  readonly schema: string
  readonly name: string
  /** p partitioned itself, r a leaf, f a foreign table. */
  readonly relkind: string
  readonly owned: boolean
  readonly creatable: boolean
  readonly estimatedRows: number
  readonly sizeBytes: number
  /** A leaf of no pages: its index takes no time. */
  readonly empty: boolean
  readonly indexes: readonly PartitionIndex[]
}

export interface PartitionIndex {
  readonly oid: number
  readonly name: string
  /** The index that it is attached to. */
  readonly parentOid: number | null
  /** Valid, ready and live. */
  readonly usable: boolean
  /** Some session builds it right now. */
  readonly building: boolean
  readonly constraint: string | null
  /** null when it is attached: PostgreSQL compared it then. */
  readonly canonical: CanonicalDefinition | null
}

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
  const indexes = indexesByTable(document)
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

/** Fault 37: the same statement did nothing on 14.22, 15.17, 16.13, 17.9 and 18.3, and validated the parent on the next of each. */
function looksAgain(versionNum: number): boolean {
  const since = [140_023, 150_018, 160_014, 170_010, 180_004]
  const first = since.find((version) => Math.floor(version / 10_000) === Math.floor(versionNum / 10_000))
  return first === undefined ? versionNum >= 190_000 : versionNum >= first
}

/** Fault 36: whoever queues behind a statement of perfdb's must not wait for a second. */
const longestQueueMs = 500

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
