import { connect } from '../../src/server/connect.js'
import type { Role } from '../../src/server/session/pin.js'
import type { Session } from '../../src/server/session/session.js'
import { resolveTarget } from '../../src/server/target/target.js'

/** A session as perfdb opens it, to a database by URL. */
export async function connectTo(url: string, role: Role = 'ddl'): Promise<Session> {
  return connect(await resolveTarget({ url, environment: {}, home: '/' }), role)
}
