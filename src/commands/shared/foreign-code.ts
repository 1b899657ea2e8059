import { foreignText, readForeignCode } from '../../catalog/trust.js'
import type { Finding } from '../../plan/plan.js'
import { textsOf, type Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'

/**
 * FOREIGN_CODE, once a run, where the user's own queries run code of roles that may do less than the connected one. They are measured all the
 * same, as psql would run them. Throws the server's errors.
 */
export async function foreignCodeFindings(session: Session, queries: readonly Query[]): Promise<readonly Finding[]> {
  const foreign = (await readForeignCode(session, queries.flatMap(textsOf))).flat()
  if (foreign.length === 0) return []
  return [
    {
      code: 'FOREIGN_CODE',
      severity: 'warning',
      message: `the queries run with the rights of ${session.user}, and so does ${foreignText(foreign)}`,
      hint: "measure as the application does: set measure_url to the URL of the application's own role",
    },
  ]
}
