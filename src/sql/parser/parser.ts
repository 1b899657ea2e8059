import type { Node, RawStmt } from 'libpg-query'
import { PerfdbError, type Place } from '../../errors.js'
import { classify, type StatementKind } from './parser-kind.js'
import { offsetOfCharacter, positionAt, positionsIn, unitOffsets, type Position } from './parser-offsets.js'
import { commentKinds, loadParser, scanTokens, tokensWithin, type Token } from './parser-tokens.js'
import { walkTree } from './parser-walk.js'

export interface ParsedStatement extends Position {
  /** As it stands in the source, from its first word to its last, without the semicolon and the comments around it. */
  readonly text: string
  /** Where `text` starts, in UTF-16 units of the source; line and column count from 1. */
  readonly offset: number
  readonly kind: StatementKind
  /** The command in PostgreSQL's words: INSERT, CREATE TABLE AS, SELECT FOR UPDATE, DROP TABLE ... */
  readonly description: string
  /** The highest n of $n; 0 without parameters. */
  readonly parameterCount: number
  /** PostgreSQL's raw parse tree. */
  readonly tree: Node
}

/**
 * The statements of a text, read by PostgreSQL 18's own parser (libpg-query), which is loaded at the first call.
 * Nothing in it is looked up: names need not exist. Throws BAD_SQL with the parser's message, and a place when the
 * file is named.
 */
export async function parseStatements(text: string, file?: string): Promise<readonly ParsedStatement[]> {
  const raw = await parseRaw(text, file)
  if (raw.length === 0) return []
  const toUnit = unitOffsets(text)
  const placeAt = positionsIn(text)
  const words = (await scanTokens(text)).filter((token) => !commentKinds.has(token.kind))
  return raw.flatMap(({ stmt, stmt_location: start = 0, stmt_len: length }) => {
    if (stmt === undefined) return []
    // A length of 0 is "to the end of the text": the last statement without a semicolon.
    const from = toUnit(start)
    const to = length === undefined ? text.length : toUnit(start + length)
    return statement(stmt, text, tokensWithin(words, from, to), placeAt)
  })
}

/** Exactly one statement. Throws BAD_SQL for none, for several, and for what does not parse. */
export async function singleStatement(text: string, file?: string): Promise<ParsedStatement> {
  const statements = await parseStatements(text, file)
  const [only, second] = statements
  if (only === undefined) throw badSql('there is no statement, only space or comments', { line: 1, column: 1 }, file)
  if (second === undefined) return only
  throw badSql(
    `expected one statement, found ${statements.length}`,
    second,
    file,
    'give each statement a query of its own',
  )
}

const parametersHint = 'parameters are written $1, $2 ... in the order of their values'

async function parseRaw(text: string, file: string | undefined): Promise<readonly RawStmt[]> {
  const nul = text.indexOf('\0')
  // To the parser, written in C, the text would end there, and what follows would go unseen.
  if (nul >= 0) throw badSql('SQL cannot hold a NUL character', positionAt(text, nul), file)
  if (text.trim() === '') return []
  const parser = await loadParser()
  try {
    return (await parser.parse(text)).stmts ?? []
  } catch (cause) {
    if (parser.hasSqlDetails(cause)) {
      const offset = offsetOfCharacter(text, cause.sqlDetails?.cursorPosition ?? 0)
      const foreign = notSql(text, offset)
      if (foreign !== undefined) throw badSql(foreign.message, positionAt(text, offset), file, foreign.hint, cause)
      // Of JDBC, MySQL and others: `?`, and `:name` which is no cast.
      const isOther = /[=<>(,]\s*(\?|:[a-z_]\w*)/i.test(text.slice(0, offset + 64))
      const hint = isOther ? parametersHint : 'PostgreSQL cannot parse it'
      throw badSql(cause.message, positionAt(text, offset), file, hint, cause)
    }
    // The parser's own stack is JavaScript's: some ten thousand nested operators overflow it.
    throw badSql('the statement is nested too deeply', { line: 1, column: 1 }, file, undefined, cause)
  }
}

/** A line for psql where SQL is expected, or the rows of a COPY, and what to do about it; undefined for neither. */
function notSql(text: string, offset: number): { readonly message: string; readonly hint: string } | undefined {
  const line = /^\\[a-z!?][^\n]*/i.exec(text.slice(offset))?.[0].trim()
  if (/\bcopy\s[^;]*\bfrom\s+stdin\b[^;]*;[^;]*$/i.test(text.slice(0, offset)))
    return {
      message: 'these are the rows of COPY ... FROM stdin, which psql alone can send',
      hint: 'pg_dump --schema-only leaves the rows out, pg_dump --inserts writes them as SQL',
    }
  if (line === undefined) return undefined
  return {
    message: `${line.split(/\s/)[0] ?? line} is a command of psql, not SQL`,
    hint: 'remove the line, or run the file with psql; pg_dump without --create writes no \\connect',
  }
}

function statement(
  tree: Node,
  source: string,
  words: readonly Token[],
  placeAt: (offset: number) => Position,
): ParsedStatement[] {
  const [first] = words
  const last = words.at(-1)
  if (first === undefined || last === undefined) return []
  let parameterCount = 0
  walkTree(tree, (name, node) => {
    if (name === 'ParamRef' && typeof node['number'] === 'number')
      parameterCount = Math.max(parameterCount, node['number'])
  })
  const text = source.slice(first.start, last.end)
  const position = placeAt(first.start)
  return [{ text, offset: first.start, ...position, ...classify(tree, words), parameterCount, tree }]
}

function badSql(message: string, at: Position, file?: string, hint?: string, cause?: unknown): PerfdbError {
  const place: Place | undefined = file === undefined ? undefined : { file, line: at.line, column: at.column }
  return new PerfdbError('BAD_SQL', message, { detail: `line ${at.line}, column ${at.column}`, hint, place, cause })
}
