import { foreignText, readForeignCode } from '../../catalog/trust.js'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { loadLookSql } from '../../sql/catalog/load.js'
import { several } from '../../text/amounts.js'

interface Look {
  readonly busy: number
  readonly hidden: number
  readonly slots: number
  readonly taken: number
  readonly role_limit: number
  readonly role_taken: number
  readonly database_limit: number
  readonly database_taken: number
}

/** Throws BAD_OPTION for more connections than fit, HAZARD for a server on which others are busy. */
export async function refuseDisturbance(look: Session, connections: number, allowLoad: boolean): Promise<void> {
  const [seen] = await look.query<Look>(loadLookSql)
  if (seen === undefined) return
  const left = (limit: number, taken: number) => (limit < 0 ? Infinity : limit - taken)
  const fits = Math.max(
    0,
    Math.min(
      seen.slots - seen.taken,
      left(seen.role_limit, seen.role_taken),
      left(seen.database_limit, seen.database_taken),
    ),
  )
  if (connections > fits)
    throw new PerfdbError(
      'BAD_OPTION',
      `${several(connections, 'connection')} do not fit: the server has room for ${fits} more`,
      {
        hint:
          fits === 0 ? 'perfdb check-pool shows who holds them' : `--connections ${fits}, which leaves none to others`,
      },
    )
  if (allowLoad || seen.busy + seen.hidden === 0) return
  const who =
    seen.busy > 0
      ? `${several(seen.busy, 'other session')} ${seen.busy === 1 ? 'is' : 'are'} busy on this server`
      : `what ${several(seen.hidden, 'other session')} on this server do is hidden from ${look.user}`
  throw new PerfdbError('HAZARD', `LOAD: ${who}, and a load would slow them down`, {
    hint: '--allow LOAD, where that may be; else a server of its own',
  })
}

/** Queries run as psql would run them, and thousands of times: those that would run others' code are left to whoever wrote it. Throws FOREIGN_CODE. */
export async function refuseForeignCode(look: Session, texts: readonly string[]): Promise<void> {
  const foreign = (await readForeignCode(look, texts)).flat()
  if (foreign.length === 0) return
  throw new PerfdbError('FOREIGN_CODE', `as ${look.user} the queries would run ${foreignText(foreign)}`)
}
