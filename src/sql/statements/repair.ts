import { scanPieces, type Piece } from './pieces.js'

const typeWords = new Set(['interval', 'date', 'time', 'timetz', 'timestamp', 'timestamptz'])
const intervalWords = new Set(['year', 'month', 'day', 'hour', 'minute', 'second', 'to'])

/**
 * pg_stat_statements puts $n where a constant stood, also where the grammar wants one: `interval $1`, `date $2`,
 * `interval $3 day` become casts, the field of `extract($4 from x)` becomes epoch. Parameters are numbered anew.
 */
export function repairedStatement(text: string): string {
  const pieces = scanPieces(text).filter(({ kind }) => kind !== 'comment')
  const edits: { readonly start: number; readonly end: number; readonly text: string }[] = []
  const numbers: string[] = []
  for (const [at, piece] of pieces.entries()) {
    if (piece.kind !== 'numbered') continue
    const [two, one] = [wordAt(pieces, at - 2), wordAt(pieces, at - 1)]
    if (one === '(' && two === 'extract' && wordAt(pieces, at + 1) === 'from') {
      edits.push({ start: piece.start, end: piece.end, text: 'epoch' })
      continue
    }
    if (!numbers.includes(piece.text)) numbers.push(piece.text)
    const name = `$${numbers.indexOf(piece.text) + 1}`
    const before = pieces[at - 1]
    if (before === undefined || !typeWords.has(one)) {
      edits.push({ start: piece.start, end: piece.end, text: name })
      continue
    }
    let last = at
    while (one === 'interval' && intervalWords.has(wordAt(pieces, last + 1))) last += 1
    const fields = pieces.slice(at + 1, last + 1).map(({ text }) => ` ${text}`)
    edits.push({
      start: before.start,
      end: (pieces[last] ?? piece).end,
      text: `cast(${name} as ${one}${fields.join('')})`,
    })
  }
  return edits.reduceRight((whole, edit) => whole.slice(0, edit.start) + edit.text + whole.slice(edit.end), text)
}

function wordAt(pieces: readonly Piece[], at: number): string {
  return pieces[at]?.text.toLowerCase() ?? ''
}
