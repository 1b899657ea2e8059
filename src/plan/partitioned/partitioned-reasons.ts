import type { PartitionWork } from './partitioned-work.js'
import type { PartitionTree } from '../../catalog/snapshot.js'

/** Why the index of a partitioned table is created. */
export function missingReason({ partitions }: PartitionTree): string {
  const leaves = partitions.filter((partition) => partition.relkind !== 'p').length
  if (leaves === 0) return 'missing; the table has no partitions yet'
  return `missing: built on ${leaves === 1 ? 'its one partition' : `each of its ${leaves} partitions`}, then attached`
}

/** What keeps it from being valid, partition by partition; the first five of each kind. */
export function whatIsLeft(work: readonly PartitionWork[], { partitions, looksAgain }: PartitionTree): string {
  const builds = new Set(work.filter(({ kind }) => kind === 'build').map(({ index }) => index))
  const invalid = work.filter(({ kind, index }) => kind === 'repair' || (kind === 'drop' && builds.has(index)))
  const notValid = new Set(invalid.map(({ index }) => index))
  const missing = work.filter(
    ({ kind, index }) => (kind === 'build' || kind === 'plain' || kind === 'only') && !notValid.has(index),
  )
  const building = work.filter(({ kind }) => kind === 'wait')
  const told = new Set([...invalid, ...missing, ...building].map(({ index }) => index))
  const loose = work.filter(({ kind, index }) => kind === 'attach' && !told.has(index))
  const parts = [
    listed(missing.map(tableText), 'has no index of it', 'have no index of it'),
    listed(invalid.map(indexText), 'is not valid', 'are not valid'),
    listed(building.map(indexText), 'is being built', 'are being built'),
    listed(loose.map(indexText), 'is still to be attached', 'are still to be attached'),
  ].filter((part) => part !== '')
  if (parts.length > 0) return parts.join('; ')
  if (work.length > 0) return 'one of its partitions was not valid when it was attached, and is now'
  if (partitions.length === 1) return 'the table has no partitions any more'
  return looksAgain
    ? 'although each partition has a valid one attached; a partition that is being detached keeps it so'
    : 'although each partition has a valid one attached: one was attached while it was not, or was dropped, and this minor release of PostgreSQL never looks again'
}

function tableText({ table }: PartitionWork): string {
  return `${table.schema}.${table.name}`
}

function indexText({ table, index }: PartitionWork): string {
  return `${index} of ${table.schema}.${table.name}`
}

function listed(names: readonly string[], one: string, several: string): string {
  if (names.length === 0) return ''
  const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
  return `${names.slice(0, 5).join(', ')}${more} ${names.length === 1 ? one : several}`
}
