import { compared, enclosing, inner, type Change, type Compared, type Fields, type Places } from './rewrite-places.js'

/** `a > x or (a = x and b > y)`, of two or more columns in one direction. */
export function rowComparison(node: Fields, places: Places): Change | null {
  const chain = rowChain(node, places)
  if (chain === null || chain.length < 2) return null
  const [first] = chain
  const span =
    first === undefined
      ? null
      : enclosing(places, Math.min(...chain.map(({ first: at }) => at)), Math.max(...chain.map(({ first: at }) => at)))
  if (span === null || first === undefined) return null
  const columns = chain.map(({ column }) => column)
  const words = `(${columns.join(', ')}) ${first.operator} (${chain.map(({ value }) => value).join(', ')})`
  return { kind: 'row', about: columns.map((column) => column.split('.').at(-1) ?? column), words, ...span }
}

function rowChain(node: Fields, places: Places): readonly Compared[] | null {
  const args = Array.isArray(node['args']) ? node['args'] : []
  if (args.length !== 2) return null
  const strict = compared(args[0], places)
  const rest = inner(args[1], 'BoolExpr')
  if (
    strict === null ||
    !['<', '>'].includes(strict.operator) ||
    rest?.['boolop'] !== 'AND_EXPR' ||
    !Array.isArray(rest['args'])
  )
    return null
  const [equal, next] = rest['args']
  const same = compared(equal, places)
  if (
    rest['args'].length !== 2 ||
    same === null ||
    same.operator !== '=' ||
    same.column !== strict.column ||
    same.value !== strict.value
  )
    return null
  const deeper = inner(next, 'BoolExpr')
  const last = deeper === null ? compared(next, places) : null
  const chain = deeper === null ? (last === null ? null : [last]) : rowChain(deeper, places)
  return chain?.[0]?.operator === strict.operator ? [strict, ...chain] : null
}
