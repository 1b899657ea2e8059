import { homedir } from 'node:os'
import { PerfdbError, type Place } from '../../errors.js'
import { readConnectionString } from '../../server/target/conninfo.js'
import { resolveTarget, type Target } from '../../server/target/target.js'
import { resolveUrl } from '../../text/url-environment.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** A database as one role: what a pool connects to. The url is as it is written, `${NAME}` unresolved. */
export interface Address {
  readonly url: string
  readonly database: string | null
  readonly role: string | null
  /** Whose url it is, for messages: `servers.main`. */
  readonly owner: string
  readonly place: Place
}

/**
 * Where an address leads, with the password of the url, of PGPASSWORD or of .pgpass. A password in the url is that of the role in it: it is not
 * sent for another one. Throws BAD_URL and MISSING_ENVIRONMENT at the place of the url, never with a part of it.
 */
export async function targetOf(address: Address, environment: Environment): Promise<Target> {
  const { url, database, role, owner, place } = address
  try {
    const { parameters } = readConnectionString(resolveUrl(url, environment, place), `the url of ${owner}`)
    const other = role !== null && parameters.has('user') && parameters.get('user') !== role
    const written = new Map(parameters)
    if (other) written.delete('password')
    if (role !== null) written.set('user', role)
    if (database !== null) written.set('dbname', database)
    const text = [...written].map(([name, value]) => `${name}='${value.replace(/[\\']/g, '\\$&')}'`).join(' ')
    const target = await resolveTarget({ url: text, environment, home: homedir() })
    if (target.sessionAttributes === 'any') return target
    throw new PerfdbError('BAD_URL', `the url of ${owner}: target_session_attrs is not known to perfdb/runtime`, {
      hint: 'name the server itself',
    })
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    const { code, message, detail, hint } = error
    throw new PerfdbError(code, message, { detail, hint, place: error.place ?? place })
  }
}
