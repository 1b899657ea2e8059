import type { Socket } from 'node:net'
import type postgres from 'postgres'
import { PerfdbError } from '../../errors.js'
import { patience } from '../../server/session/patience.js'
import type { Connection, Pool } from './pool.js'
import { cancelledError, endsConnection, internals, isStream, leavesTransaction, type Query } from './query.js'

export interface ConnectionOptions {
  readonly dial: () => Promise<Socket>
  /** Without socket and max. */
  readonly options: postgres.Options<Record<string, never>>
  readonly connectTimeoutMs: number
  readonly maxLifetimeMs: number
}

/** After it the server is believed to be gone without a word; it ends a login that takes longer, too. */
const farewellMs = 60_000

/**
 * A connection that is made with its first query, after it has answered to one of our own. `closed` is called once, when the server has closed its side, which it does after the
 * slot is free, or when no connection came about.
 */
export function openConnection(
  driver: typeof postgres,
  pool: Pool,
  { dial, options, connectTimeoutMs, maxLifetimeMs }: ConnectionOptions,
  closed: () => void,
): Connection {
  let socket: Socket | undefined
  let gone = false
  let cancels = 0
  let dialled = false
  let settled = false
  let leaving = false
  let proof: Promise<void> | undefined
  let proved = false
  const running = new Set<(error: unknown) => void>()
  const over = () => {
    if (gone) return
    gone = true
    answered()
    closed()
    // postgres.js settles what it was asked as a rule, but not always: after a moment nothing waits any more.
    if (running.size > 0) setTimeout(() => running.forEach((reject) => reject(lost(pool))), 50)
  }
  const answered = patience(connectTimeoutMs, () => {
    const error = new PerfdbError(
      'CONNECTION_REFUSED',
      `cannot connect for ${pool.name}: no answer in ${connectTimeoutMs} ms`,
    )
    leaving = true
    for (const reject of running) reject(error)
    if (socket !== undefined) leave(socket)
  })

  async function take(): Promise<Socket> {
    if (dialled) {
      // A cancel request takes no slot; a second connection would. Whoever waits for the first is told by its end.
      if (cancels === 0 && !proved) return new Promise(() => undefined)
      if (cancels === 0) throw lost(pool)
      cancels -= 1
      return dial()
    }
    dialled = true
    try {
      const made = await dial()
      socket = made
      made.once('close', over)
      // What ends while postgres.js looks up types would be a rejection that nobody can catch: until then only `over` hears of it.
      const on = made.on.bind(made)
      const told = new Set(['error', 'close'])
      Reflect.set(made, 'on', (event: string, listener: (...all: unknown[]) => void) =>
        on(event, told.has(event) ? (...all) => (proved ? listener(...all) : undefined) : listener),
      )
      if (!leaving) return made
      leave(made)
      throw lost(pool)
    } catch (error) {
      if (socket === undefined) over()
      throw error
    }
  }

  const own = {
    ...options,
    // Known to postgres.js, and not to its types.
    socket: take,
    onparameter: () => {
      settled = true
      answered()
    },
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 0,
  }
  const sql = driver(own)
  const { handler, canceller } = internals(sql)

  /** Half of the socket: the other half is closed by the server, whose slot is free then. */
  function leave(of: Socket): void {
    of.end()
    destroyLater(of)
  }

  async function prove(): Promise<void> {
    await new Promise((resolve, reject) => {
      running.add(reject)
      const settle = () => running.delete(reject)
      sql`select 1`.simple().then(resolve, reject).finally(settle)
    })
    proved = true
  }
  const ready = async (): Promise<void> => (proof ??= prove())

  return {
    pool,
    sql,
    ready,
    idleSince: 0,
    closing: false,
    // Not all at once where they were made at once.
    expires: performance.now() + maxLifetimeMs * (1 - Math.random() / 10),
    usable: () => !gone && socket?.readyState === 'open' && !socket.readableEnded,
    run(query, done) {
      const { resolve, reject } = query
      let finished = false
      let cancelled = false
      let handed = false
      const finish = (broken: boolean) => {
        if (finished) return
        finished = true
        running.delete(failed)
        done(broken)
      }
      const succeeded = (pass: (value: unknown) => void) => (value: unknown) => {
        if (isStream(value)) value.once('close', () => finish(cancelled))
        else if (leavesTransaction(value)) {
          finish(true)
          reject(unsafe())
          return
        } else finish(cancelled)
        pass(value)
      }
      const failed = (error: unknown) => {
        finish(cancelled || endsConnection(error))
        reject(error)
      }
      running.add(failed)
      // Whoever reads a cursor puts other functions in their place with every step.
      if (query.cursorFn !== undefined) follow(query, succeeded, finish)
      else [query.resolve, query.reject] = [succeeded(resolve), failed]
      query.canceller = (one) => {
        // The request may reach the server when something else runs there; and while it connects, postgres.js never says that it is there.
        cancelled = true
        if (!handed) return failed(cancelledError())
        if (one.active) cancels += 1
        return canceller(one)
      }
      const hand = () => {
        if (finished) return
        handed = true
        handler(query)
      }
      if (gone) failed(lost(pool))
      else if (proved) hand()
      else ready().then(hand, failed)
    },
    close() {
      leaving = true
      if (!dialled) {
        dialled = true
        over()
      }
      if (proved) void sql.end()
      if (socket === undefined) return
      if (settled) destroyLater(socket)
      else leave(socket)
    },
    abandon() {
      if (proved) void sql.end({ timeout: 0 })
      socket?.destroy()
      over()
    },
  }
}

function destroyLater(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), farewellMs).unref()
  socket.once('close', () => clearTimeout(timer))
}

function follow(
  query: Query,
  succeeded: (pass: (value: unknown) => void) => (value: unknown) => void,
  finish: (broken: boolean) => void,
): void {
  let { resolve, reject } = query
  Object.defineProperties(query, {
    resolve: {
      get: () => succeeded(resolve),
      set(value: Query['resolve']) {
        resolve = value
      },
    },
    reject: {
      get: () => (error: unknown) => {
        finish(endsConnection(error))
        reject(error)
      },
      set(value: Query['reject']) {
        reject = value
      },
    },
  })
}

function unsafe(): PerfdbError {
  return new PerfdbError('BAD_OPTION', 'a transaction was begun on a connection that others use next', {
    hint: 'sql.begin(async (sql) => ...), or sql.reserve()',
  })
}

function lost({ name }: Pool): PerfdbError {
  return new PerfdbError('CONNECTION_LOST', `the connection for ${name} was lost`, {
    hint: 'the next query gets another connection',
  })
}
