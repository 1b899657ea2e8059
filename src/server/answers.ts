import { errorFields } from './messages.js'

/**
 * Bytes of a server, in pieces as they come. `answered` is called at each ReadyForQuery, with the SQLSTATE of the error before it if there was one, and whether a
 * statement was parsed; and at the end, where no ReadyForQuery will follow.
 */
export function answerReader(answered: (code: string | undefined, parsed: boolean) => void): {
  read: (piece: Buffer) => void
  end: () => void
} {
  let rest: Buffer | undefined
  /** Bytes to come of a message that nobody needs. */
  let skip = 0
  let code: string | undefined
  let parsed = false
  const finish = (failed: string | undefined) => {
    const wasParsed = parsed
    code = undefined
    parsed = false
    answered(failed, wasParsed)
  }
  return {
    end: () => finish(code ?? 'CONNECTION_LOST'),
    read(piece) {
      const bytes = rest === undefined ? piece : Buffer.concat([rest, piece])
      rest = undefined
      let at = Math.min(skip, bytes.length)
      skip -= at
      while (at + 5 <= bytes.length) {
        const [type, next] = [bytes[at], at + 1 + bytes.readUInt32BE(at + 1)]
        if (next > bytes.length) {
          if (type === message.errorResponse || type === message.readyForQuery) break
          skip = next - bytes.length
          return
        }
        if (type === message.parseComplete) parsed = true
        if (type === message.errorResponse) code = errorFields(bytes, at)('C') ?? 'unknown'
        if (type === message.readyForQuery) finish(code)
        at = next
      }
      if (at < bytes.length) rest = bytes.subarray(at)
    },
  }
}

const message = { parseComplete: 0x31, errorResponse: 0x45, readyForQuery: 0x5a }
