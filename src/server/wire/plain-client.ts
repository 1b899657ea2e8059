import postgres from 'postgres'
import { dialling, type Dialled } from './dial.js'
import { wireTypes } from '../session/values.js'
import { withoutTargetSessionAttributes } from './session-attributes.js'
import { answeredIn, closedError, type Reader } from './socket.js'
import type { Target } from '../target/target.js'
import { waitingOn, type Waiting } from './waiting.js'

/** One connection on a socket of ours, nothing pinned and nothing looked at; it never reconnects. */
export interface PlainClient extends Dialled {
  readonly sql: postgres.Sql
  /** What sql is asked, by it: of its own it may never settle. */
  readonly answered: Waiting['answered']
  readonly lost: () => boolean
  /** Resolves when the server has closed it. */
  readonly closed: Promise<void>
  readonly close: () => Promise<void>
}

/** Throws what connecting throws, as Node and postgres.js have it. The first statement proves it. */
export async function plainClient(
  target: Target,
  connection: Readonly<Record<string, string | number | boolean>>,
  reader?: Reader,
): Promise<PlainClient> {
  const { dial, password } = dialling(target, reader)
  const { socket, host, encrypted } = await dial()
  let lost = false
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      lost = true
      resolve()
    })
  })
  let taken = false
  let heard: () => void = () => undefined
  const options = {
    host: host.host,
    port: host.port,
    user: target.user,
    database: target.database,
    password,
    socket: async () => {
      // postgres.js asks a while later, and never hears of the end of one that has ended meanwhile.
      if (taken || lost) throw closedError()
      taken = true
      heard = answeredIn(socket, target.connectTimeoutMs)
      return socket
    },
    ssl: false,
    max: 1,
    fetch_types: false,
    max_lifetime: null,
    idle_timeout: 0,
    // Ours: that of postgres.js runs on while this process is busy.
    connect_timeout: 0,
    onparameter: () => heard(),
    connection: { ...connection, ...(target.options === undefined ? {} : { options: target.options }) },
    types: wireTypes(),
    onnotice: () => undefined,
  }
  const sql = withoutTargetSessionAttributes(() => postgres(options))
  return {
    sql,
    answered: waitingOn(socket, closedError).answered,
    socket,
    host,
    encrypted,
    lost: () => lost,
    closed,
    async close() {
      await sql.end({ timeout: lost ? 0 : 2 })
      socket.end()
      await closed
    },
  }
}
