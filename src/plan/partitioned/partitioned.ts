import type { CanonicalDefinition, ExistingIndex, PartitionIndex, PartitionTree } from '../../catalog/snapshot.js'
import type { Problem } from '../../errors.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import { renameIndexSql } from '../../sql/ddl/index-ddl.js'
import { dropPartitionedSql } from '../../sql/ddl/partitions.js'
import { isDeclared } from '../match/lookup.js'
import { missingReason, whatIsLeft } from './partitioned-reasons.js'
import { partitionedWork } from './partitioned-work.js'
import type { Hazard, Step } from '../plan.js'
import type { Resolved } from '../resolved.js'
import { sameDefinition } from '../match/same.js'

/**
 * What is to be done for an index that is declared on a partitioned table. One that is there and not valid is never dropped,
 * because that takes the good indexes of its partitions along: `rebuild` is then only what is missing. One of another
 * definition is not replaced. `hazards` are those of building, if anything is built.
 */
export function planPartitioned(
  { declared, canonical }: Resolved,
  existing: ExistingIndex | null,
  tree: PartitionTree,
  hazards: readonly Hazard[],
): Pick<Step, 'step' | 'reason' | 'statements' | 'hazards' | 'partitioned'> {
  if (existing !== null && !sameDefinition(canonical, existing.canonical)) {
    const message = `${existing.name} is not replaced: ${lockingDrop(existing)}`
    const reason = `already exists with a different definition: ${existing.ddl}`
    const hazards = [refusedReplace(message, otherName(existing))]
    return { step: 'replace', reason, statements: [], hazards, partitioned: true }
  }
  const work = partitionedWork(declared.definition, canonical, tree)
  const statements = work.flatMap(({ statement }) => (statement === null ? [] : [statement]))
  if (existing === null) {
    return { step: 'create', reason: missingReason(tree), statements, hazards, partitioned: true }
  }
  if (existing.valid && work.length === 0) {
    const reason = 'valid on every partition, same definition'
    return { step: 'keep', reason, statements, hazards: [], partitioned: true }
  }
  const reason = `is not valid: ${whatIsLeft(work, tree)}`
  return { step: 'rebuild', reason, statements, hazards, partitioned: true }
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

/** Why perfdb does not drop the index of a partitioned table, with the command for whoever will (fault 32). */
export function lockingDrop({ schema, name, table }: Pick<ExistingIndex, 'schema' | 'name' | 'table'>): string {
  return `${dropPartitionedSql({ schema, name })} would lock ${table.schema}.${table.name} and all its partitions ACCESS EXCLUSIVE`
}

/** The way round a drop that locks a partitioned table: when it is to lock is said by whoever runs it. */
export function otherName({ schema, name }: Pick<ExistingIndex, 'schema' | 'name'>): string {
  const drop = dropPartitionedSql({ schema, name })
  return `declare it under another name, apply, then drop the old one when the table may be locked: ${drop}`
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
