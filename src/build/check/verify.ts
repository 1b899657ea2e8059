import { readIndex } from '../../catalog/read/read.js'
import type { CanonicalDefinition, ExistingIndex } from '../../catalog/snapshot.js'
import { PerfdbError } from '../../errors.js'
import { sameDefinition } from '../../plan/match/same.js'
import type { Session } from '../../server/session/session.js'
import type { StepResult } from '../context.js'

/**
 * Success of a statement proves nothing (fault 10): the catalog must say that the index is valid, ready, live, on the table
 * that was meant, and of the declared definition. Throws NOT_AS_DECLARED.
 */
export async function verifyBuilt(
  session: Session,
  schema: string,
  name: string,
  table: string,
  canonical: CanonicalDefinition | null,
): Promise<ExistingIndex> {
  const index = await readIndex(session, schema, name)
  if (index === undefined)
    throw new PerfdbError('NOT_AS_DECLARED', `PostgreSQL reported success, but ${schema}.${name} does not exist`)
  if (!(index.valid && index.ready && index.live)) {
    throw new PerfdbError('NOT_AS_DECLARED', `PostgreSQL reported success, but ${schema}.${name} is not valid`, {
      detail: `valid ${index.valid}, ready ${index.ready}, live ${index.live}`,
    })
  }
  if (
    index.table.name !== table ||
    (canonical !== null && canonical.unknown === undefined && !sameDefinition(canonical, index.canonical))
  ) {
    throw new PerfdbError('NOT_AS_DECLARED', `${schema}.${name} is not what was declared`, { detail: index.indexdef })
  }
  return index
}

export function stateOf(index: ExistingIndex | undefined): NonNullable<StepResult['state']> {
  if (index === undefined) return 'missing'
  return index.valid && index.ready && index.live ? 'valid' : 'invalid'
}
