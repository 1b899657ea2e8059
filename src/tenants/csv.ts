/** A cell with the line and column, from 1, at which it begins. */
export interface Cell {
  readonly text: string
  readonly line: number
  readonly column: number
}

/** What is no CSV, and where. */
export interface CsvProblem {
  readonly message: string
  readonly line: number
  readonly column: number
}

/** One cell, quoted or not, and what ends it; what follows a quoted cell before that is a mistake of the file. */
const cellPattern = /(?:"((?:[^"]|"")*)"[ \t]*|([^,\r\n]*?))(,|\r?\n|$)/y

/**
 * Records of a CSV text by RFC 4180, those without any text left out; space around unquoted cells is none of theirs. Quoted cells may hold
 * commas and line breaks. The first thing that is no CSV ends the reading.
 */
export function csvRecords(text: string): {
  readonly records: readonly (readonly Cell[])[]
  readonly problem: CsvProblem | null
} {
  const records: (readonly Cell[])[] = []
  const body = text.replace(/^\uFEFF/, '')
  let record: Cell[] = []
  let [line, column] = [1, 1]
  cellPattern.lastIndex = 0
  while (cellPattern.lastIndex < body.length || record.length > 0) {
    const start = cellPattern.lastIndex
    const [whole = '', quoted, plain = '', end] = cellPattern.exec(body) ?? []
    if (end === undefined || (quoted === undefined && plain.startsWith('"')))
      return { records, problem: quoteProblem(body.slice(start), line, column) }
    record.push({ text: quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'), line, column })
    const breaks = whole.split('\n')
    line += breaks.length - 1
    column = (breaks.length > 1 ? 1 : column) + (breaks.at(-1)?.length ?? 0)
    if (end === ',') continue
    if (record.some((cell) => cell.text !== '')) records.push(record)
    record = []
    if (whole === '') break
  }
  return { records, problem: null }
}

function quoteProblem(rest: string, line: number, column: number): CsvProblem {
  const quoted = /^"(?:[^"]|"")*"[ \t]*/.exec(rest)?.[0]
  if (quoted === undefined) return { message: 'a quoted cell that never ends', line, column }
  const lines = quoted.split('\n')
  const last = lines.at(-1) ?? ''
  const at = lines.length > 1 ? last.length + 1 : column + last.length
  return { message: 'text after a quoted cell', line: line + lines.length - 1, column: at }
}
