import { buildSearchPath } from '../../catalog/probe/probe.js'
import { foreignText, readTrust } from '../../catalog/trust.js'
import type { Definition } from '../../definition/definition.js'
import { quoteQualified } from '../../definition/quote.js'
import type { Session } from '../../server/session/session.js'

/** Reading the table would run somebody else's code: nothing was read. */
export interface NotRead {
  readonly foreign: string
}

interface OwnLookOptions {
  readonly definition: Definition
  /** The table belongs to a role with fewer rights. */
  readonly stranger: boolean
  readonly timeoutMs: number
}

/**
 * Runs a SELECT of perfdb's own on a user's table, with the names of the definition as a build would find them. Where the table is a stranger's,
 * whose code that would run is asked once more while he can make neither an index nor statistics on it, whose expressions the planner would
 * compute (the table may be read and written meanwhile); and names are those of pg_catalog alone: in his schema a function could appear
 * any moment that fits better than the one that is meant. Throws the server's errors.
 */
export async function ownLook<T>(
  session: Session,
  { definition, stranger, timeoutMs }: OwnLookOptions,
  work: () => Promise<T>,
): Promise<T | NotRead> {
  const { schema, name } = definition.table
  const settings = {
    readOnly: true,
    statementTimeoutMs: timeoutMs,
    lockTimeoutMs: 600,
    set: {
      search_path: stranger ? 'pg_catalog' : buildSearchPath(session, schema),
      // Hidden rows count for the index: better no answer than one that leaves them out.
      row_security: 'off',
    },
  }
  return session.rolledBack(settings, async () => {
    if (stranger) {
      await session.query(`lock table ${quoteQualified(schema, name)} in share update exclusive mode`)
      const { foreign = [] } = (await readTrust(session, [definition])).get(definition) ?? {}
      if (foreign.length > 0) return { foreign: foreignText(foreign) }
    }
    return work()
  })
}

export function notRead(look: object): look is NotRead {
  return 'foreign' in look
}
