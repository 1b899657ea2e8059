import type { Token } from '../parser/parser-tokens.js'

/* Ways through the tokens of an expression as the server prints it. */

/** Position behind a type name as format_type prints it: `character varying(20)[]`, `public.status`, `timestamp(3) with time zone`. */
export function typeEnd(tokens: readonly Token[], start: number): number {
  let end = start + 1
  while (textAt(tokens, end) === '.') end += 2
  while (typeWords.test(textAt(tokens, end)) && !tokens[end]?.text.startsWith('"')) end++
  if (textAt(tokens, end) === '(') end = closingOf(tokens, end) + 1
  if (/^(with|without)$/.test(textAt(tokens, end))) end += 3
  while (textAt(tokens, end) === '[' && textAt(tokens, end + 1) === ']') end += 2
  return end
}

/** Second words of type names, and the fields of an interval. */
const typeWords = /^(varying|precision|year|month|day|hour|minute|second|to)$/

/** Where the operand that ends here begins: a name with its dots, a constant, or parentheses with what they belong to. */
export function operandStart(tokens: readonly Token[], last: number): number {
  let start = last
  for (;;) {
    const text = textAt(tokens, start)
    if (text === ']') {
      start = openingOf(tokens, start) - 1
      continue
    }
    if (text === ')') {
      const opening = openingOf(tokens, start)
      start = isCall(tokens, opening) ? opening - 1 : opening
    }
    if (textAt(tokens, start - 1) === '.') start -= 2
    else if (textAt(tokens, start - 1) === '::') start -= 2
    else return start
  }
}

/** One token, one function call, one array, one negative number: needs no parentheses. */
export function isAtom(tokens: readonly Token[], start: number, end: number): boolean {
  if (end - start === 1) return true
  if (end - start === 2) return textAt(tokens, start) === '-'
  const closes = textAt(tokens, end - 1) === ')' || textAt(tokens, end - 1) === ']'
  return closes && operandStart(tokens, end - 1) === start && textAt(tokens, start) !== '('
}

/** A parenthesis right behind a name opens a list of arguments. */
export function isCall(tokens: readonly Token[], opening: number): boolean {
  const before = tokens[opening - 1]
  return before !== undefined && before.end === tokens[opening]?.start && /^(\w|"|[^\p{ASCII}])/u.test(before.text)
}

/** Position before the `::` of the cast that ends here, or the last token where none does. */
export function castStart(tokens: readonly Token[], end: number): number {
  for (let at = end - 1; at > 0; at--) if (textAt(tokens, at) === '::' && typeEnd(tokens, at + 1) === end) return at - 1
  return end - 1
}

/** Operators and words such as AND that stand in no further parentheses, from `start` to `end`. */
export function topLevel(tokens: readonly Token[], start: number, end: number): readonly string[] {
  const found: string[] = []
  for (let at = start; at < end; at++) {
    const text = textAt(tokens, at)
    if (/^[([]$/.test(text)) at = closingOf(tokens, at)
    else if (text !== '::' && (/^[^\w"'.,\p{L}]+$/u.test(text) || words.test(text))) found.push(text)
  }
  return found
}

const words = /^(AND|OR|NOT|IS|IN|AT|COLLATE|LIKE|WHEN|OPERATOR|FROM|FOR)$/

/** Without the parentheses around the whole: `((a + b))` is `a + b`, but `(a) + (b)` stays. */
export function unwrapped(tokens: readonly Token[]): readonly Token[] {
  const wrapped = textAt(tokens, 0) === '(' && closingOf(tokens, 0) === tokens.length - 1
  return wrapped ? unwrapped(tokens.slice(1, -1)) : tokens
}

export function closingOf(tokens: readonly Token[], opening: number): number {
  let depth = 0
  for (let at = opening; at < tokens.length; at++) {
    if (/^[([]$/.test(textAt(tokens, at))) depth++
    if (/^[)\]]$/.test(textAt(tokens, at)) && --depth === 0) return at
  }
  return tokens.length
}

export function openingOf(tokens: readonly Token[], closing: number): number {
  let depth = 0
  for (let at = closing; at >= 0; at--) {
    if (/^[)\]]$/.test(textAt(tokens, at))) depth++
    if (/^[([]$/.test(textAt(tokens, at)) && --depth === 0) return at
  }
  return 0
}

export function textAt(tokens: readonly Token[], at: number): string {
  return tokens[at]?.text ?? ''
}

export function range(start: number, end: number): readonly number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, offset) => start + offset)
}
