import { randomBytes } from 'node:crypto'
import { quoteLiteral, quoteName } from '../../definition/quote.js'
import { connect } from '../../server/connect.js'
import type { EmbeddedServer } from '../../server/embedded/embedded.js'
import type { Role } from '../../server/session/pin.js'
import type { Session } from '../../server/session/session.js'
import { resolveTarget } from '../../server/target/target.js'
import { twinSettingsSql } from '../../sql/twin/twin-statistics.js'
import type { Statistics } from '../statistics.js'

/** The ordinary role that owns everything on a twin. */
export const role = 'perfdb_twin'
const database = 'twin'

/** Sessions on the twin's database: of its owner, an ordinary role, or of the superuser, who touches the catalogs alone. */
export type Open = (who: 'owner' | 'superuser', as: Role) => Promise<Session>

/** Makes the role, with the settings of the source, and the database. Throws the server's errors. */
export async function opener(server: EmbeddedServer, statistics: Statistics): Promise<Open> {
  const password = randomBytes(18).toString('base64url')
  const at = async (user: string, secret: string, name: string, as: Role) => {
    const url = new URL(server.url)
    url.username = user
    url.password = secret
    url.pathname = `/${name}`
    return connect(await resolveTarget({ url: url.href, environment: {}, home: '/' }), as)
  }
  const own = new URL(server.url).password
  await using superuser = await at('postgres', own, 'postgres', 'ddl')
  await superuser.query(`create role ${role} login password ${quoteLiteral(password)}`)
  await superuser.query(`grant set on parameter session_replication_role to ${role}`)
  await createDatabase(superuser, statistics.server)
  // Those of the planner alone: a file could name a library to load, which the superuser would then load.
  const planner = new Set((await superuser.query<{ name: string }>(twinSettingsSql)).map(({ name }) => name))
  for (const [name, value] of Object.entries(statistics.settings))
    if (planner.has(name))
      // A value of another major.
      await superuser.query(`alter role ${role} set ${quoteName(name)} = ${quoteLiteral(value)}`).catch(() => undefined)
  if (statistics.search_path !== '')
    await superuser.query(`alter role ${role} set search_path = ${statistics.search_path}`)
  return async (who, as) => (who === 'owner' ? at(role, password, database, as) : at('postgres', own, database, as))
}

/** In the locale of the source where this system has it, else in one that compares as a language does. */
async function createDatabase(superuser: Session, { provider, locale }: Statistics['server']): Promise<void> {
  const base = `create database ${database} owner ${role} template template0 encoding 'UTF8'`
  const plain = /^(C|POSIX)$/i.test(locale)
  const tries = [
    ...(plain ? [`locale_provider libc locale 'C'`] : []),
    ...(provider === 'b' ? [`locale_provider builtin builtin_locale ${quoteLiteral(locale)} locale 'C'`] : []),
    ...(provider === 'i' ? [`locale_provider icu icu_locale ${quoteLiteral(locale)} locale 'C'`] : []),
    ...(provider === 'c' && !plain ? [`locale_provider libc locale ${quoteLiteral(locale)}`] : []),
    ...(locale.startsWith('C.') ? [`locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'`] : []),
    `locale_provider icu icu_locale ${quoteLiteral(/^[a-z]{2}_[A-Z]{2}/.exec(locale)?.[0].replace('_', '-') ?? 'en-US')} locale 'C'`,
  ]
  for (const [at, how] of tries.entries()) {
    try {
      await superuser.query(`${base} ${how}`)
      return
    } catch (error) {
      if (at === tries.length - 1 || superuser.lost) throw error
    }
  }
}
