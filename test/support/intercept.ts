import type { Parameter, Session } from '../../src/server/session/session.js'
import type { Role } from '../../src/server/session/pin.js'
import { connectTo } from './connect.js'

/** Called before a statement is sent; what it does has then happened. */
export type Before = (role: Role, text: string, session: Session) => Promise<void> | void

/**
 * Connects as perfdb does, on a real server, with a way to do something at an exact moment: between two statements. What travels in one burst keeps its order, as
 * on the wire: nothing is sent before what was sent earlier. What `before` itself asks of the session goes ahead.
 */
export function intercepted(url: string, before: Before): (role: Role) => Promise<Session> {
  return async (role) => {
    const session = await connectTo(url, role)
    const query = session.query.bind(session)
    const ahead: Session = Object.create(session, { query: { value: query } })
    let earlier: Promise<unknown> = Promise.resolve()
    return Object.defineProperty(session, 'query', {
      value: async <Row>(text: string, parameters?: readonly Parameter[]) => {
        const turn = earlier.then(async () => before(role, text, ahead))
        earlier = turn.catch(() => undefined)
        await turn
        return query<Row>(text, parameters)
      },
    })
  }
}

/** The work once, at the first statement of that role that matches. */
export function once(role: Role, text: RegExp, work: (session: Session) => Promise<void>): Before {
  let done = false
  return async (current, statement, session) => {
    if (done || current !== role || !text.test(statement)) return
    done = true
    await work(session)
  }
}
