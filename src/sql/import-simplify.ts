import {
  castStart,
  closingOf,
  isAtom,
  isCall,
  openingOf,
  operandStart,
  range,
  textAt,
  topLevel,
  typeEnd,
  unwrapped,
} from './import-tokens.js'
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
  const outside = [...tokens.keys()].filter((at) => !lists.some(({ start, end }) => at >= start && at < end))
  const casts = outside.flatMap((at) => castAt(tokens, at, false) ?? [])
  const ofConstant = (edit: Edit) =>
    [...edit.keys()].some((at) => textAt(tokens, at) === '::' && isConstant(tokens[at - 1]))
  // A constant's cast first: of `c::text = 'x'::text` one may go, and people write it with the constant.
  const edits = [
    ...casts.filter(ofConstant),
    ...lists.map(({ edit }) => edit),
    ...outside.flatMap((at) => likeAt(tokens, at)),
    ...outside.flatMap((at) => parenthesesAt(tokens, at)),
    ...casts.filter((edit) => !ofConstant(edit)),
  ]
  return { edits, print: (edits) => printed(tokens, edits) }
}

function isConstant(token: Token | undefined): boolean {
  return token !== undefined && (token.kind.endsWith('CONST') || /^null$/i.test(token.text))
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

/**
 * Parentheses that nobody writes: around one word, one cast, one IN or LIKE, and around the first half of a chain, as in
 * `(a || b) || c`.
 */
function parenthesesAt(tokens: readonly Token[], at: number): readonly Edit[] {
  if (textAt(tokens, at) !== '(' || isCall(tokens, at) || /^(ANY|ALL)$/.test(textAt(tokens, at - 1))) return []
  const end = closingOf(tokens, at)
  if (end >= tokens.length || /^[.[]$/.test(textAt(tokens, end + 1))) return []
  const operators = topLevel(tokens, at + 1, end)
  const cast = operators.length === 0 && operandStart(tokens, castStart(tokens, end)) === at + 1
  const word = operators.length === 1 && /^(=|<>|!?~~\*?)$/.test(operators[0] ?? '')
  const chain =
    operators.length > 0 &&
    operators.every((operator) => operator === textAt(tokens, end + 1)) &&
    /^(|\(|,)$/.test(textAt(tokens, at - 1))
  if (!(isAtom(tokens, at + 1, end) || cast || word || chain)) return []
  return [
    new Map([
      [at, ''],
      [end, ''],
    ]),
  ]
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
