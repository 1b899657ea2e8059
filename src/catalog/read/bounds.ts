import type { Session } from '../../server/session/session.js'
import { withConstant } from '../../definition/quote.js'
import { boundIndexesSql } from '../../sql/catalog/catalog.js'
import type { ExistingIndex } from '../snapshot.js'

/** What constrains a unique index. */
export interface Constraints {
  readonly oid: number
  readonly constraint: string | null
  readonly referencedBy: readonly string[]
}

interface Bounds extends Constraints {
  readonly sizeBelow: number
  readonly scansBelow: number
}

/**
 * Indexes with what their documents leave open: constraint and foreign keys of unique ones, unless they came with them, size and scans of partitioned ones. One
 * statement, none where there are none. A primary key has the name of its constraint; which foreign keys need it is asked of those alone that somebody names.
 */
export async function withBounds(
  session: Session,
  indexes: readonly ExistingIndex[],
  known?: readonly Constraints[],
): Promise<readonly ExistingIndex[]> {
  if (known !== undefined) {
    const constraints = new Map(known.map((row) => [row.oid, row]))
    const constrained = indexes.map((index) => {
      const found = constraints.get(index.oid)
      return found === undefined ? index : { ...index, ...found }
    })
    return constrained.some(({ partitioned }) => partitioned) ? withBounds(session, constrained) : constrained
  }
  const open = indexes.filter((one) => one.partitioned || one.unique)
  if (open.length === 0) return indexes
  const oids = open.map(({ oid }) => oid)
  const rows = await session.query<Bounds>(withConstant(boundIndexesSql, oids))
  const found = new Map(rows.map((row) => [row.oid, row]))
  return indexes.map((index) => {
    const bounds = found.get(index.oid)
    if (bounds === undefined) return index
    const { constraint, referencedBy, sizeBelow, scansBelow } = bounds
    const below = index.partitioned ? { sizeBytes: sizeBelow, scans: scansBelow } : {}
    return { ...index, constraint, referencedBy, ...below }
  })
}
