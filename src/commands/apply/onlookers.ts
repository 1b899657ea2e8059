import type { Eyes } from '../../build/context.js'
import type { Connect, Session } from '../../server/session/session.js'
import { steadySession } from '../../server/session/steady.js'

/** Who looks on for a session that changes something. */
export interface Onlookers extends AsyncDisposable {
  /** Before anything is built. */
  readonly before: Session
  /** Between two statements. */
  readonly watchdog: Session
  /** While one runs. */
  readonly eyes: Eyes
}

/** A session of its own, for whatever is asked. Throws what connecting throws. */
export async function ownOnlooker(connect: Connect): Promise<Onlookers> {
  const watchdog = await steadySession(async () => connect('watchdog'))
  return {
    before: watchdog,
    watchdog,
    eyes: { query: async (text, parameters) => watchdog.query(text, parameters), opened: async () => undefined },
    [Symbol.asyncDispose]: () => watchdog[Symbol.asyncDispose](),
  }
}

/**
 * Of one tenant of many, most of whose builds take no time: the session that builds is asked between its statements, and another one is opened when a statement has lasted so
 * long that it is looked at, or when the first is lost. Not for several workers, whose statements are never all over.
 */
export async function lateOnlooker(ddl: Session, connect: Connect): Promise<Onlookers> {
  // What is asked at each step is planned once, as on a watchdog's own session. Before anything else that is sent; nobody needs the answer.
  ddl.query('set plan_cache_mode = force_generic_plan').catch(() => undefined)
  let opening: Promise<Session> | undefined
  const late = async () =>
    (opening ??= steadySession(async () => connect('watchdog')).catch((error: unknown) => {
      opening = undefined
      throw error
    }))
  return {
    before: ddl,
    watchdog: await steadySession(late, { first: ddl }),
    eyes: {
      query: async (text, parameters) => (await late()).query(text, parameters),
      opened: async () => void (await late()),
    },
    async [Symbol.asyncDispose]() {
      const session = await opening?.catch(() => undefined)
      await session?.[Symbol.asyncDispose]()
    },
  }
}
