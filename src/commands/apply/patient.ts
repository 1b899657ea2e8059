import { setTimeout as sleep } from 'node:timers/promises'
import type { Listener } from '../../build/events.js'
import { PerfdbError } from '../../errors.js'
import type { Role } from '../../server/session/pin.js'
import type { Session } from '../../server/session/session.js'

export interface Patience {
  /** Connections that the run needs at once. */
  readonly needs: number
  readonly signal: AbortSignal
  readonly listener: Listener
}

/**
 * Connects again, with growing pauses, where every slot is taken: applications come and go, and a run that has its first session should not end for
 * want of the second. After half a minute it throws TOO_MANY_CONNECTIONS and says how many connections the run needs (fault 68).
 */
export function patiently(
  connect: (role: Role) => Promise<Session>,
  { needs, signal, listener }: Patience,
): (role: Role) => Promise<Session> {
  return async (role) => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await connect(role)
      } catch (error) {
        if (!(error instanceof PerfdbError) || error.code !== 'TOO_MANY_CONNECTIONS') throw error
        if (attempt >= pausesMs.length || signal.aborted)
          throw new PerfdbError(error.code, error.message, {
            detail: `the run needs ${needs} connections at once`,
            hint: error.hint,
            sqlstate: error.sqlstate,
            cause: error,
          })
        if (attempt === 0) listener({ type: 'warning', message: `${error.message}: trying again for half a minute` })
        await sleep(pausesMs[attempt], undefined, { signal }).catch(() => undefined)
      }
    }
  }
}

const pausesMs = [500, 1000, 2000, 4000, 8000, 16_000]
