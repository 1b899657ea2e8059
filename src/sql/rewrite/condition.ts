import type { Node } from 'libpg-query'
import { expressionText } from './expression.js'
import { collationOf, constantOf, lastName, listedIn, numberOf, relationsOf, stripped } from './condition-values.js'
import { loadParser } from '../parser/parser-tokens.js'
import { walkTree } from '../parser/parser-walk.js'

/** What is done to a column before it is compared. */
export interface Computation {
  readonly kind: 'function' | 'operator'
  /** Of the function or the operator. */
  readonly name: string
  /** As SQL without the alias of the table, `lower(email)`; null where it is too odd to be written again. */
  readonly expression: string | null
  /** Nothing else in it varies from row to row. */
  readonly alone: boolean
}

/** One comparison of a column. */
export interface Comparison {
  readonly kind: 'comparison'
  /** Alias of the relation, empty when the condition names none. */
  readonly alias: string
  readonly column: string
  readonly computed: Computation | null
  /** Casts around the column: `(code)::text` is no computation when the column is varchar. */
  readonly casts: readonly string[]
  /** Of a COLLATE clause on one of the sides; null without. */
  readonly collation: string | null
  /** `=`, `<`, `~~`, `<>` ..., `in` for = ANY (list), `has` for value = ANY (column), `is null`, `is not null`, `is true`. */
  readonly operator: string
  /** The constant on the other side, null when it is none. */
  readonly constant: string | null
  /** n of $n on the other side, null when it is none. */
  readonly parameter: number | null
  /** n of each $n in a list on the other side, as in `IN ($1, $2)`. */
  readonly listed: readonly number[]
  /** The other side as SQL, null where it is missing or too odd to be written again. */
  readonly opposite: string | null
  /** Relations whose columns the other side names. */
  readonly others: readonly string[]
}

/** A condition as EXPLAIN prints it; `other` is what compares no column. */
export type Condition =
  | Comparison
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'other' }

/** Reads a condition of a query plan with PostgreSQL's own parser; null when that cannot read it. */
export async function readCondition(text: string): Promise<Condition | null> {
  if (text === '') return null
  // EXPLAIN's names of subplans are no SQL.
  const sql = text.replaceAll(/\((?:ANY )?(?:hashed )?(?:Sub|Init)Plan \d+\)(?:\.col\d+)?/g, '(null)')
  const parser = await loadParser()
  try {
    const statement = (await parser.parse(`select where ${sql}`)).stmts?.[0]?.stmt
    if (statement === undefined || !('SelectStmt' in statement)) return null
    return read(statement.SelectStmt.whereClause)
  } catch {
    return null
  }
}

/** The parts of a condition as EXPLAIN prints it, `((a = 1) AND (b > 2))`, each in its parentheses; of an OR with `OR`. */
export function partTexts(text: string, joined: 'AND' | 'OR'): readonly string[] {
  const whole = text.trim()
  if (whole === '') return []
  const inner = whole.startsWith('(') && closing(whole, 0) === whole.length - 1 ? whole.slice(1, -1) : whole
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < inner.length; at += 1) {
    const letter = inner[at]
    if (letter === "'" || letter === '"') at = closingQuote(inner, at)
    else if (letter === '(') at = closing(inner, at)
    else if (inner.startsWith(` ${joined} `, at)) {
      parts.push(inner.slice(start, at))
      start = at + joined.length + 2
      at = start - 1
    } else if (inner.startsWith(joined === 'AND' ? ' OR ' : ' AND ', at)) return [whole]
  }
  return parts.length === 0 ? [whole] : [...parts, inner.slice(start)]
}

function closingQuote(text: string, from: number): number {
  const end = text.indexOf(text[from] ?? '', from + 1)
  return end < 0 ? text.length : end
}

/** Where the parenthesis ends that begins there. */
function closing(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at]
    if (letter === "'" || letter === '"') at = closingQuote(text, at)
    else if (letter === '(') depth += 1
    else if (letter === ')' && (depth -= 1) === 0) return at
  }
  return text.length
}

/** Comparisons that must all hold, those of ORs left out. */
export function conjuncts(condition: Condition): readonly Comparison[] {
  if (condition.kind === 'comparison') return [condition]
  return condition.kind === 'and' ? condition.parts.flatMap(conjuncts) : []
}

/** All comparisons, those of ORs too. */
export function comparisonsOf(condition: Condition): readonly Comparison[] {
  if (condition.kind === 'comparison') return [condition]
  return condition.kind === 'other' ? [] : condition.parts.flatMap(comparisonsOf)
}

const other: Condition = { kind: 'other' }
const negated: Readonly<Record<string, string>> = {
  '=': '<>',
  in: '<>',
  'is null': 'is not null',
  'is true': 'is true',
}

function read(node: Node | undefined): Condition {
  if (node === undefined) return other
  if ('BoolExpr' in node) {
    const { boolop, args = [] } = node.BoolExpr
    if (boolop === 'AND_EXPR') return { kind: 'and', parts: args.map(read) }
    if (boolop === 'OR_EXPR') return { kind: 'or', parts: args.map(read) }
    const inner = read(args[0])
    return inner.kind === 'comparison' ? { ...inner, operator: negated[inner.operator] ?? 'not' } : other
  }
  if ('NullTest' in node) {
    const operator = node.NullTest.nulltesttype === 'IS_NULL' ? 'is null' : 'is not null'
    return comparison(node.NullTest.arg, operator, undefined)
  }
  if ('A_Expr' in node) {
    const { kind, name = [], lexpr, rexpr } = node.A_Expr
    const operator = lastName(name)
    if (kind === 'AEXPR_OP_ANY') {
      const listed = comparison(lexpr, operator === '=' ? 'in' : operator, rexpr)
      return listed.kind === 'comparison' ? listed : comparison(rexpr, 'has', lexpr)
    }
    // NOT IN (list)
    if (kind === 'AEXPR_OP_ALL' && operator === '<>') return comparison(lexpr, operator, rexpr)
    if (kind !== 'AEXPR_OP') return other
    const left = comparison(lexpr, operator, rexpr)
    return left.kind === 'comparison' ? left : comparison(rexpr, flipped[operator] ?? operator, lexpr)
  }
  return 'ColumnRef' in node ? comparison(node, 'is true', undefined) : other
}

const flipped: Readonly<Record<string, string>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' }

function comparison(side: Node | undefined, operator: string, opposite: Node | undefined): Condition {
  const found = subject(side)
  if (found === null) return other
  const bare = stripped(opposite)
  return {
    kind: 'comparison',
    ...found,
    operator,
    collation: found.collation ?? collationOf(opposite),
    constant: constantOf(bare),
    parameter: numberOf(bare),
    listed: listedIn(bare),
    opposite: opposite === undefined ? null : expressionText(opposite),
    others: opposite === undefined ? [] : relationsOf(opposite),
  }
}

type Subject = Pick<Comparison, 'alias' | 'column' | 'computed' | 'casts' | 'collation'>

/** The column inside an expression, with the innermost thing that is computed from it. */
function subject(node: Node | undefined): Subject | null {
  if (node === undefined) return null
  if ('ColumnRef' in node) {
    const names = (node.ColumnRef.fields ?? []).flatMap((field) => ('String' in field ? [field.String.sval ?? ''] : []))
    const column = names.at(-1)
    return column === undefined
      ? null
      : { alias: names.at(-2) ?? '', column, computed: null, casts: [], collation: null }
  }
  if ('TypeCast' in node) {
    const inner = subject(node.TypeCast.arg)
    return inner && { ...inner, casts: [...inner.casts, lastName(node.TypeCast.typeName?.names ?? [])] }
  }
  if ('CollateClause' in node) {
    const inner = subject(node.CollateClause.arg)
    return inner && { ...inner, collation: collationOf(node) }
  }
  const [computation, within] = computed(node)
  if (computation === null) return null
  for (const part of within) {
    const inner = subject(part)
    if (inner !== null) {
      const expression = expressionText(node)
      return { ...inner, computed: { ...computation, expression, alone: columnsIn(node) === 1 } }
    }
  }
  return null
}

function columnsIn(node: Node): number {
  let count = 0
  walkTree(node, (name) => {
    if (name === 'ColumnRef') count += 1
  })
  return count
}

function computed(node: Node): [Omit<Computation, 'expression' | 'alone'> | null, readonly Node[]] {
  if ('FuncCall' in node) {
    const { funcname = [], args = [] } = node.FuncCall
    return [{ kind: 'function', name: lastName(funcname) }, args]
  }
  if ('CoalesceExpr' in node) return [{ kind: 'function', name: 'coalesce' }, node.CoalesceExpr.args ?? []]
  if ('A_Expr' in node && node.A_Expr.kind === 'AEXPR_OP') {
    const { name = [], lexpr, rexpr } = node.A_Expr
    return [{ kind: 'operator', name: lastName(name) }, [lexpr, rexpr].flatMap((side) => side ?? [])]
  }
  return [null, []]
}
