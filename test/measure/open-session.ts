import { connect } from '../../src/server/connect.js'
import type { Session } from '../../src/server/session/session.js'
import { resolveTarget } from '../../src/server/target/target.js'

/** A session as the commands open it for measuring. */
export async function openSession(url: string): Promise<Session> {
  return connect(await resolveTarget({ url, environment: {}, home: '/' }), 'measure')
}
