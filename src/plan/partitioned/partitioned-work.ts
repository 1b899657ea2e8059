import { createStatement, dropStatement, reindexStatement, type Statement } from '../plan.js'
import type { CanonicalDefinition, Partition, PartitionIndex, PartitionTree } from '../../catalog/snapshot.js'
import type { Definition, TableName } from '../../definition/definition.js'
import { attachIndexSql, createOnLeafSql, createOnlySql, shortLockSql, shortWorkSql } from '../../sql/ddl/partitions.js'
import { partitionIndexName } from './partitioned-names.js'
import { sameDefinition } from '../match/same.js'

/**
 * only: CREATE INDEX ON ONLY. plain: CREATE INDEX of an empty leaf, attached in the same transaction. drop: the leftover of a build that failed. build: CREATE INDEX CONCURRENTLY of a leaf. repair: REINDEX
 * CONCURRENTLY of a leaf's index that is attached and not valid. wait: another session builds it. attach: ATTACH PARTITION. again: the
 * same of one that is attached, so that PostgreSQL looks whether the parent is valid now.
 */
export interface PartitionWork {
  readonly kind: 'only' | 'plain' | 'drop' | 'build' | 'repair' | 'wait' | 'attach' | 'again'
  readonly table: TableName
  readonly index: string
  /** null for wait. */
  readonly statement: Statement | null
}

/**
 * What is missing for the index of a partitioned table to be valid, in order: the index of each partitioned table alone, top
 * down; each leaf; then what is not attached, bottom up (fault 36). An index of a partition belongs to the tree when it is
 * attached there, or when it has the same definition and is attached to nothing: never by its name. Done again
 * after any of it was done it says what is left, and nothing at the end; so a run can be cut short at every point. `name`: that of the
 * index until it gets its own. `namesFrom`: schema in which names of the definition are looked up first.
 */
export function partitionedWork(
  definition: Definition,
  canonical: CanonicalDefinition,
  tree: PartitionTree,
  name = definition.name,
  namesFrom = definition.table.schema,
): readonly PartitionWork[] {
  const [root] = tree.partitions
  if (root === undefined) return []
  const wanted = { definition, canonical, tree, names: namesBySchema(tree), namesFrom }
  const index = root.indexes.find((one) => one.name === name) ?? null
  const top = { ...memberBase(root), index, name, attached: true, building: false }
  const member: Member = { ...top, children: membersBelow(root, index, wanted) }
  const members = inOrder(member)
  return [
    ...members.flatMap((one) => onlyWork(one, wanted)),
    // Before the long ones: what is empty now may be filled by then.
    ...members.flatMap((one) => one.children.filter(isPlain).map((child) => plainWork(one, child, wanted))),
    ...members.filter((one) => !isPlain(one)).flatMap((one) => leafWork(one, wanted)),
    ...attachWork(member, wanted),
  ]
}

interface Wanted {
  readonly definition: Definition
  readonly canonical: CanonicalDefinition
  readonly tree: PartitionTree
  /** Names that are taken, by schema. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>
  readonly namesFrom: string
}

function namesBySchema({ names }: PartitionTree): Wanted['names'] {
  const bySchema = new Map<string, Set<string>>()
  for (const { schema, name } of names) bySchema.set(schema, (bySchema.get(schema) ?? new Set()).add(name))
  return bySchema
}

/** A table of the tree with the index that is, or will be, its part of the whole. */
interface Member {
  readonly partition: Partition
  readonly table: TableName
  readonly index: PartitionIndex | null
  readonly name: string
  readonly attached: boolean
  readonly building: boolean
  readonly children: readonly Member[]
}

function memberBase(partition: Partition) {
  return { partition, table: { schema: partition.schema, name: partition.name } } as const
}

function membersBelow(parent: Partition, parentIndex: PartitionIndex | null, wanted: Wanted): readonly Member[] {
  return wanted.tree.partitions
    .filter((partition) => partition.parentOid === parent.oid && partition.relkind !== 'f')
    .map((partition) => {
      const attached = partition.indexes.find((one) => parentIndex !== null && one.parentOid === parentIndex.oid)
      const derived = attached === undefined ? derivedName(partition, wanted) : attached.name
      const index = attached ?? looseIndex(partition, derived, wanted)
      return {
        ...memberBase(partition),
        index,
        name: index?.name ?? derived,
        attached: attached !== undefined,
        building: index?.building === true,
        children: membersBelow(partition, index, wanted),
      }
    })
}

/** A whole one before one that is being built before the leftover of an earlier build; the latter by its name alone, or it may be anybody's. */
function looseIndex(partition: Partition, derived: string, wanted: Wanted): PartitionIndex | null {
  const equal = equalLoose(partition, wanted).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const whole = equal.filter((one) => one.usable || partition.relkind === 'p')
  return (
    whole.find((one) => one.name === derived) ??
    whole[0] ??
    equal.find((one) => one.building) ??
    equal.find((one) => one.name === derived) ??
    null
  )
}

/** Attached to nothing, of the declared definition, and not the property of a constraint, which could then not be dropped any more. */
function equalLoose(partition: Partition, { canonical }: Wanted): readonly PartitionIndex[] {
  return partition.indexes.filter(
    (one) =>
      one.parentOid === null &&
      one.constraint === null &&
      one.canonical !== null &&
      sameDefinition(canonical, one.canonical),
  )
}

function derivedName(partition: Partition, wanted: Wanted): string {
  const own = new Set(equalLoose(partition, wanted).map((one) => one.name))
  const names = wanted.names.get(partition.schema) ?? own
  return partitionIndexName(wanted.definition.name, partition, (name) => names.has(name) && !own.has(name))
}

/** Each member before those below it. */
function inOrder(member: Member): readonly Member[] {
  return [member, ...member.children.flatMap(inOrder)]
}

function onlyWork({ partition, table, name, index }: Member, { definition, tree }: Wanted): readonly PartitionWork[] {
  if (partition.relkind !== 'p' || index !== null) return []
  return [shortWork('only', table, name, createOnlySql(definition, table, name), tree)]
}

/**
 * Of three statements instead of a dozen: partitions are made long before they are filled, and a thousand empty ones took 21 s instead of 88.
 * Should one be filled in between, the time limit ends it and the next look finds it so.
 */
function plainWork(parent: Member, { table, name }: Member, { definition, tree }: Wanted): PartitionWork {
  const { lockTimeoutMs } = tree
  const attach = attachIndexSql({ schema: parent.table.schema, name: parent.name }, { schema: table.schema, name })
  const sql = [
    shortLockSql(lockTimeoutMs),
    shortWorkSql(lockTimeoutMs + longestWorkMs),
    createOnLeafSql(definition, table, name),
    attach,
  ]
  return {
    kind: 'plain',
    table,
    index: name,
    statement: { kind: 'swap', verb: 'attach', schema: table.schema, index: name, sql },
  }
}

/** On top of the wait for the lock; both together are less than a lock_timeout of 200 ms. */
const longestWorkMs = 100

function isPlain({ partition, index }: Member): boolean {
  return partition.empty && index === null
}

function leafWork(member: Member, wanted: Wanted): readonly PartitionWork[] {
  const { partition, table, name, index, attached, building } = member
  if (partition.relkind === 'p' || index?.usable === true) return []
  if (building) return [{ kind: 'wait', table, index: name, statement: null }]
  const { namesFrom } = wanted
  const create = { ...createStatement({ ...wanted.definition, table }, name), namesFrom }
  const build: PartitionWork = { kind: 'build', table, index: name, statement: create }
  if (index === null) return [build]
  if (!attached) return [dropWork(table, name), build]
  return [
    ...reindexLeftovers(member, wanted).map((leftover) => dropWork(table, leftover)),
    { kind: 'repair', table, index: name, statement: reindexStatement(table.schema, name) },
  ]
}

/** Of a REINDEX CONCURRENTLY of this very index that was cut short: name, table and definition say so together (fault 12). */
function reindexLeftovers({ partition, name }: Member, wanted: Wanted): readonly string[] {
  return equalLoose(partition, wanted)
    .filter((one) => !one.usable && !one.building)
    .map((one) => one.name)
    .filter((leftover) => {
      const base = /^(.+)_cc(?:new|old)\d*$/.exec(leftover)?.[1]
      return base !== undefined && name.startsWith(base)
    })
}

/**
 * Bottom up, so that each parent becomes valid with its last child. One whose children were all attached while one of them was
 * not valid does not become so by itself: attaching a child once more looks again (fault 37), unless a child below does.
 */
function attachWork(member: Member, { tree, ...rest }: Wanted): readonly PartitionWork[] {
  const { index, name, table, children } = member
  const attach = (kind: 'attach' | 'again', child: Member) => {
    const sql = attachIndexSql({ schema: table.schema, name }, { schema: child.table.schema, name: child.name })
    return shortWork(kind, child.table, child.name, sql, tree)
  }
  const plain = children.some(isPlain)
  const own = children.filter((child) => !child.attached && !isPlain(child))
  const passedUp = children.some((child) => child.partition.relkind === 'p' && child.index?.usable !== true)
  const unseen = tree.looksAgain && own.length === 0 && !plain && !passedUp && index !== null && !index.usable
  const repaired = children.find((child) => child.index?.usable !== true) ?? children[0]
  const again = unseen && repaired !== undefined ? [attach('again', repaired)] : []
  const below = children.flatMap((child) => attachWork(child, { tree, ...rest }))
  return [...below, ...own.map((child) => attach('attach', child)), ...again]
}

function shortWork(
  kind: 'only' | 'attach' | 'again',
  table: TableName,
  index: string,
  sql: string,
  { lockTimeoutMs }: PartitionTree,
): PartitionWork {
  const verb = kind === 'only' ? 'create_only' : 'attach'
  const texts = [shortLockSql(lockTimeoutMs), sql]
  return { kind, table, index, statement: { kind: 'swap', verb, schema: table.schema, index, sql: texts } }
}

function dropWork(table: TableName, name: string): PartitionWork {
  return { kind: 'drop', table, index: name, statement: dropStatement({ schema: table.schema, name }) }
}
