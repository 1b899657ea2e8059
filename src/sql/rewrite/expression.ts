import type { Node } from 'libpg-query'

/**
 * An expression over columns as SQL for the key of an index, without the alias of the table: `lower(email)`,
 * `(created_at)::date`. null for what is too odd to be written again.
 */
export function expressionText(node: Node): string | null {
  if ('ColumnRef' in node) {
    const name = node.ColumnRef.fields?.at(-1)
    return name !== undefined && 'String' in name ? plainName(name.String.sval ?? '') : null
  }
  if ('A_Const' in node) {
    const { sval, ival, fval } = node.A_Const
    if (sval !== undefined) return `'${(sval.sval ?? '').replaceAll("'", "''")}'`
    return fval?.fval ?? (ival === undefined ? null : String(ival.ival ?? 0))
  }
  if ('ParamRef' in node) return `$${node.ParamRef.number ?? 0}`
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast
    const inner = arg === undefined ? null : expressionText(arg)
    const type = nameText(typeName?.names ?? [])
    if (inner === null || type === null || (typeName?.typmods ?? []).length > 0) return null
    // varchar prints with a cast to text that an index on the column needs not.
    if (type === 'text') return inner
    return arg !== undefined && 'ColumnRef' in arg ? `(${inner})::${type}` : `${inner}::${type}`
  }
  if ('FuncCall' in node) {
    const { funcname = [], args = [], funcformat } = node.FuncCall
    const name = nameText(funcname)
    const texts = args.map(expressionText)
    if (funcformat === 'COERCE_SQL_SYNTAX' && name === 'extract' && /^'\w+'$/.test(texts[0] ?? ''))
      return texts[1] ? `extract(${texts[0]?.slice(1, -1)} from ${texts[1]})` : null
    // AT TIME ZONE is written as the function that it is.
    const odd = funcformat === 'COERCE_SQL_SYNTAX' && name !== 'timezone'
    if (name === null || odd || texts.includes(null)) return null
    return `${name}(${texts.join(', ')})`
  }
  if ('CoalesceExpr' in node) {
    const texts = (node.CoalesceExpr.args ?? []).map(expressionText)
    return texts.includes(null) ? null : `coalesce(${texts.join(', ')})`
  }
  if ('A_Expr' in node && node.A_Expr.kind === 'AEXPR_OP') {
    const { name = [], lexpr, rexpr } = node.A_Expr
    const [left, right] = [lexpr, rexpr].map((side) => (side === undefined ? null : expressionText(side)))
    const operator = name.at(-1)
    if (!left || !right || operator === undefined || !('String' in operator)) return null
    return `(${left} ${operator.String.sval ?? ''} ${right})`
  }
  return null
}

function nameText(names: readonly Node[]): string | null {
  const parts = names.flatMap((name) => ('String' in name ? [name.String.sval ?? ''] : []))
  const own = parts[0] === 'pg_catalog' ? parts.slice(1) : parts
  return own.length === 0 ? null : own.map(plainName).join('.')
}

/** Quoted only where it must be: advice is read by people. */
function plainName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
