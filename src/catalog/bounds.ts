import type { Session } from '../server/session/session.js'
import { boundIndexesSql } from '../sql/catalog/catalog.js'
import type { ExistingIndex } from './snapshot.js'

interface Bounds {
  readonly oid: number
  readonly constraint: string | null
  readonly referencedBy: readonly string[]
  readonly sizeBelow: number
  readonly scansBelow: number
}

/**
 * Indexes with what their documents leave open: constraint and foreign keys of unique ones, size and scans of partitioned ones. One statement, none where there
 * are none. A primary key has the name of its constraint; which foreign keys need it is asked of those alone that somebody names.
 */
export async function withBounds(
  session: Session,
  indexes: readonly ExistingIndex[],
  named: (index: ExistingIndex) => boolean = () => true,
): Promise<readonly ExistingIndex[]> {
  const open = indexes.filter((one) => one.partitioned || (one.unique && (!one.primary || named(one))))
  if (open.length === 0) return indexes
  const rows = await session.query<Bounds>(boundIndexesSql, [JSON.stringify(open.map(({ oid }) => oid))])
  const found = new Map(rows.map((row) => [row.oid, row]))
  return indexes.map((index) => {
    const bounds = found.get(index.oid)
    if (bounds === undefined) return index
    const { constraint, referencedBy, sizeBelow, scansBelow } = bounds
    const below = index.partitioned ? { sizeBytes: sizeBelow, scans: scansBelow } : {}
    return { ...index, constraint, referencedBy, ...below }
  })
}
