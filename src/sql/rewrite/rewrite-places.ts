import { unitOffsets } from '../parser/parser-offsets.js'
import type { Token } from '../parser/parser-tokens.js'

/** Another way to write a statement that gives the same rows, and that an index can serve. */
export interface Rewrite {
  readonly kind: 'row' | 'range' | 'not materialized'
  /** The column, columns or CTE that it is about. */
  readonly about: readonly string[]
  /** What stands instead: `(created, id) > ($1, $2)`. */
  readonly words: string
  /** The whole statement. */
  readonly sql: string
}

/** What is to be put in place of a part of the statement. */
export interface Change extends Omit<Rewrite, 'sql'> {
  readonly from: number
  readonly to: number
}

/** A statement with its tokens. */
export interface Places {
  readonly source: string
  readonly tokens: readonly Token[]
  /** Position in `tokens` of what begins at a byte of the tree. */
  readonly at: (location: unknown) => number
}

export function placesIn(source: string, tokens: readonly Token[]): Places {
  const toUnit = unitOffsets(source)
  return {
    source,
    tokens,
    at: (location) => tokens.findIndex(({ start }) => start === toUnit(typeof location === 'number' ? location : 0)),
  }
}

export type Fields = Readonly<Record<string, unknown>>

export interface Compared {
  readonly column: string
  readonly operator: string
  readonly value: string
  readonly first: number
}

/** `column op value`, whose value is a constant or a parameter, perhaps cast. */
export function compared(node: unknown, places: Places): Compared | null {
  const fields = inner(node, 'A_Expr')
  if (fields === null || fields['kind'] !== 'AEXPR_OP') return null
  const operator = lastName(fields['name'])
  const column = inner(fields['lexpr'], 'ColumnRef')
  if (column === null || operator === null || !simple(fields['rexpr'])) return null
  const first = places.at(column['location'])
  const sign = places.at(fields['location'])
  const end = valueEnd(places, sign + 1)
  const [from, middle] = [places.tokens[first], places.tokens[sign]]
  if (from === undefined || middle === undefined || end === null) return null
  return {
    column: places.source.slice(from.start, places.tokens[sign - 1]?.end).trim(),
    operator,
    value: places.source.slice(places.tokens[sign + 1]?.start, end).trim(),
    first,
  }
}

function simple(node: unknown): boolean {
  const cast = inner(node, 'TypeCast')
  if (cast !== null) return simple(cast['arg'])
  return inner(node, 'ParamRef') !== null || inner(node, 'A_Const') !== null
}

const clauses = new Set([
  'AND',
  'OR',
  'ORDER',
  'GROUP',
  'LIMIT',
  'OFFSET',
  'HAVING',
  'FETCH',
  'FOR',
  'UNION',
  'EXCEPT',
  'INTERSECT',
  'WINDOW',
])

/** Where a value ends that begins with that token: before the next AND, clause, comma or closing parenthesis outside of its own. */
export function valueEnd({ tokens, source }: Places, from: number): number | null {
  let depth = 0
  for (let at = from; at < tokens.length; at += 1) {
    const { text } = tokens[at] ?? { text: '' }
    if (text === '(') depth += 1
    if (depth === 0 && (text === ')' || text === ',' || text === ';' || clauses.has(text.toUpperCase())))
      return at === from ? null : (tokens[at - 1]?.end ?? null)
    if (text === ')') depth -= 1
  }
  return tokens.at(-1)?.end ?? source.length
}

export function inner(node: unknown, name: string): Fields | null {
  const found = objectField(node, name)
  return isFields(found) ? found : null
}

export function objectField(node: unknown, name: string): unknown {
  return isFields(node) ? node[name] : undefined
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function lastName(names: unknown): string | null {
  const last: unknown = Array.isArray(names) ? names.at(-1) : undefined
  const text = inner(last, 'String')?.['sval']
  return typeof text === 'string' ? text : null
}

export function textOf(constant: Fields | null): string | null {
  const text = inner(constant, 'sval')?.['sval']
  return typeof text === 'string' ? text.toLowerCase() : null
}
/** From the first token of an OR to its end: inside the parentheses around it, or all of the WHERE. */
export function enclosing(
  { tokens, source }: Places,
  first: number,
  last: number,
): { readonly from: number; readonly to: number } | null {
  let start = first
  while (tokens[start - 1]?.text === '(' && matching(tokens, start - 1) < last) start -= 1
  const open = start - 1
  const inside = tokens[open]?.text === '(' && matching(tokens, open) > last
  if (!inside && tokens[open]?.text.toUpperCase() !== 'WHERE') return null
  const end = inside ? (tokens[matching(tokens, open) - 1]?.end ?? null) : (whereEnd(tokens, start) ?? source.length)
  const from = tokens[start]?.start
  return from === undefined || end === null ? null : { from, to: end }
}

function whereEnd(tokens: readonly Token[], from: number): number | null {
  let depth = 0
  for (let at = from; at < tokens.length; at += 1) {
    const { text } = tokens[at] ?? { text: '' }
    if (text === '(') depth += 1
    if (
      depth === 0 &&
      (text === ')' || text === ';' || (clauses.has(text.toUpperCase()) && !['AND', 'OR'].includes(text.toUpperCase())))
    )
      return tokens[at - 1]?.end ?? null
    if (text === ')') depth -= 1
  }
  return tokens.at(-1)?.end ?? null
}

function matching(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let at = open; at < tokens.length; at += 1) {
    if (tokens[at]?.text === '(') depth += 1
    if (tokens[at]?.text === ')' && (depth -= 1) === 0) return at
  }
  return tokens.length
}
