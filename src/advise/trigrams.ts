import type { Limits } from '../measure/sample/limits.js'
import { rolledBack } from '../measure/sample/sample.js'
import { catalogOnly } from '../measure/sample/tables.js'
import type { Catalog } from '../measure/why/catalog.js'
import type { Session } from '../server/session/session.js'
import { trigramsSql } from '../sql/statements/advise.js'

/** pg_trgm, which a server lacks and could have. */
export interface Trigrams {
  /** The role of the session may create it. */
  readonly allowed: boolean
  /** Who may create in the database may create it; else a superuser alone. */
  readonly trusted: boolean
}

/** null where it is installed, or the server does not offer it. Throws the server's errors. */
export async function readTrigrams(session: Session, limits: Limits): Promise<Trigrams | null> {
  const [found] = await rolledBack(session, limits, catalogOnly, async () => session.query<Trigrams>(trigramsSql))
  return found ?? null
}

/** What its operator class for gin serves, as pg_amop has it where it is installed: LIKE, ILIKE and regular expressions. */
const served = ['~~', '~~*', '~', '~*']
const textual = new Set(['text', 'character varying'])

export const trigramOpclass = 'gin_trgm_ops'

/** The catalog of a table as it would be with pg_trgm. */
export function withTrigrams(catalog: Catalog): Catalog {
  const columns = [...catalog.columns].flatMap(([column, { type }]) => (textual.has(type) ? [column] : []))
  const added = columns.flatMap((column) =>
    served.map((operator) => ({ column, operator, method: 'gin', opclass: trigramOpclass, default: false })),
  )
  return { ...catalog, operators: [...catalog.operators, ...added] }
}

/** What has to be there before an index. */
export interface Needed {
  readonly extension: string
  readonly sql: string
  /** Who may run that. */
  readonly by: string
}

export function neededTrigrams({ allowed, trusted }: Trigrams): Needed {
  const whoever = trusted ? 'a role with CREATE on the database, or a superuser' : 'a superuser'
  return { extension: 'pg_trgm', sql: 'create extension pg_trgm', by: allowed ? `this role, or ${whoever}` : whoever }
}
