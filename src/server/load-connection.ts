import { answerReader } from './wire/answers.js'
import { executeMessages, parseMessage, terminateMessage } from './wire/messages.js'
import { plainClient } from './wire/plain-client.js'
import { toPerfdbError } from './session/failure.js'
import { sendCancelRequest, type Reader } from './wire/socket.js'
import type { Target } from './target/target.js'

/** A statement with its values, made once into the bytes that are sent each time. */
export interface LoadRequest {
  readonly name: string
  readonly parse: Buffer
  readonly execute: Buffer
}

/** Requests of one text share the number, and with it their prepared statement. */
export function loadRequest(number: number, text: string, values: readonly (string | null)[]): LoadRequest {
  const name = `perfdb_${number}`
  return { name, parse: parseMessage(name, text), execute: executeMessages(name, values) }
}

/** A connection as an application has it: named prepared statements, nothing pinned, nothing looked at. It never reconnects. */
export interface LoadConnection {
  /**
   * Sends a request, which is prepared the first time, and throws the rows away. `answered` is called once: with the SQLSTATE where it failed, CONNECTION_LOST
   * where no answer can come. One request at a time.
   */
  send(request: LoadRequest, answered: (code: string | undefined) => void): void
  lost(): boolean
  /** Closes it without a word. */
  drop(): void
  /** Asks the server to cancel what runs. */
  cancel(): Promise<void>
  /** Resolves when the server has closed it, or has not for 5 s. */
  close(): Promise<void>
}

/**
 * postgres.js connects and authenticates; the requests are then written and read here. Through postgres.js one cost 220 us of processor time, so 34 us:
 * on the machine of the server that time would be missing there. What is `readOnly` cannot change anything. Throws CONNECTION_REFUSED, TOO_MANY_CONNECTIONS, AUTHENTICATION_FAILED and their likes.
 */
export async function openLoadConnection(
  target: Target,
  statementTimeoutMs: number,
  readOnly: boolean,
): Promise<LoadConnection> {
  try {
    const reader: Reader = { take: null }
    const settings = {
      application_name: 'perfdb load',
      default_transaction_read_only: readOnly,
      statement_timeout: statementTimeoutMs,
    }
    const { sql, answered, socket, host, encrypted, lost, closed } = await plainClient(target, settings, reader)
    const { state: backend } = await answered(sql`select 1`)
    const prepared = new Set<string>()
    let waiting: { readonly name: string; readonly answered: (code: string | undefined) => void } | undefined
    const answers = answerReader((code, parsed) => {
      const of = waiting
      waiting = undefined
      if (of !== undefined && parsed) prepared.add(of.name)
      of?.answered(code)
    })
    reader.take = answers.read
    socket.removeAllListeners('data').on('data', (bytes) => answers.read(bytes, bytes.length))
    void closed.then(() => answers.end())
    return {
      send({ name, parse, execute }, answered) {
        waiting = { name, answered }
        if (lost()) answers.end()
        else socket.write(prepared.has(name) ? execute : Buffer.concat([parse, execute]))
      },
      lost,
      drop: () => void socket.destroy(),
      cancel: async () =>
        lost() ? undefined : sendCancelRequest(host, encrypted ? 'demanded' : 'plain', target.tls, backend),
      async close() {
        const timer = setTimeout(() => socket.destroy(), 5000)
        socket.end(terminateMessage)
        await closed
        clearTimeout(timer)
        await sql.end({ timeout: 0 })
      },
    }
  } catch (error) {
    throw toPerfdbError(error, { phase: 'connect', label: target.label })
  }
}
