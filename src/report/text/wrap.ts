import { partOf, visible, widthOf } from './width.js'

/**
 * Words broken into lines of at most `room` columns; the first line starts with `first`, the others with `rest`. A longer
 * word is broken, and no number leaves its unit. Line breaks of the text are spaces: a name or a message of the server may hold some.
 */
export function wrap(text: string, room: number, first = '', rest = ''): string[] {
  return fill(visible(text.trim()).replaceAll('\n', ' ').split(spaces), ' ', room, first, rest)
}

const unit = '(?:[mu]?s|min|h|d|[kMGT]?B|%)(?!\\w)'
const spaces = new RegExp(`(?<!\\d) +|(?<=\\d) +(?!${unit})`)
const beforeUnit = new RegExp(`(?<=\\d) +(?=${unit})`, 'g')

/** Each number with its unit, for whoever else breaks lines. */
export function together(text: string): string {
  return text.replace(beforeUnit, '\u00a0')
}

/**
 * SQL broken where a line break changes nothing: at white space outside quotes, after a dot, comma or parenthesis.
 * Only a token longer than the room is broken inside; `--format sql` breaks none.
 */
export function wrapSql(statement: string, room: number, indent: string): string[] {
  return statement.split(/\r?\n/).flatMap((written) => {
    const line = written.replaceAll('\t', '  ').trimEnd()
    if (line === '') return ['']
    if (widthOf(indent + visible(line)) <= room) return [indent + visible(line)]
    const pieces = (line.match(chunks) ?? [line]).flatMap((chunk) =>
      widthOf(visible(chunk.trim())) + indent.length + 4 <= room ? [chunk] : (chunk.match(parts) ?? [chunk]),
    )
    return fill(pieces.map(visible), '', room, indent, `${indent}    `)
  })
}

// What stands between white space outside quotes, and its parts between which SQL allows white space.
const chunks = /\s*(?:"(?:[^"]|"")*"?|'(?:[^']|'')*'?|[^\s"'])+/g
const parts = /\s*(?:"(?:[^"]|"")*"?|'(?:[^']|'')*'?|[^\s"']*?[.,(](?=["'(])|[^\s"']+)/g

function fill(pieces: readonly string[], between: string, room: number, first: string, rest: string): string[] {
  const lines: string[] = []
  let line = first
  let lead = first
  let empty = true
  for (const piece of pieces) {
    const joined = empty ? line + piece.trimStart() : line + between + piece
    if (widthOf(joined) <= room) {
      line = joined
      empty = empty && piece.trim() === ''
      continue
    }
    // A sign stays with its name, however long that is.
    const isSign = widthOf(line) === widthOf(first) + 1 && lines.length === 0 && widthOf(rest + piece) > room
    if (isSign) {
      line += between
      lead = line
    } else if (!empty) {
      lines.push(line.trimEnd())
      line = rest
    }
    line += piece.trimStart()
    while (widthOf(line) > room) {
      // Such as --> before the word: no place to break it.
      const start = lines.length === 0 ? lead : rest
      const head = partOf(line.slice(start.length), Math.max(2, room - widthOf(start)))
      lines.push(start + head)
      line = rest + line.slice(start.length + head.length)
    }
    empty = false
  }
  return [...lines, line.trimEnd()]
}
