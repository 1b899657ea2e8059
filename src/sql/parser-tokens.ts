import { unitOffsets } from './parser-offsets.js'

/** A token of PostgreSQL's own scanner. Offsets are UTF-16 units of the scanned text. */
export interface Token {
  readonly start: number
  readonly end: number
  readonly text: string
  /** `IDENT`, `SCONST`, `ICONST`, `ASCII_40` for `(` ...; `UNKNOWN` for keywords and most operators. */
  readonly kind: string
  readonly keyword: boolean
}

export const commentKinds: ReadonlySet<string> = new Set(['SQL_COMMENT', 'C_COMMENT'])

/** libpg-query's WebAssembly, compiled at the first call only (about 30 ms), since most commands need none of it. */
export async function loadParser() {
  const parser = await import('libpg-query')
  await parser.loadModule()
  return parser
}

/** All tokens of a text that parses, comments included. */
export async function scanTokens(text: string): Promise<readonly Token[]> {
  if (text === '') return []
  const parser = await loadParser()
  const toUnit = unitOffsets(text)
  const { tokens } = await parser.scan(scannable(text))
  return tokens.map((token) => {
    const [start, end] = [toUnit(token.start), toUnit(token.end)]
    return {
      start,
      end,
      text: text.slice(start, end),
      kind: token.tokenName,
      keyword: token.keywordName !== 'NO_KEYWORD',
    }
  })
}

/** libpg-query 18.1.5 puts control characters unescaped into the JSON of its tokens; in any place a space does as well. */
function scannable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0001-\u0008\u000b\u000c\u000e-\u001f]/g, ' ')
}
