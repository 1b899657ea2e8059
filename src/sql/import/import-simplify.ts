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
import { scanTokens, type Token } from '../parser/parser-tokens.js'

/** One thing that can be left out or written shorter: what stands at which token positions instead, '' for nothing. */
export interface Edit {
  /** constant: the cast of a constant. cast: any other. between: not shorter as a rule, but sometimes the only way. */
  readonly kind: 'constant' | 'list' | 'like' | 'parentheses' | 'cast' | 'between'
  readonly changes: ReadonlyMap<number, string>
}

/** SQL of an expression as the server prints it, with what a person would have written shorter. */
export interface ReadableSql {
  /** Those first that are right more often. */
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
  const inLists = new Set(
    lists.flatMap(({ changes }) => range(Math.min(...changes.keys()), Math.max(...changes.keys()))),
  )
  const outside = [...tokens.keys()].filter((at) => !inLists.has(at))
  const casts = outside.flatMap((at) => castAt(tokens, at) ?? [])
  const edits = [
    // Of `c::text = 'x'::text` one may go: people write the constant without.
    ...casts.filter(({ kind }) => kind === 'constant'),
    ...lists,
    ...outside.flatMap((at) => likeAt(tokens, at)),
    ...outside.flatMap((at) => parenthesesAt(tokens, at)),
    ...casts.filter(({ kind }) => kind === 'cast'),
    ...outside.flatMap((at) => betweenAt(tokens, at) ?? []),
  ]
  return { edits, print: (chosen) => printed(tokens, chosen) }
}

/**
 * `= ANY (ARRAY[a, b])` is `IN (a, b)`, and `<> ALL` is NOT IN. The casts of the elements go with it, and where the whole array
 * has one, that of the left side too: only without both `v IN ('a', 'b')` of a varchar comes back as the server prints it.
 */
function listAt(tokens: readonly Token[], at: number): Edit | undefined {
  const negated = textAt(tokens, at) === '<>'
  if (!negated && textAt(tokens, at) !== '=') return undefined
  if (textAt(tokens, at + 1) !== (negated ? 'ALL' : 'ANY') || textAt(tokens, at + 2) !== '(') return undefined
  const end = closingOf(tokens, at + 2)
  const array = at + (textAt(tokens, at + 3) === '(' ? 4 : 3)
  if (textAt(tokens, array) !== 'ARRAY') return undefined
  const last = closingOf(tokens, array + 1)
  const elements = range(array + 2, last)
  // IN with one element is `=` to the parser, which is not what the server has.
  if (!elements.some((position) => textAt(tokens, position) === ',')) return undefined
  // Of `'a'::character varying::text` the first says what the constant is.
  const outer = elements.filter((position) => !/^(\)|::)$/.test(textAt(tokens, typeEnd(tokens, position + 1))))
  const arrayCast = range(last, end).some((position) => textAt(tokens, position) === '::')
  const left = arrayCast ? range(0, at).find((position) => castEnd(tokens, position) === at) : undefined
  const casts = [...outer, ...(left === undefined ? [] : [left])].flatMap((position) => castAt(tokens, position) ?? [])
  const changes = new Map([
    ...range(at + 3, array + 2).map((position) => [position, ''] as const),
    ...casts.flatMap((cast) => [...cast.changes]),
    ...range(last, end).map((position) => [position, ''] as const),
    [at, negated ? 'NOT IN' : 'IN'] as const,
    [at + 1, ''] as const,
  ])
  return { kind: 'list', changes }
}

function castEnd(tokens: readonly Token[], at: number): number | undefined {
  return textAt(tokens, at) === '::' ? typeEnd(tokens, at + 1) : undefined
}

/** A cast with what it made necessary: parentheses around its operand, quotes around a number. */
function castAt(tokens: readonly Token[], at: number): Edit | undefined {
  const operand = tokens[at - 1]
  const end = castEnd(tokens, at)
  if (end === undefined || operand === undefined) return undefined
  if (end === tokens.length && operandStart(tokens, at - 1) === 0) return undefined
  const changes = new Map(range(at, end).map((position) => [position, '']))
  const number = /^'(-?\d+(\.\d+)?)'$/.exec(operand.text)?.[1]
  if (number !== undefined && numbers.test(textAt(tokens, at + 1))) changes.set(at - 1, number)
  const opening = operand.text === ')' ? openingOf(tokens, at - 1) : at - 1
  if (operand.text === ')' && !isCall(tokens, opening) && isAtom(tokens, opening + 1, at - 1)) {
    changes.set(opening, '')
    changes.set(at - 1, '')
  }
  return { kind: isConstant(operand) ? 'constant' : 'cast', changes }
}

function isConstant(token: Token): boolean {
  return token.kind.endsWith('CONST') || /^null$/i.test(token.text)
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
  return word === undefined || textAt(tokens, at - 1) === '.' ? [] : [{ kind: 'like', changes: new Map([[at, word]]) }]
}

/** `x >= a AND x <= b` of BETWEEN, `x < a OR x > b` of NOT BETWEEN: within a longer chain only so the two stay together. */
function betweenAt(tokens: readonly Token[], at: number): Edit | undefined {
  const negated = textAt(tokens, at) === 'OR'
  if (!negated && textAt(tokens, at) !== 'AND') return undefined
  const [low, high] = negated ? ['<', '>'] : ['>=', '<=']
  const second = range(at + 1, tokens.length).find((position) => textAt(tokens, position) === high)
  if (second === undefined) return undefined
  const operand = range(at + 1, second)
  const first = range(0, at).findLast((position) => textAt(tokens, position) === low) ?? 0
  const same = operand.every((position, index) => {
    return textAt(tokens, position) === textAt(tokens, first - operand.length + index)
  })
  if (!same || operand.length === 0) return undefined
  const changes = new Map([
    [first, negated ? 'NOT BETWEEN' : 'BETWEEN'] as const,
    [at, 'AND'] as const,
    ...range(at + 1, second + 1).map((position) => [position, ''] as const),
  ])
  return { kind: 'between', changes }
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
  const changes = new Map([
    [at, ''],
    [end, ''],
  ])
  return [{ kind: 'parentheses', changes }]
}

/** Tokens with one space where there was any; what is dropped takes its space with it, but for an opening parenthesis. */
function printed(tokens: readonly Token[], edits: readonly Edit[]): string {
  const replaced = new Map(edits.flatMap(({ changes }) => [...changes]))
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
