import { dropStatement, type Finding, type Hazard, type Step } from '../plan.js'
import type { ExistingIndex, Snapshot } from '../../catalog/snapshot.js'
import { quoteName, quoteQualified } from '../../definition/quote.js'
import type { Place } from '../../errors.js'
import type { Profile } from '../../profile/profile.js'
import { dropRefusal } from './drop-refusal.js'
import { indexNamed } from './lookup.js'
import { oldNameFor } from './names.js'
import { dropPartitionedStatement, lockText } from './drop-partitioned.js'
import type { Owned, PlanOptions, Resolved } from '../inputs.js'
import { sameDefinition } from './same.js'

/**
 * Drops that were asked for: declared absent, owned by the ledger and declared no more (with prune), or the old half of a
 * replace that was cut short. Nothing else is ever dropped.
 */
export function planDrops(
  profiles: readonly Profile[],
  resolved: readonly Resolved[],
  snapshot: Snapshot,
  owned: Owned,
  options: PlanOptions,
): Drops {
  const absent = profiles.flatMap((profile) => profile.absent.map((entry) => ({ ...entry, reason: 'declared absent' })))
  const replaced = resolved.flatMap(({ declared: { definition, place } }) => {
    const { name, table } = definition
    const old = oldNameFor(name)
    const reason = `replaced by ${name}, left by an interrupted run`
    const own = indexNamed(snapshot, table.schema, old)?.table.name === table.name
    // Who allowed the replace allowed its last part too.
    return own ? [{ schema: table.schema, name: old, place, reason, hazard: 'REPLACE' as const }] : []
  })
  const reason = 'built by perfdb for this profile, declared no more'
  const pruned = options.prune
    ? declaredNoMore(resolved, snapshot, owned).map(({ schema, name }) => ({ schema, name, place: null, reason }))
    : []
  const wanted = new Map<string, Wanted>(
    [...pruned, ...replaced, ...absent].map((entry) => [key(entry.schema, entry.name), entry]),
  )
  const found = [...wanted.values()].flatMap((entry) => {
    const existing = indexNamed(snapshot, entry.schema, entry.name)
    return existing === undefined ? [] : [{ existing, ...entry }]
  })
  return {
    steps: found
      .filter(({ existing }) => dropRefusal(existing) === null)
      .map(({ existing, reason, place, hazard }) => dropStep(existing, reason, place, hazard)),
    refused: found.flatMap(({ existing, reason, place }) => refusedDrop(existing, reason, place)),
  }
}

/** What perfdb built for these profiles, is still there as it was built, and none of them declares any more. */
export function declaredNoMore(
  resolved: readonly Resolved[],
  snapshot: Snapshot,
  owned: Owned,
): readonly ExistingIndex[] {
  const declared = new Set(
    resolved.map(({ declared: { definition } }) => key(definition.table.schema, definition.name)),
  )
  return owned.flatMap(({ schema, name, tableOid, canonical }) => {
    const existing = indexNamed(snapshot, schema, name)
    if (existing === undefined || declared.has(key(schema, name))) return []
    // By now another index may bear the name: that one is somebody else's.
    const here = tableOid === null || tableOid === existing.tableOid
    return here && (canonical === null || sameDefinition(canonical, existing.canonical)) ? [existing] : []
  })
}

interface Wanted {
  readonly schema: string
  readonly name: string
  readonly place: Place | null
  readonly reason: string
  /** What has to be allowed for a drop that locks. */
  readonly hazard?: 'REPLACE'
}

export interface Drops {
  readonly steps: readonly Step[]
  /** Drops that were asked for and will not be tried. */
  readonly refused: readonly Finding[]
}

function refusedDrop(existing: ExistingIndex, reason: string, place: Place | null): readonly Finding[] {
  const refusal = dropRefusal(existing)
  if (refusal === null) return []
  return [
    {
      code: 'DROP_REFUSED',
      severity: 'error',
      index: existing.name,
      table: `${existing.table.schema}.${existing.table.name}`,
      message: `${existing.name} is ${reason}, but ${refusal}`,
      ...wayRound(existing),
      ...(place === null ? {} : { place }),
    },
  ]
}

/** The statement for whoever decides when a lock may be taken, or a constraint may go. */
function wayRound(index: ExistingIndex): Pick<Finding, 'hint'> | null {
  const { table, constraint, referencedBy } = index
  if (referencedBy.length > 0) return null
  if (constraint !== null)
    return {
      hint: `alter table ${quoteQualified(table.schema, table.name)} drop constraint ${quoteName(constraint)}, if the constraint is not needed`,
    }
  return null
}

/** A drop step for an index that exists; `rollback` makes its drops with it too. */
export function dropStep(
  existing: ExistingIndex,
  reason: string,
  place: Place | null,
  lockHazard: 'DROP' | 'REPLACE' = 'DROP',
): Step {
  const locks = existing.partitioned ? [{ code: lockHazard, message: `${existing.name}: ${lockText(existing)}` }] : []
  return {
    step: 'drop',
    schema: existing.schema,
    index: existing.name,
    table: existing.table,
    statements: [existing.partitioned ? dropPartitionedStatement(existing) : dropStatement(existing)],
    hazards: [...locks, ...dropHazards(existing)],
    predictedBytes: null,
    reason,
    declared: null,
    canonical: null,
    existing,
    place,
  }
}

function dropHazards(index: ExistingIndex): readonly Hazard[] {
  const dangers = [
    index.replicaIdentity ? 'it is the replica identity of its table: updates of a published table would fail' : '',
    index.unique ? 'it is unique: duplicates would be accepted, and ON CONFLICT on its columns would fail' : '',
    index.clustered ? 'the table is clustered on it' : '',
  ]
  return dangers
    .filter((danger) => danger !== '')
    .map((danger) => ({ code: 'DROP', message: `${index.name}: ${danger}` }))
}

function key(schema: string, name: string): string {
  return JSON.stringify([schema, name])
}
