import { closingOf, isCall, range, textAt, topLevel, typeEnd } from './import-tokens.js'
import { scanTokens, type Token } from '../parser/parser-tokens.js'

/**
 * Text of the server (pg_get_expr) so that the parser makes the same expression of it again, where it makes another of
 * the text as it is: AND and OR swallow parentheses on their left side (as BETWEEN and a row comparison make them), and a cast
 * right behind ARRAY[...] is one of each element (makeAndExpr in gram.y, transformTypeCast in parse_expr.c). A cast that
 * changes nothing in between keeps both apart.
 */
export async function faithfulSql(sql: string): Promise<string> {
  if (!/\]\)?::|\) (AND|OR) /.test(sql)) return sql
  const tokens = await scanTokens(sql)
  const casts = new Map<number, string>()
  for (const at of tokens.keys()) {
    if (isSwallowed(tokens, at)) casts.set(closingOf(tokens, at), '::boolean')
    const type = arrayType(tokens, at)
    if (type !== undefined) casts.set(closingOf(tokens, at + 1), `::${type}[]`)
  }
  let text = ''
  let end = 0
  for (const [at, cast] of [...casts].sort(([one], [other]) => one - other)) {
    const last = tokens[at]?.end ?? sql.length
    text += sql.slice(end, last) + cast
    end = last
  }
  return text + sql.slice(end)
}

/** The leftmost operand of a chain of AND, in parentheses, is such a chain itself. */
function isSwallowed(tokens: readonly Token[], at: number): boolean {
  if (textAt(tokens, at) !== '(' || isCall(tokens, at)) return false
  const end = closingOf(tokens, at)
  const word = textAt(tokens, end + 1)
  if (word !== 'AND' && word !== 'OR') return false
  return topLevel(tokens, at + 1, end).includes(word) && /^(|\(|WHEN|THEN|ELSE)$/.test(textAt(tokens, at - 1))
}

/** The element type of `ARRAY[...]` with a cast behind it, as the first element's own cast says. */
function arrayType(tokens: readonly Token[], at: number): string | undefined {
  if (textAt(tokens, at) !== 'ARRAY' || textAt(tokens, at + 1) !== '[') return undefined
  const end = closingOf(tokens, at + 1)
  const after = textAt(tokens, end + 1) === ')' ? end + 2 : end + 1
  if (textAt(tokens, after) !== '::') return undefined
  const stop = range(at + 2, end).find((position) => textAt(tokens, position) === ',') ?? end
  const cast = range(at + 2, stop).find(
    (position) => textAt(tokens, position) === '::' && typeEnd(tokens, position + 1) === stop,
  )
  if (cast === undefined) return undefined
  return range(cast + 1, stop)
    .map((position) => textAt(tokens, position))
    .join(' ')
}
