import { PerfdbError } from '../../errors.js'
import { singleStatement } from '../parser/parser.js'
import { walkTree } from '../parser/parser-walk.js'

/** What a SELECT reads, without its schemas. */
export interface StatementShape {
  readonly relations: readonly string[]
  /** Columns compared with `= $n` of a SELECT from one table whose WHERE is nothing but ANDs; empty for any other. */
  readonly keys: readonly string[]
}

/** The shape of a text of pg_stat_statements; null for one that does more than read, or that does not parse. */
export async function statementShape(text: string): Promise<StatementShape | null> {
  try {
    const { kind, tree } = await singleStatement(text)
    if (kind !== 'read' || !('SelectStmt' in tree)) return null
    const relations = new Set<string>()
    walkTree(tree, (name, node) => {
      if (name === 'RangeVar' && typeof node['relname'] === 'string') relations.add(node['relname'])
    })
    const { fromClause = [], whereClause } = tree.SelectStmt
    const single = relations.size === 1 && fromClause.length === 1 && 'RangeVar' in (fromClause[0] ?? {})
    return { relations: [...relations], keys: single ? keysOf(whereClause) : [] }
  } catch (error) {
    if (error instanceof PerfdbError) return null
    throw error
  }
}

/** Of ANDs only: below OR an equality finds nothing by itself. */
function keysOf(where: unknown): readonly string[] {
  const bool = field(where, 'BoolExpr')
  if (bool !== undefined) {
    const parts: unknown = field(bool, 'args')
    return field(bool, 'boolop') === 'AND_EXPR' && Array.isArray(parts) ? parts.flatMap(keysOf) : []
  }
  const comparison = field(where, 'A_Expr')
  if (field(comparison, 'kind') !== 'AEXPR_OP' || operatorOf(comparison) !== '=') return []
  const [left, right] = [field(comparison, 'lexpr'), field(comparison, 'rexpr')]
  const column = isParameter(right) ? columnOf(left) : isParameter(left) ? columnOf(right) : null
  return column === null ? [] : [column]
}

function operatorOf(comparison: unknown): unknown {
  const names: unknown = field(comparison, 'name')
  return Array.isArray(names) ? field(field(names.at(-1), 'String'), 'sval') : undefined
}

/** $1, also as $1::bigint. */
function isParameter(node: unknown): boolean {
  const cast = field(node, 'TypeCast')
  return field(cast === undefined ? node : field(cast, 'arg'), 'ParamRef') !== undefined
}

function columnOf(node: unknown): string | null {
  const names: unknown = field(field(node, 'ColumnRef'), 'fields')
  const name: unknown = Array.isArray(names) ? field(field(names.at(-1), 'String'), 'sval') : undefined
  return typeof name === 'string' ? name : null
}

function field(node: unknown, name: string): unknown {
  if (typeof node !== 'object' || node === null) return undefined
  return Object.entries(node).find(([key]) => key === name)?.[1]
}
