import { singleStatement } from '../parser/parser.js'
import { commentKinds, scanTokens } from '../parser/parser-tokens.js'
import { inner, placesIn, type Change, type Fields, type Places, type Rewrite } from './rewrite-places.js'
import { dateRange } from './rewrite-range.js'
import { rowComparison } from './rewrite-row.js'
import { walkTree } from '../parser/parser-walk.js'

/**
 * The rewrites of a statement that are certain by the rules of SQL alone: `a > x or (a = x and b > y)` as a row comparison, `date_trunc(unit, c) = x`
 * and `c::date = x` as a range, a CTE without functions that is computed whole as NOT MATERIALIZED. `types` are those of the columns by name, where
 * they are known to be dates or timestamps. None for a text that does not parse.
 */
export async function rewrites(text: string, types: ReadonlyMap<string, string>): Promise<readonly Rewrite[]> {
  const statement = await singleStatement(text).catch(() => null)
  if (statement === null) return []
  const source = statement.text
  const parsed = await singleStatement(source).catch(() => null)
  if (parsed === null) return []
  const tokens = (await scanTokens(source)).filter(({ kind }) => !commentKinds.has(kind))
  const places = placesIn(source, tokens)
  const found: Rewrite[] = []
  walkTree(parsed.tree, (name, node) => {
    const change =
      name === 'BoolExpr' && node['boolop'] === 'OR_EXPR'
        ? rowComparison(node, places)
        : name === 'A_Expr' && node['kind'] === 'AEXPR_OP'
          ? dateRange(node, places, types)
          : name === 'CommonTableExpr'
            ? notMaterialized(node, places)
            : null
    if (change === null) return
    const { from, to, words, ...rest } = change
    found.push({ ...rest, words, sql: source.slice(0, from) + words + source.slice(to) })
  })
  const valid = await Promise.all(
    found.map(async ({ sql }) =>
      singleStatement(sql).then(
        () => true,
        () => false,
      ),
    ),
  )
  return found.filter((_, at) => valid[at])
}

/** A CTE that only reads tables, by operators: the planner may put conditions into it. */
function notMaterialized(node: Fields, { tokens, at }: Places): Change | null {
  const name = node['ctename']
  const query = node['ctequery']
  if (
    typeof name !== 'string' ||
    node['ctematerialized'] === 'CTEMaterializeAlways' ||
    inner(query, 'SelectStmt') === null
  )
    return null
  let functions = false
  walkTree(query, (kind) => {
    if (
      ['FuncCall', 'SQLValueFunction', 'LockingClause', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].includes(
        kind,
      )
    )
      functions = true
  })
  const first = at(node['location'])
  const as = tokens.findIndex(({ text }, place) => place > first && text.toUpperCase() === 'AS')
  const token = tokens[as]
  if (functions || as < 0 || token === undefined || tokens[as + 1]?.text !== '(') return null
  return { kind: 'not materialized', about: [name], words: 'as not materialized', from: token.start, to: token.end }
}
