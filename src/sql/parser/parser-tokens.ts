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

/** The value of a constant: a number as it is written, a text in plain quotes; undefined for any other token. */
export function constantOf({ kind, text }: Token): string | undefined {
  if (kind === 'ICONST' || kind === 'FCONST') return text
  return kind === 'SCONST' && text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : undefined
}

/** Those of sorted tokens that lie within; by halving, since a dump of 10,000 statements has 300,000 tokens. */
export function tokensWithin(tokens: readonly Token[], start: number, end: number): readonly Token[] {
  const first = firstFrom(tokens, start)
  const last = firstFrom(tokens, end)
  return tokens.slice(first, last).filter((token) => token.end <= end)
}

/** Position of the first of sorted tokens that starts there or later. */
export function firstFrom(tokens: readonly Token[], offset: number): number {
  let [low, high] = [0, tokens.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((tokens[middle]?.start ?? 0) < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** libpg-query 18.1.5 puts control characters unescaped into the JSON of its tokens; in any place a space does as well. */
function scannable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0001-\u0008\u000b\u000c\u000e-\u001f]/g, ' ')
}
