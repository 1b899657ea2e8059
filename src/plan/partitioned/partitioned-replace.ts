import type { CanonicalDefinition, ExistingIndex, PartitionTree, Snapshot } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { dropPartitionedStatement } from '../match/drop-partitioned.js'
import { dropRefusal } from '../match/drop-refusal.js'
import { identityRefusal } from '../index-attributes.js'
import { indexNamed } from '../match/lookup.js'
import { newNameFor, oldNameFor } from '../match/names.js'
import { partitionedWork } from './partitioned-work.js'
import { renameStatement, type Statement } from '../plan.js'
import { sameDefinition } from '../match/same.js'

/*
 * The index of a partitioned table cannot be dropped concurrently, so that its replacement is built beside it under another name, the names are exchanged,
 * and the old one is dropped last, in one short transaction that locks the table and all its partitions (fault 32).
 */

/** Why it cannot be replaced; null when it can. */
export function replaceRefusal(
  existing: ExistingIndex,
  canonical: CanonicalDefinition,
  snapshot: Snapshot,
): string | null {
  return dropRefusal(existing) ?? identityRefusal(existing, canonical) ?? temporaryNameRefusal(existing, snapshot)
}

/** The names that a replace passes through must be free, or be held by what an earlier one left; null when they are. */
export function temporaryNameRefusal({ schema, name, table }: ExistingIndex, snapshot: Snapshot): string | null {
  const held = [newNameFor(name), oldNameFor(name)].map((passing) => indexNamed(snapshot, schema, passing))
  const foreign = held.find((index) => index !== undefined && index.table.name !== table.name)
  if (foreign !== undefined) return `${foreign.name}, whose name it needs, is an index of ${foreign.table.name}`
  const bound = held.find((index) => index !== undefined && dropRefusal(index) !== null)
  return bound === undefined
    ? null
    : `${bound.name}, whose name it needs, cannot be dropped: ${dropRefusal(bound) ?? ''}`
}

/** All of it, as it would be done now; apply asks the catalog again before each part. */
export function partitionedReplaceStatements(
  definition: Definition,
  canonical: CanonicalDefinition,
  tree: PartitionTree,
  snapshot: Pick<Snapshot, 'indexes'>,
  describe: readonly string[],
): readonly Statement[] {
  const { name, table } = definition
  const left = (passing: string) =>
    snapshot.indexes.find((index) => index.name === passing && index.schema === table.schema)
  const [fresh, old] = [left(newNameFor(name)), left(oldNameFor(name))]
  const other = fresh !== undefined && !sameDefinition(canonical, fresh.canonical)
  const without = other ? withoutIndex(tree, fresh.oid) : tree
  const work = partitionedWork(definition, canonical, without, newNameFor(name))
  return [
    ...(old === undefined ? [] : [dropPartitionedStatement(old)]),
    ...(other ? [dropPartitionedStatement(fresh)] : []),
    ...work.flatMap(({ statement }) => (statement === null ? [] : [statement])),
    exchangeStatement(definition, describe),
    dropPartitionedStatement({ schema: table.schema, name: oldNameFor(name), table }),
  ]
}

/** The new one gets the name, and what belongs to it. */
export function exchangeStatement({ name, table }: Definition, describe: readonly string[]): Statement {
  const { schema } = table
  return renameStatement(
    schema,
    [
      [name, oldNameFor(name)],
      [newNameFor(name), name],
    ],
    name,
    describe,
  )
}

function withoutIndex(tree: PartitionTree, oid: number): PartitionTree {
  const partitions = tree.partitions.map((one) => ({
    ...one,
    indexes: one.indexes.filter((index) => index.oid !== oid),
  }))
  return { ...tree, partitions }
}
