import { errorFields } from './messages.js'

/**
 * Bytes of a server, in pieces as they come. `answered` is called at each ReadyForQuery, with the SQLSTATE of the error before it if there was one, and whether a
 * statement was parsed; and at the end, where no ReadyForQuery will follow.
 */
export function answerReader(answered: (code: string | undefined, parsed: boolean) => void): {
  /** The piece may be overwritten afterwards. */
  read: (piece: Buffer, length: number) => void
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
    read(piece, length) {
      const bytes = rest === undefined ? piece : Buffer.concat([rest, piece.subarray(0, length)])
      const end = rest === undefined ? length : bytes.length
      rest = undefined
      let at = Math.min(skip, end)
      skip -= at
      while (at + 5 <= end) {
        const type = bytes[at]
        const next = at + 1 + bytes.readUInt32BE(at + 1)
        if (next > end) {
          if (type === message.errorResponse || type === message.readyForQuery) break
          skip = next - end
          return
        }
        if (type === message.parseComplete) parsed = true
        if (type === message.errorResponse) code = errorFields(bytes, at)('C') ?? 'unknown'
        if (type === message.readyForQuery) finish(code)
        at = next
      }
      if (at < end) rest = Buffer.from(bytes.subarray(at, end))
    },
  }
}

const message = { parseComplete: 0x31, errorResponse: 0x45, readyForQuery: 0x5a }
