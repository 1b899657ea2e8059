/** Line and column of a text, both from 1, as editors count. */
export interface Position {
  readonly line: number
  readonly column: number
}

export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset)
  const lastBreak = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: offset - lastBreak }
}

/** The parser counts UTF-8 bytes in its trees and tokens; JavaScript counts UTF-16 units. */
export function unitOffsets(text: string): (byte: number) => number {
  const bytes = Buffer.byteLength(text, 'utf8')
  if (bytes === text.length) return (byte) => byte
  const units = new Uint32Array(bytes + 1).fill(text.length)
  let byte = 0
  let unit = 0
  for (const character of text) {
    const width = Buffer.byteLength(character, 'utf8')
    units.fill(unit, byte, byte + width)
    byte += width
    unit += character.length
  }
  return (byte) => units[byte] ?? text.length
}

/** Error positions count characters, as everywhere in PostgreSQL's error reports. */
export function offsetOfCharacter(text: string, character: number): number {
  let unit = 0
  let left = character
  for (const each of text) {
    if (left-- <= 0) break
    unit += each.length
  }
  return unit
}
