import { positionAt, type Position } from '../parser/parser-offsets.js'
import { scanPieces, type Piece } from './pieces.js'

/** A statement of a file, parsed by nobody yet. */
export interface SourceStatement extends Position {
  /** Without the semicolon and the comments above; :name is written as $n. */
  readonly text: string
  /** Names of :name parameters; the first stands for $1 (for the number after the highest $n, where both are used). */
  readonly names: readonly string[]
  /** The highest n of $n in the source. */
  readonly numbered: number
  /** Comment lines above it, without their `--`. */
  readonly comments: readonly Comment[]
}

export interface Comment extends Position {
  readonly text: string
}

/**
 * The statements of a text, split at semicolons outside of quotes, comments, parentheses and BEGIN ATOMIC bodies, so that
 * a syntax error in one leaves the others. Line and column count from 1.
 */
export function sourceStatements(text: string): readonly SourceStatement[] {
  const source = text.startsWith('\uFEFF') ? ` ${text.slice(1)}` : text
  return split(scanPieces(source)).flatMap((pieces) => {
    const words = pieces.filter(({ kind }) => kind !== 'comment')
    const [first] = words
    const last = words.at(-1)
    if (first === undefined || last === undefined) return []
    const inside = pieces.filter((piece) => piece.start >= first.start && piece.end <= last.end)
    const comments = pieces
      .filter((piece) => piece.kind === 'comment' && piece.end <= first.start)
      .flatMap((piece) => commentLines(piece, source))
    return [{ ...numberedText(inside, source, first.start, last.end), ...positionAt(source, first.start), comments }]
  })
}

function split(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const statements: Piece[][] = [[]]
  let depth = 0
  let atomic = 0
  let before = ''
  for (const piece of pieces) {
    const word = piece.kind === 'word' ? piece.text.toLowerCase() : piece.text
    if (word === '(') depth += 1
    if (word === ')') depth = Math.max(0, depth - 1)
    if (word === 'atomic' && before === 'begin') atomic = 1
    else if (atomic > 0 && word === 'case') atomic += 1
    else if (atomic > 0 && word === 'end') atomic -= 1
    if (piece.kind !== 'comment') before = word
    if (word === ';' && depth === 0 && atomic === 0) statements.push([])
    else statements.at(-1)?.push(piece)
  }
  return statements
}

/** As long as before where that can be, so that the parser's columns are those of the file. */
function numberedText(
  pieces: readonly Piece[],
  source: string,
  start: number,
  end: number,
): Pick<SourceStatement, 'text' | 'names' | 'numbered'> {
  const numbered = Math.max(
    0,
    ...pieces.filter(({ kind }) => kind === 'numbered').map(({ text }) => Number(text.slice(1))),
  )
  const names: string[] = []
  let text = ''
  let at = start
  for (const piece of pieces.filter(({ kind }) => kind === 'named')) {
    const name = piece.text.replaceAll(/[:'"]/g, '')
    if (!names.includes(name)) names.push(name)
    text += source.slice(at, piece.start) + `$${numbered + names.indexOf(name) + 1}`.padEnd(piece.text.length)
    at = piece.end
  }
  return { text: text + source.slice(at, end), names, numbered }
}

function commentLines(piece: Piece, source: string): readonly Comment[] {
  const { line, column } = positionAt(source, piece.start)
  return piece.text
    .replace(/^--+|^\/\*+|\*+\/$/g, '')
    .split('\n')
    .map((text, row) => ({ text: text.trim(), line: line + row, column: row === 0 ? column : 1 }))
}
