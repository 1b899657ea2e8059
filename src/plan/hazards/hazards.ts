import type { ExistingIndex, Snapshot } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { hotLoss } from './hot.js'
import { candidatesOn, statisticsOf } from '../match/lookup.js'
import { candidateOf, duplicateOf, prefixOf } from '../match/overlap.js'
import type { PlanOptions, Resolved } from '../inputs.js'
import type { Hazard } from '../plan.js'
import { predictBytes } from './predict.js'

/** Known dangers of building one declared index here and now. */
export function buildHazards(
  one: Resolved,
  all: readonly Resolved[],
  snapshot: Snapshot,
  options: PlanOptions,
): readonly Hazard[] {
  const { definition } = one.declared
  const statistics = statisticsOf(snapshot, definition.table)
  return [
    ...redundant(one, all, snapshot),
    ...hotLoss(definition, statistics),
    ...largeBuild(predictBytes(definition, statistics), definition, options),
    ...longTransaction(snapshot, options),
  ]
}

/** Giving the replica identity to the new index locks the table: known beforehand, and to be allowed. */
export function identityHazards({ replicaIdentity, name, table }: ExistingIndex): readonly Hazard[] {
  if (!replicaIdentity) return []
  const message = `${name} is the replica identity of ${table.schema}.${table.name}: ALTER TABLE takes ACCESS EXCLUSIVE on it for a moment, tried for 50 ms at a time, with pauses that grow`
  return [{ code: 'REPLICA_IDENTITY', message }]
}

/** Of a build of about that many bytes. */
export function largeBuild(
  predicted: number | null,
  { name }: Definition,
  { maxSizeBytes }: PlanOptions,
): readonly Hazard[] {
  if (predicted === null || predicted <= maxSizeBytes) return []
  return [
    {
      code: 'LARGE_BUILD',
      message: `${name} would take about ${gigabytes(predicted)}, more than --max-size ${gigabytes(maxSizeBytes)}, and as much again while it sorts; free disk space cannot be seen over SQL`,
    },
  ]
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(bytes < 1024 ** 3 ? 2 : 1)} GB`
}

function redundant(one: Resolved, all: readonly Resolved[], snapshot: Snapshot): readonly Hazard[] {
  const others = candidatesOn(one.declared.definition.table, all, snapshot)
  const own = candidateOf(one)
  const twin = duplicateOf(own, others)
  if (twin !== undefined) return [{ code: 'REDUNDANT', message: `${own.name} would be the same index as ${twin.name}` }]
  const wider = prefixOf(own, others)
  if (wider === undefined) return []
  return [
    {
      code: 'REDUNDANT',
      message: `every condition that ${own.name} can search ${wider.name} can search as well: it begins with the same keys`,
    },
  ]
}

/** A transaction that the build would wait for. */
export function longTransaction({ oldestTransaction }: Snapshot, { maxWaitMs }: PlanOptions): readonly Hazard[] {
  if (oldestTransaction === null || oldestTransaction.ageMs < maxWaitMs) return []
  const minutes = Math.floor(oldestTransaction.ageMs / 60_000)
  return [
    {
      code: 'LONG_TRANSACTION',
      message: `pid ${oldestTransaction.pid} holds a snapshot for ${minutes} min already (${oldestTransaction.text}): the build would wait for it at its end`,
    },
  ]
}
