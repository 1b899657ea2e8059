import type { Socket } from 'node:net'
import postgres from 'postgres'
import { PerfdbError } from '../../errors.js'
import { toPerfdbError } from '../session/failure.js'
import { hostLabel, type Host } from '../target/host.js'
import type { Notice } from '../session/session.js'
import { withoutTargetSessionAttributes } from './session-attributes.js'
import { answeredIn, closedError, openSocket, sendCancelRequest } from './socket.js'
import { errorFields } from './messages.js'
import type { Target } from '../target/target.js'
import { waitingOn } from './waiting.js'
import type { Encryption } from '../target/tls.js'
import { wireTypes } from '../session/values.js'

/** One socket with postgres.js on it, which never makes a second one. */
export interface Wire {
  readonly host: Host
  readonly encrypted: boolean
  readonly lost: boolean
  /** Before any other statement: a text that may lean on the pid of BackendKeyData, which comes a moment before it is sent (0 where it did not). */
  first<Row extends object>(text: (backendPid: number) => string): Promise<Row[]>
  /** One statement by the extended protocol. Throws PerfdbError. */
  run<Row>(text: string, parameters: readonly (string | null)[]): Promise<Row[]>
  /** A text by the simple protocol, as it is: the only one that pgbouncer's admin console speaks. Throws PerfdbError. */
  simple<Row>(text: string): Promise<Row[]>
  /** pid of BackendKeyData: the backend's, or a number that a pooler made up. 0 before the first statement. */
  backendPid(): number
  takeNotices(): readonly Notice[]
  cancel(): Promise<void>
  close(): Promise<void>
}

/** Makes every statement of perfdb known in pg_stat_activity and in logs, whatever application_name a pooler shows. */
const tag = '/* perfdb */ '

/**
 * Opens a socket and starts a session on it; the first statement proves it, so run one before trusting the wire. What `prepares` says is prepared, so that one round trip
 * does when it comes again: a text that has parameters, or (`repeated`) any that comes a second time. Never for texts of others, and not through a pooler.
 * Throws PASSWORD_COMMAND, TLS_FAILED and Node's errors of connecting.
 */
export async function openWire(
  target: Target,
  host: Host,
  encryption: Encryption,
  applicationName: string,
  prepares: 'nothing' | 'parameters' | 'repeated' = 'nothing',
): Promise<Wire> {
  // Asked here and not by postgres.js, which would end the process when there is none.
  const password = (await target.passwordFor(host)) ?? ''
  const { socket, encrypted } = await openSocket(host, encryption, target.tls, target.connectTimeoutMs)
  const line = watchedLine(socket, `${hostLabel(host)}/${target.database} as ${target.user}`)
  const heard = answeredIn(socket, target.connectTimeoutMs)
  const notices: Notice[] = []
  let backend = { pid: 0, secret: 0 }
  let proved = false
  const options = {
    host: host.host,
    port: host.port,
    user: target.user,
    database: target.database,
    password: () => password,
    socket: () => line.take(),
    ssl: false,
    max: 1,
    // Of what travels at once, so that a probe of many indexes is one round trip.
    max_pipeline: 1000,
    prepare: true,
    fetch_types: false,
    max_lifetime: null,
    idle_timeout: undefined,
    // Ours: that of postgres.js runs on while this process is busy.
    connect_timeout: 0,
    onparameter: heard,
    keep_alive: 30,
    connection: {
      application_name: applicationName,
      ...(target.options === undefined ? {} : { options: target.options }),
    },
    types: wireTypes(),
    onnotice: (notice: Readonly<Record<string, string>>) => {
      notices.push({ severity: notice['severity'] ?? '', code: notice['code'] ?? '', message: notice['message'] ?? '' })
    },
  }
  const sql = withoutTargetSessionAttributes(() => postgres(options))
  const known = new Set<string>()
  const waiting = waitingOn(socket, () => line.lostError(undefined))
  /** Cancel requests under way. The server ends whatever runs when one arrives: until it has, nothing more is sent. */
  let cancels: Promise<unknown> | undefined

  async function send<Row>(text: string, parameters: readonly (string | null)[], simple: boolean): Promise<Row[]> {
    if (cancels !== undefined) await cancels
    if (proved && line.lost()) throw line.lostError(undefined)
    // With parameters the server is asked for their types first, so that preparing costs nothing.
    const prepare = prepares !== 'nothing' && !simple && (parameters.length > 0 || known.has(text))
    if (prepares === 'repeated') known.add(text)
    const request = { simple, prepare }
    return answered(() => sql.unsafe<Row[]>(text, [...parameters], request), simple)
  }

  async function answered<Row>(request: () => PromiseLike<postgres.RowList<Row[]>>, simple: boolean): Promise<Row[]> {
    try {
      const rows = await waiting.answered(request())
      backend = { pid: rows.state.pid, secret: rows.state.secret }
      proved = true
      return [...rows]
    } catch (error) {
      if (!proved) throw error
      const failure = toPerfdbError(error, { phase: 'query', label: line.label, offset: simple ? 0 : tag.length })
      if (failure.code !== 'CONNECTION_LOST') throw failure
      // The server's FATAL may come a moment before the socket closes.
      line.giveUp()
      throw line.lostError(error)
    }
  }

  return {
    host,
    encrypted,
    get lost() {
      return line.lost()
    },
    async first<Row extends object>(text: (backendPid: number) => string) {
      // A list of fragments is read when the statement is sent. The simple protocol, as this would be prepared by a name otherwise.
      const parts = [sql.unsafe(text(0))]
      line.onKey = (pid) => {
        parts[0] = sql.unsafe(text(pid))
      }
      return answered(() => sql<Row[]>`/* perfdb */${parts}`.simple(), true)
    },
    run: async <Row>(text: string, parameters: readonly (string | null)[]) => send<Row>(tag + text, parameters, false),
    simple: async <Row>(text: string) => send<Row>(text, [], true),
    backendPid: () => backend.pid,
    takeNotices: () => notices.splice(0),
    async cancel() {
      if (waiting.count() === 0 || line.lost()) return
      const request = sendCancelRequest(host, encrypted ? 'demanded' : 'plain', target.tls, backend)
      const all = Promise.allSettled([cancels, request]).then(() => {
        if (cancels === all) cancels = undefined
      })
      cancels = all
      await request
    },
    async close() {
      // Without a timeout this never returns once a backend was ended in the middle of a statement (fact 1).
      const timeout = line.lost() ? 0 : 2
      line.giveUp()
      await sql.end({ timeout })
      socket.destroy()
    },
  }
}

interface WatchedSocket {
  readonly label: string
  lost(): boolean
  /** Lost from now on, before the socket says so. */
  giveUp(): void
  lostError(cause: unknown): PerfdbError
  /** Is told the pid of BackendKeyData, before anybody else reads those bytes. */
  onKey: (pid: number) => void
  /** The socket, once: a second call is postgres.js reconnecting, to a session without settings and lock (fault 52). */
  take(): Promise<Socket>
}

/** Notices when the socket closes, and what the server said last: postgres.js drops that FATAL (fault 5). */
function watchedLine(socket: Socket, label: string): WatchedSocket {
  let taken = false
  let lost = false
  let keyed = false
  let lastWords: Buffer | undefined
  socket.on('close', () => {
    lost = true
  })
  const lostError = (cause: unknown) => {
    const said = lastWords === undefined ? undefined : fatalError(lastWords)
    const reason = said === undefined ? toPerfdbError(cause, { phase: 'query', label }).detail : said.message
    return new PerfdbError('CONNECTION_LOST', `the connection to ${label} was lost`, {
      detail: reason ?? 'the server closed the connection',
      sqlstate: said?.code,
      cause,
    })
  }
  const watched: WatchedSocket = {
    label,
    onKey: () => undefined,
    lost: () => lost,
    giveUp: () => {
      lost = true
    },
    lostError,
    async take() {
      if (taken || lost) throw closedError()
      taken = true
      socket.on('data', (chunk: Buffer) => {
        lastWords = chunk
        if (keyed) return
        for (const start of messagesIn(chunk)) {
          if (chunk[start] !== 0x4b || start + 9 > chunk.length) continue
          keyed = true
          watched.onKey(chunk.readInt32BE(start + 5))
        }
      })
      return socket
    },
  }
  return watched
}

/** Where the messages of these bytes begin (manual: "Message Formats"). */
function* messagesIn(bytes: Buffer): Generator<number> {
  for (let start = 0; start + 5 <= bytes.length; start += 1 + bytes.readUInt32BE(start + 1)) yield start
}

/** SQLSTATE and primary message of an ErrorResponse of severity FATAL in these bytes. */
function fatalError(bytes: Buffer): { readonly code: string; readonly message: string } | undefined {
  for (const start of messagesIn(bytes)) {
    if (bytes[start] !== 0x45) continue
    const field = errorFields(bytes, start)
    // PgBouncer says it in S alone, where PostgreSQL puts a translation.
    const severity = field('V') ?? field('S')
    if (severity === 'FATAL' || severity === 'PANIC') return { code: field('C') ?? '', message: field('M') ?? '' }
  }
  return undefined
}
