import { creationPath } from '../../catalog/probe/probe.js'
import type { HazardCode } from '../../codes/hazard-codes.js'
import { quoteName } from '../../definition/quote.js'
import type { Plan } from '../../plan/plan.js'
import type { Session } from '../../server/session/session.js'
import type { RunRecord } from './record.js'

/** Creates the extensions of a plan where that is allowed, after they were written down; returns their names. */
export async function createExtensions(
  session: Session,
  record: RunRecord,
  { extensions }: Plan,
  allow: ReadonlySet<HazardCode>,
): Promise<readonly string[]> {
  if (!allow.has('CREATE_EXTENSION') || extensions.length === 0) return []
  await record.extensions(extensions)
  await session.query(`set search_path = ${creationPath(session)}`)
  for (const name of extensions) await session.query(`create extension ${quoteName(name)}`)
  await session.query('set search_path = pg_catalog')
  return extensions
}
