import { scanTokens, type Token } from './parser-tokens.js'

/** One thing that can be left out or written shorter: token positions with what stands there instead, '' for nothing. */
export type Edit = ReadonlyMap<number, string>

/** SQL of an expression as the server prints it, with what a person would have written shorter. */
export interface ReadableSql {
  readonly edits: readonly Edit[]
  /** In one line, with these edits made. */
  readonly print: (edits: readonly Edit[]) => string
}

/**
 * What the server adds to an expression when it prints it: casts (`'open'::text`, `status::text`), `= ANY (ARRAY[...])` for
 * IN, `~~` for LIKE, quotes around numbers. Whether an edit keeps the meaning only the server can tell: the caller asks it. A
 * cast that is the whole expression was written by the user, for the server shows no other there. `sql` must be text of the
 * server (pg_get_expr); parentheses around the whole are dropped always.
 */
export async function readableSql(sql: string): Promise<ReadableSql> {
  const tokens = unwrapped(await scanTokens(sql))
  const lists = tokens.flatMap((_, at) => listAt(tokens, at) ?? [])
  const alone = tokens.flatMap((_, at) =>
    lists.some(({ start, end }) => at >= start && at < end)
      ? []
      : [...(castAt(tokens, at, false) ?? []), ...likeAt(tokens, at)],
  )
  return { edits: [...lists.map(({ edit }) => edit), ...alone], print: (edits) => printed(tokens, edits) }
}

interface List {
  readonly start: number
  readonly end: number
  readonly edit: Edit
}

/** `= ANY (ARRAY[a, b]::text[])` is `IN (a, b)`, and `<> ALL` is NOT IN; the casts of the elements go with it. */
function listAt(tokens: readonly Token[], at: number): List | undefined {
  const negated = textAt(tokens, at) === '<>'
  if (!negated && textAt(tokens, at) !== '=') return undefined
  if (textAt(tokens, at + 1) !== (negated ? 'ALL' : 'ANY') || textAt(tokens, at + 2) !== '(') return undefined
  const end = closingOf(tokens, at + 2)
  const wrapped = textAt(tokens, at + 3) === '('
  const array = at + (wrapped ? 4 : 3)
  if (textAt(tokens, array) !== 'ARRAY') return undefined
  const last = closingOf(tokens, array + 1)
  const elements = range(array + 2, last)
  // IN with one element is `=` to the parser, which is not what the server has.
  if (!elements.some((position) => textAt(tokens, position) === ',')) return undefined
  const edit = new Map([
    [at, negated ? 'NOT IN' : 'IN'],
    [at + 1, ''],
    ...range(at + 3, array + 2).map((position) => [position, ''] as const),
    ...elements.flatMap((position) => castAt(tokens, position, true)?.flatMap((cast) => [...cast]) ?? []),
    ...range(last, end).map((position) => [position, ''] as const),
  ])
  return { start: at, end: end + 1, edit }
}

/** A cast with what it made necessary: parentheses around its operand, quotes around a number. */
function castAt(tokens: readonly Token[], at: number, inList: boolean): readonly Edit[] | undefined {
  const operand = tokens[at - 1]
  if (textAt(tokens, at) !== '::' || operand === undefined) return undefined
  const end = typeEnd(tokens, at + 1)
  const opening = operand.text === ')' ? openingOf(tokens, at - 1) : at - 1
  if (!inList && end === tokens.length && operandStart(tokens, at - 1) === 0) return undefined
  const edit = new Map(range(at, end).map((position) => [position, '']))
  const number = /^'(-?\d+(\.\d+)?)'$/.exec(operand.text)?.[1]
  if (number !== undefined && numbers.test(textAt(tokens, at + 1))) edit.set(at - 1, number)
  if (operand.text === ')' && !isCall(tokens, opening) && isAtom(tokens, opening + 1, at - 1)) {
    edit.set(opening, '')
    edit.set(at - 1, '')
  }
  return [edit]
}

const numbers = /^(smallint|integer|bigint|numeric|real|double)$/

const likes: Readonly<Record<string, string>> = {
  '~~': 'LIKE',
  '!~~': 'NOT LIKE',
  '~~*': 'ILIKE',
  '!~~*': 'NOT ILIKE',
}

function likeAt(tokens: readonly Token[], at: number): readonly Edit[] {
  const word = likes[textAt(tokens, at)]
  return word === undefined || textAt(tokens, at - 1) === '.' ? [] : [new Map([[at, word]])]
}

/** Position behind a type name as format_type prints it: `character varying(20)[]`, `public.status`, `timestamp(3) with time zone`. */
function typeEnd(tokens: readonly Token[], start: number): number {
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
function operandStart(tokens: readonly Token[], last: number): number {
  let start = last
  for (;;) {
    const text = textAt(tokens, start)
    if (text === ')' || text === ']') {
      const opening = openingOf(tokens, start)
      start = isCall(tokens, opening) || text === ']' ? opening - 1 : opening
    }
    if (textAt(tokens, start - 1) === '.') start -= 2
    else if (textAt(tokens, start - 1) === '::') start -= 2
    else return start
  }
}

/** One token, one function call, one array, one negative number: needs no parentheses. */
function isAtom(tokens: readonly Token[], start: number, end: number): boolean {
  if (end - start === 1) return true
  if (end - start === 2) return textAt(tokens, start) === '-'
  const closes = textAt(tokens, end - 1) === ')' || textAt(tokens, end - 1) === ']'
  return closes && operandStart(tokens, end - 1) === start && textAt(tokens, start) !== '('
}

/** A parenthesis right behind a name opens a list of arguments. */
function isCall(tokens: readonly Token[], opening: number): boolean {
  const before = tokens[opening - 1]
  return before !== undefined && before.end === tokens[opening]?.start && /^(\w|"|[^\p{ASCII}])/u.test(before.text)
}

/** Without the parentheses around the whole: `((a + b))` is `a + b`, but `(a) + (b)` stays. */
function unwrapped(tokens: readonly Token[]): readonly Token[] {
  const wrapped = textAt(tokens, 0) === '(' && closingOf(tokens, 0) === tokens.length - 1
  return wrapped ? unwrapped(tokens.slice(1, -1)) : tokens
}

/** Tokens with one space where there was any; what is dropped takes its space with it, but for an opening parenthesis. */
function printed(tokens: readonly Token[], edits: readonly Edit[]): string {
  const replaced = new Map(edits.flatMap((edit) => [...edit]))
  let text = ''
  let space = ''
  let end = tokens[0]?.start ?? 0
  for (const [at, token] of tokens.entries()) {
    const written = replaced.get(at) ?? token.text
    const before = token.start > end ? ' ' : ''
    if (written !== '') text += (space === '' ? before : space) + written
    space = written === '' && token.text === '(' ? space || before : ''
    end = token.end
  }
  return text
}

function closingOf(tokens: readonly Token[], opening: number): number {
  let depth = 0
  for (let at = opening; at < tokens.length; at++) {
    if (/^[([]$/.test(textAt(tokens, at))) depth++
    if (/^[)\]]$/.test(textAt(tokens, at)) && --depth === 0) return at
  }
  return tokens.length
}

function openingOf(tokens: readonly Token[], closing: number): number {
  let depth = 0
  for (let at = closing; at >= 0; at--) {
    if (/^[)\]]$/.test(textAt(tokens, at))) depth++
    if (/^[([]$/.test(textAt(tokens, at)) && --depth === 0) return at
  }
  return 0
}

function textAt(tokens: readonly Token[], at: number): string {
  return tokens[at]?.text ?? ''
}

function range(start: number, end: number): readonly number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, offset) => start + offset)
}
