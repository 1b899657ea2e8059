import { PerfdbError } from '../../errors.js'
import type { Parameter } from '../../server/session/session.js'
import type { Queried } from './dialect.js'

/** A statement on the ledger's own tables. Throws BAD_RECORD where they are not what perfdb made of them. */
export async function ledgerQuery<Row>(
  session: Queried,
  text: string,
  parameters?: readonly Parameter[],
): Promise<Row[]> {
  try {
    return await session.query<Row>(text, parameters)
  } catch (error) {
    if (!(error instanceof PerfdbError) || !strange.has(error.sqlstate ?? '')) throw error
    throw new PerfdbError('BAD_RECORD', `the ledger in the schema perfdb is not what perfdb made: ${error.message}`, {
      detail: 'without a ledger: --no-ledger',
      hint: 'begin a new one: alter schema perfdb rename to perfdb_old',
      sqlstate: error.sqlstate,
      cause: error,
    })
  }
}

/** No such table, column or function; a column of another type. */
const strange: ReadonlySet<string> = new Set(['42P01', '42703', '42883', '42804', '22P02'])
