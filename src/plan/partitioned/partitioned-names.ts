import { createHash } from 'node:crypto'
import type { TableName } from '../../definition/definition.js'
import { maxNameBytes } from '../../definition/quote.js'

/**
 * Name of the index of one partition: `index_partition_` and eight hexadecimal digits of a hash over both names, so that what
 * is cut to 63 bytes, or reads the same when put together (a_b + c, a + b_c), never meets. The same for the
 * same names, always; only where somebody else's relation has that name already is the next one taken.
 */
export function partitionIndexName(index: string, partition: TableName, taken: (name: string) => boolean): string {
  for (let turn = 0; ; turn += 1) {
    const name = nameOf(index, partition, turn)
    if (!taken(name)) return name
  }
}

function nameOf(index: string, { schema, name }: TableName, turn: number): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([index, schema, name, turn]))
    .digest('hex')
    .slice(0, 8)
  const room = maxNameBytes - hash.length - 2
  const fits = bytes(index) + bytes(name) <= room
  const half = Math.floor(room / 2)
  const [first, second] = fits ? [index, name] : shares(index, name, half, room)
  return `${first}_${second}_${hash}`
}

/** The shorter one stays whole when it holds half of the room. A partition's name is cut at its front: it ends in what tells it apart. */
function shares(index: string, name: string, half: number, room: number): readonly [string, string] {
  if (bytes(index) <= half) return [index, lastBytes(name, room - bytes(index))]
  if (bytes(name) <= half) return [firstBytes(index, room - bytes(name)), name]
  return [firstBytes(index, room - half), lastBytes(name, half)]
}

function firstBytes(text: string, most: number): string {
  const kept = Array.from(text)
  while (bytes(kept.join('')) > most) kept.pop()
  return kept.join('')
}

function lastBytes(text: string, most: number): string {
  const kept = Array.from(text)
  while (bytes(kept.join('')) > most) kept.shift()
  return kept.join('')
}

function bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}
