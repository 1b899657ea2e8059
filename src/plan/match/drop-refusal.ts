import type { ExistingIndex } from '../../catalog/snapshot.js'

/** Why PostgreSQL would refuse to drop it, or the application would break (faults 32, 33); null when nothing stands against it. */
export function dropRefusal(index: ExistingIndex): string | null {
  if (index.constraint !== null) return `it backs the constraint ${index.constraint}: drop the constraint instead`
  if (index.referencedBy.length > 0) return `the foreign key ${index.referencedBy.join(', ')} needs it`
  if (index.attached) return 'it is attached to the index of a partitioned table'
  return null
}
