import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import type { Limits } from '../sample/limits.js'

/** Further sessions beside the one that measures, closed when disposed. */
export interface OtherSessions extends AsyncDisposable {
  readonly sessions: readonly Session[]
  /** Why there are none where some were wanted. */
  readonly reason: string | null
}

/** With the measuring one: more would take what the application needs. */
const mostConnections = 4

/**
 * Opens sessions so that there are `wanted` with the measuring one; fewer where the server refuses one. An abort of the run
 * cancels what they do.
 */
export async function otherSessions(wanted: number, { connect, signal }: Limits): Promise<OtherSessions> {
  const sessions: Session[] = []
  const most = connect === undefined ? 0 : Math.min(wanted, mostConnections) - 1
  let reason: string | null = null
  while (connect !== undefined && sessions.length < most && reason === null) {
    try {
      sessions.push(await connect())
    } catch (error) {
      reason = error instanceof PerfdbError ? error.message : String(error)
    }
  }
  const stop = () => sessions.forEach((session) => void session.cancel().catch(() => undefined))
  signal?.addEventListener('abort', stop, { once: true })
  return {
    sessions,
    reason: sessions.length > 0 ? null : reason,
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', stop)
      await Promise.allSettled(sessions.map(async (session) => session[Symbol.asyncDispose]()))
    },
  }
}
