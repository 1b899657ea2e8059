import { connect as dial, type Socket } from 'node:net'
import { PerfdbError } from '../../errors.js'
import { hostLabel, isSocketFolder, socketFile, type Host } from '../target/host.js'
import { tlsOptions, type Encryption, type TlsSettings } from '../target/tls.js'
import { patience } from '../session/patience.js'

/** Takes what comes, in a buffer that is used again; null lets it come as events, as what is encrypted always does. */
export interface Reader {
  take: ((bytes: Buffer, length: number) => void) | null
}

export interface OpenSocket {
  readonly socket: Socket
  readonly encrypted: boolean
}

/**
 * A socket to the server with TLS settled, before the first protocol message (manual: "SSL Session Encryption").
 * postgres.js is given this socket because its own reading of sslmode is another one (faults 55, 69).
 * Throws TLS_FAILED, CONNECTION_REFUSED, or Node's error (ECONNREFUSED ...) as it is. `timeoutMs` 0 is no limit.
 */
export async function openSocket(
  host: Host,
  encryption: Encryption,
  tls: TlsSettings,
  timeoutMs: number,
  reader?: Reader,
): Promise<OpenSocket> {
  const options = encryption === 'plain' ? undefined : await tlsOptions(tls, host)
  const reading =
    reader === undefined || encryption === 'demanded' ? {} : { onread: intoOneBuffer(reader, () => socket) }
  const socket: Socket = isSocketFolder(host.host)
    ? dial({ path: socketFile(host.host, host.port).replace(/^@/, '\0'), ...reading })
    : // Node gives each address of a name 250 ms only; a far one needs longer.
      dial({ host: host.address ?? host.host, port: host.port, autoSelectFamilyAttemptTimeout: 3000, ...reading })
  // Whoever reads it later hears of the end by `close`; an error that nobody listens for at that moment would end the process.
  socket.on('error', () => undefined)
  const answered = answeredIn(socket, timeoutMs)
  try {
    await next(socket, 'connect')
    socket.setNoDelay(true)
    if (options === undefined) return { socket, encrypted: false }
    if (!tls.direct && !(await offersTls(socket, host))) {
      if (encryption === 'offered') return { socket, encrypted: false }
      throw new PerfdbError('TLS_FAILED', `${hostLabel(host)} offers no TLS, and sslmode=${tls.mode} demands it`)
    }
    // Loaded where it is needed only: 3 ms.
    const { connect: secure } = await import('node:tls')
    const encrypted = secure({ ...options, socket })
    encrypted.on('error', () => undefined)
    await next(encrypted, 'secureConnect').catch((cause: unknown) => {
      throw handshakeFailure(host, cause)
    })
    return { socket: encrypted, encrypted: true }
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    answered()
  }
}

const oneBuffer = Buffer.alloc(65_536)

/** Node's own events come with a buffer of 64 kB each, made and thrown away. */
function intoOneBuffer(reader: Reader, socket: () => Socket) {
  return {
    buffer: oneBuffer,
    callback(length: number): boolean {
      if (reader.take === null) socket().emit('data', Buffer.from(oneBuffer.subarray(0, length)))
      else reader.take(oneBuffer, length)
      return true
    },
  }
}

/**
 * Sends a CancelRequest (manual: "Canceling Requests in Progress") on a socket of its own, encrypted as the session's
 * is, and waits until the server has closed it: then the signal is sent.
 */
export async function sendCancelRequest(
  host: Host,
  encryption: Encryption,
  tls: TlsSettings,
  backend: { readonly pid: number; readonly secret: number },
): Promise<void> {
  const { socket } = await openSocket(host, encryption, tls, 5000)
  const message = Buffer.alloc(16)
  message.writeInt32BE(16, 0)
  message.writeInt32BE(80_877_102, 4)
  message.writeUInt32BE(backend.pid >>> 0, 8)
  message.writeUInt32BE(backend.secret >>> 0, 12)
  try {
    socket.setTimeout(5000, () => socket.destroy())
    socket.resume()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.write(message)
    await closed
  } finally {
    socket.destroy()
  }
}

/** SSLRequest; the answer is one byte, S or N. More bytes would be smuggled in before the handshake (CVE-2021-23222). */
async function offersTls(socket: Socket, host: Host): Promise<boolean> {
  const request = Buffer.alloc(8)
  request.writeInt32BE(8, 0)
  request.writeInt32BE(80_877_103, 4)
  socket.write(request)
  const answer = await next<Buffer>(socket, 'data').catch((cause: unknown) => {
    if (cause instanceof Error && codeOf(cause) === 'ETIMEDOUT') throw cause
    throw new PerfdbError(
      'CONNECTION_REFUSED',
      `${hostLabel(host)} closed the connection before it said whether it offers TLS`,
      {
        hint: 'a server that is starting or stopping does so: try again; or something else than PostgreSQL listens there',
        cause,
      },
    )
  })
  if (answer.length === 1 && answer[0] === 0x53) return true
  if (answer.length === 1 && answer[0] === 0x4e) return false
  throw new PerfdbError('TLS_FAILED', `${hostLabel(host)} does not answer as a PostgreSQL server`)
}

function handshakeFailure(host: Host, cause: unknown): unknown {
  if (!(cause instanceof Error) || codeOf(cause) === 'ETIMEDOUT') return cause
  return new PerfdbError('TLS_FAILED', `the TLS handshake with ${hostLabel(host)} failed: ${cause.message}`, { cause })
}

function codeOf(error: object): unknown {
  return 'code' in error ? error.code : undefined
}

/** For a socket that ended before its time. */
export function closedError(): Error {
  return Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' })
}

/** The next event's argument; rejects on error, and when the socket is closed first. */
async function next<Value>(socket: Socket, event: string): Promise<Value> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(closedError())
    const settled = (settle: () => void) => {
      socket.off(event, arrived).off('error', failed).off('close', closed)
      settle()
    }
    const arrived = (value: Value) => settled(() => resolve(value))
    const failed = (error: Error) => settled(() => reject(error))
    socket.on(event, arrived).on('error', failed).on('close', closed)
  })
}

/** Destroys the socket with ETIMEDOUT when the server does not answer in time (0: no limit). To be called when it has. */
export function answeredIn(socket: Socket, timeoutMs: number): () => void {
  if (timeoutMs <= 0) return () => undefined
  const timedOut = Object.assign(new Error('timeout expired'), { code: 'ETIMEDOUT' })
  const answered = patience(timeoutMs, () => socket.destroy(timedOut))
  socket.once('close', answered)
  return answered
}
