import type {
  CanonicalDefinition,
  ExistingIndex,
  PartitionIndex,
  PartitionTree,
  Snapshot,
} from '../../catalog/snapshot.js'
import type { Problem } from '../../errors.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import { renameIndexSql } from '../../sql/ddl/index-ddl.js'
import { carryOver, declaredOver, describeSql, attributesOf, restoreSql, uniquenessLost } from '../index-attributes.js'
import { isDeclared } from '../match/lookup.js'
import { newNameFor } from '../match/names.js'
import { lockText } from '../match/drop-partitioned.js'
import { partitionedReplaceStatements, replaceRefusal } from './partitioned-replace.js'
import { missingReason, whatIsLeft } from './partitioned-reasons.js'
import { partStatements } from './partition-parts.js'
import { partitionedWork } from './partitioned-work.js'
import { type Hazard, restoreStatements, type Statement, type Step } from '../plan.js'
import type { Resolved } from '../inputs.js'
import { sameDefinition } from '../match/same.js'

type Planned = Pick<Step, 'step' | 'reason' | 'statements' | 'hazards' | 'partitioned' | 'describe'>

/**
 * What is to be done for an index that is declared on a partitioned table. One that is there and not valid is never dropped,
 * because that takes the good indexes of its partitions along: `rebuild` is then only what is missing. One of another
 * definition is replaced by another tree. `hazards` are those of building, if anything is built.
 */
export function planPartitioned(
  one: Resolved,
  existing: ExistingIndex | null,
  tree: PartitionTree,
  snapshot: Snapshot,
  hazards: readonly Hazard[],
): Planned {
  const { declared, canonical } = one
  if (existing !== null && !sameDefinition(canonical, existing.canonical))
    return planReplace(one, existing, tree, snapshot, hazards)
  const { definition } = declared
  const work = partitionedWork(definition, canonical, tree)
  const described =
    existing === null
      ? restoreSql(declaredOver(definition, null), definition.table.schema, definition.name, definition.table)
      : describeSql(definition, existing)
  const statements = [
    ...statementsOf(work),
    ...restoreStatements(described, definition.table, definition.name),
    ...(work.length === 0 ? [] : partStatements(definition, treeAfter(tree, work, definition.name), definition.name)),
  ]
  const rest = { partitioned: true, describe: described } as const
  if (existing === null) return { step: 'create', reason: missingReason(tree), statements, hazards, ...rest }
  if (existing.valid && work.length === 0) {
    const reason = 'valid on every partition, same definition'
    return { step: 'keep', reason, statements: [], hazards: [], partitioned: true }
  }
  const reason = `is not valid: ${whatIsLeft(work, tree)}`
  return { step: 'rebuild', reason, statements, hazards, ...rest }
}

function statementsOf(work: ReturnType<typeof partitionedWork>): readonly Statement[] {
  return work.flatMap(({ statement }) => (statement === null ? [] : [statement]))
}

/** The tree as it will be: each index of the work attached, for what is then done to it. */
function treeAfter(tree: PartitionTree, work: ReturnType<typeof partitionedWork>, name: string): PartitionTree {
  const made = new Map(work.map(({ table, index }) => [JSON.stringify([table.schema, table.name]), index]))
  const oids = new Map(tree.partitions.map(({ oid }, at) => [oid, -1 - at]))
  const partitions = tree.partitions.map((partition) => {
    const { oid, parentOid, schema, indexes } = partition
    const parent = parentOid === null ? null : (oids.get(parentOid) ?? null)
    const known = indexes.find((index) => index.parentOid !== null || (parentOid === null && index.name === name))
    const planned =
      parentOid === null ? name : (made.get(JSON.stringify([schema, partition.name])) ?? known?.name ?? '')
    const index = {
      oid: oids.get(oid) ?? 0,
      name: planned,
      parentOid: parent,
      usable: true,
      building: false,
      constraint: null,
      canonical: null,
    }
    return { ...partition, indexes: planned === '' ? [] : [index] }
  })
  return { ...tree, partitions }
}

function planReplace(
  { declared: { definition }, canonical }: Resolved,
  existing: ExistingIndex,
  tree: PartitionTree,
  snapshot: Snapshot,
  hazards: readonly Hazard[],
): Planned {
  const reason = `already exists with a different definition: ${existing.indexdef}`
  const refusal = replaceRefusal(existing, canonical, snapshot)
  if (refusal !== null) {
    const message = `${existing.name} is not replaced: ${refusal}`
    const refused = [refusedReplace(message, 'declare the new definition under another name')]
    return { step: 'replace', reason, statements: [], hazards: refused, partitioned: true }
  }
  const { schema, table, name } = existing
  const describe = restoreSql(
    declaredOver(definition, carryOver(attributesOf(existing), canonical)),
    schema,
    name,
    table,
  )
  return {
    step: 'replace',
    reason,
    statements: [
      ...partitionedReplaceStatements(definition, canonical, tree, snapshot, describe),
      ...partStatements(
        definition,
        treeAfter(tree, partitionedWork(definition, canonical, tree, newNameFor(name)), name),
        name,
      ),
    ],
    hazards: [
      {
        code: 'REPLACE',
        message: `${name} exists with another definition: another one is built on each partition, then takes its name, then the old one is dropped; ${lockText(existing)}${uniquenessLost(existing, canonical)}`,
      },
      ...hazards,
    ],
    partitioned: true,
    describe,
  }
}

/**
 * Somebody began the same index under another name, and partitions are attached to it already: those would be built a second time.
 * It is not touched, for it may be anybody's work under way; renamed by its owner it is continued.
 */
export function unfinishedTwin(one: Resolved, all: readonly Resolved[], tree: PartitionTree): readonly Hazard[] {
  const { name } = one.declared.definition
  const [root] = tree.partitions
  const twin = root?.indexes.find((index) => isUnfinishedTwin(index, one.canonical))
  if (root === undefined || twin === undefined || isDeclared(all, root.schema, twin.name)) return []
  const attached = tree.partitions.flatMap(({ indexes }) => indexes.filter((index) => index.parentOid === twin.oid))
  if (attached.length === 0) return []
  return [
    {
      code: 'REDUNDANT',
      message: `${twin.name} is the same index, begun and not valid yet, with ${attached.length} of its partitions attached: they would be built again; ${renameIndexSql(root.schema, twin.name, name)} takes it over instead`,
    },
  ]
}

/** Of a partitioned table: attached to nothing, not valid, and what is declared. */
export function isUnfinishedTwin(index: PartitionIndex, canonical: CanonicalDefinition): boolean {
  const { parentOid, usable, constraint, canonical: own } = index
  return parentOid === null && !usable && constraint === null && own !== null && sameDefinition(canonical, own)
}

/** A replace that cannot be done, whatever is allowed. */
export function refusedReplace(message: string, hint: string): Hazard {
  return { code: 'REPLACE', message, refused: true, hint }
}

/** Not valid for good: PostgreSQL counts a foreign table as a partition without an index, and there is none to attach. */
export function foreignPartitionProblem(
  { definition, place }: DeclaredIndex,
  existing: ExistingIndex | undefined,
  tree: PartitionTree,
): Problem | null {
  const foreign = tree.partitions.find((partition) => partition.relkind === 'f')
  if (foreign === undefined || existing?.valid === true) return null
  return {
    code: 'NOT_INDEXABLE',
    message: `${definition.name}: ${foreign.schema}.${foreign.name}, a partition of ${definition.table.schema}.${definition.table.name}, is a foreign table: an index built partition by partition would never become valid`,
    hint: 'declare the index on each of the other partitions instead',
    place,
  }
}
