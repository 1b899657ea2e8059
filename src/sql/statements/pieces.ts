/** A piece of SQL text: enough to find statements and parameters in text that the parser may refuse. */
export interface Piece {
  /** `named` is :name, :'name' or :"name"; `numbered` is $1. */
  readonly kind: 'comment' | 'quoted' | 'word' | 'numbered' | 'named' | 'symbol'
  readonly start: number
  readonly end: number
  readonly text: string
}

const patterns: readonly (readonly [Piece['kind'], RegExp])[] = [
  ['comment', /--[^\n]*/y],
  ['quoted', /[eE]'(?:[^'\\]|\\.|'')*(?:'|$)/sy],
  ['quoted', /'(?:[^']|'')*(?:'|$)/y],
  ['quoted', /"(?:[^"]|"")*(?:"|$)/y],
  ['numbered', /\$\d+/y],
  ['quoted', /\$((?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$.*?(?:\$\1\$|$)/sy],
  ['word', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ['symbol', /\d[\w.]*|::|:=/y],
  ['named', /:(?:[A-Za-z_]\w*|'\w+'|"\w+")/y],
]

/**
 * Comments, quoted text, words and parameters in the order of the text, space left out. What is not closed goes to the
 * end. Follows the lexical rules of the manual, section "Lexical Structure"; `:name` is that of psql, sqlc and aiosql and
 * no parameter inside [], where it is the end of an array slice.
 */
export function scanPieces(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let at = 0
  let brackets = 0
  while (at < text.length) {
    const [kind, end] = pieceAt(text, at, brackets > 0)
    const found = text.slice(at, end)
    if (found === '[') brackets += 1
    if (found === ']') brackets -= 1
    if (found.trim() !== '') pieces.push({ kind, start: at, end, text: found })
    at = end
  }
  return pieces
}

function pieceAt(text: string, at: number, slice: boolean): readonly [Piece['kind'], number] {
  if (text.startsWith('/*', at)) return ['comment', endOfComment(text, at)]
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at
    if (!(slice && kind === 'named') && pattern.test(text)) return [kind, pattern.lastIndex]
  }
  return ['symbol', at + 1]
}

/** Comments in C style nest. */
function endOfComment(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const two = text.slice(at, at + 2)
    if (two !== '/*' && two !== '*/') continue
    depth += two === '/*' ? 1 : -1
    at += 1
    if (depth === 0) return at + 1
  }
  return text.length
}
