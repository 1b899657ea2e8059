import { PerfdbError } from '../../errors.js'
import { patience } from './patience.js'
import type { Parameter, Session } from './session.js'

export interface SteadyOptions {
  /** A statement without an answer for so long is given up with its connection: behind a NAT that forgot it none comes (fault 54). */
  readonly answerMs?: number
  /** Asked as long as it is there, in place of the first that would be opened; who opened it closes it. */
  readonly first?: Session
}

/**
 * A session that is opened anew when its connection is gone, for one who only looks on and keeps nothing on it: no lock, no
 * settings of its own, no statement that takes long. What may be asked twice is then asked again; whether anything else was
 * done nobody knows, and it throws CONNECTION_LOST. Never for builds: fault 52. Throws what `open` throws.
 */
export async function steadySession(
  open: () => Promise<Session>,
  { answerMs = 10_000, first }: SteadyOptions = {},
): Promise<Session> {
  let current = first ?? (await open())
  let opening: Promise<Session> | undefined
  let inTransaction = false
  let closed = false

  /** Several may notice at once: one of them opens, all get what it opened. */
  const standing = async (): Promise<Session> => {
    if (!current.lost || inTransaction || closed) return current
    opening ??= open().finally(() => (opening = undefined))
    current = await opening
    return current
  }
  const answered = async <Row>(text: string, parameters: readonly Parameter[] | undefined): Promise<Row[]> => {
    const session = await standing()
    return answeredWithin(session, answerMs, () => session.query<Row>(text, parameters))
  }
  const within = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    const session = await standing()
    inTransaction = true
    try {
      return await work(session)
    } finally {
      inTransaction = false
    }
  }

  return {
    get pid() {
      return current.pid
    },
    get versionNum() {
      return current.versionNum
    },
    get version() {
      return current.version
    },
    get label() {
      return current.label
    },
    get host() {
      return current.host
    },
    get port() {
      return current.port
    },
    get database() {
      return current.database
    },
    get identity() {
      return current.identity
    },
    get user() {
      return current.user
    },
    get inRecovery() {
      return current.inRecovery
    },
    get readOnly() {
      return current.readOnly
    },
    get pooled() {
      return current.pooled
    },
    get defaultSearchPath() {
      return current.defaultSearchPath
    },
    get lost() {
      return current.lost
    },
    async query<Row>(text: string, parameters?: readonly Parameter[]) {
      try {
        return await answered<Row>(text, parameters)
      } catch (error) {
        const again = error instanceof PerfdbError && error.code === 'CONNECTION_LOST' && repeatable.test(text)
        if (!again || inTransaction || closed) throw error
        return answered<Row>(text, parameters)
      }
    },
    rolledBack: async (settings, work) => within((session) => session.rolledBack(settings, work)),
    transaction: async (work) => within((session) => session.transaction(work)),
    takeNotices: () => current.takeNotices(),
    cancel: async () => current.cancel(),
    async [Symbol.asyncDispose]() {
      closed = true
      if (current !== first) await current[Symbol.asyncDispose]()
    },
  }
}

/** Gives up the session when the work on it takes longer: what it waits for then throws CONNECTION_LOST. */
export async function answeredWithin<T>(session: Session, ms: number, work: () => Promise<T>): Promise<T> {
  const answered = patience(ms, () => void session[Symbol.asyncDispose]())
  try {
    return await work()
  } finally {
    answered()
  }
}

/** Asked twice it does no more than once: what reads, and what sets a row to a value or puts it in unless it is there. */
const repeatable = /^\s*(?:select|with|update)\b|^\s*insert\b.*\bon conflict\b/is
