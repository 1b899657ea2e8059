/** Messages of the protocol (manual: "Message Formats"), for what postgres.js does not say or would take too long over. */

/** The fields of the ErrorResponse that begins at `start`, by their letter. */
export function errorFields(bytes: Buffer, start: number): (letter: string) => string | undefined {
  const parts = bytes.toString('utf8', start + 5, start + 1 + bytes.readUInt32BE(start + 1)).split('\0')
  return (letter) => parts.find((part) => part.startsWith(letter))?.slice(1)
}

/** Parse: prepares a statement, whose parameters have the types that the server infers. */
export function parseMessage(name: string, text: string): Buffer {
  return message('P', text0(name), text0(text), int16(0))
}

/** Bind, Execute and Sync of a prepared statement: values as text, rows as text and all of them. */
export function executeMessages(name: string, values: readonly (string | null)[]): Buffer {
  const sent = values.flatMap((value) => {
    if (value === null) return [int32(-1)]
    const bytes = Buffer.from(value)
    return [int32(bytes.length), bytes]
  })
  return Buffer.concat([
    message('B', text0(''), text0(name), int16(0), int16(values.length), ...sent, int16(0)),
    message('E', text0(''), int32(0)),
    message('S'),
  ])
}

export const terminateMessage = message('X')

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 4)
  return Buffer.concat([Buffer.from(type), int32(length), ...parts])
}

function text0(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
