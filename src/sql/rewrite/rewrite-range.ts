import {
  inner,
  lastName,
  objectField,
  textOf,
  valueEnd,
  type Change,
  type Fields,
  type Places,
} from './rewrite-places.js'

const units = new Set(['minute', 'hour', 'day', 'week', 'month', 'year'])

/** `date_trunc('day', at) = x` or `at::date = x`: from the first moment to the one after the last. */
export function dateRange(node: Fields, places: Places, types: ReadonlyMap<string, string>): Change | null {
  if (lastName(node['name']) !== '=') return null
  const sign = places.at(node['location'])
  const to = valueEnd(places, sign + 1)
  const value = to === null ? '' : places.source.slice(places.tokens[sign + 1]?.start, to)
  if (to === null || value === '') return null
  const call = inner(node['lexpr'], 'FuncCall')
  const cast = inner(node['lexpr'], 'TypeCast')
  if (call !== null) {
    const args = Array.isArray(call['args']) ? call['args'] : []
    const unit = textOf(inner(inner(args[0], 'A_Const')?.['sval'] === undefined ? null : args[0], 'A_Const'))
    const column = inner(args[1], 'ColumnRef')
    const from = places.tokens[places.at(call['location'])]?.start
    if (
      lastName(call['funcname']) !== 'date_trunc' ||
      args.length !== 2 ||
      column === null ||
      unit === null ||
      !units.has(unit) ||
      from === undefined
    )
      return null
    const name = lastName(column['fields']) ?? ''
    const type = types.get(name)
    if (type === undefined || !type.startsWith('timestamp')) return null
    const own = columnText(column, places)
    const start = `(${value})::${type}`
    // Only the start of a unit is equal to what is cut off to it: any other value finds nothing.
    const words = `${own} >= ${start} and ${own} < ${start} + interval '1 ${unit}' and date_trunc('${unit}', ${start}) = ${start}`
    return { kind: 'range', about: [name], words, from, to }
  }
  const column = inner(cast?.['arg'], 'ColumnRef')
  const name = column === null ? '' : (lastName(column['fields']) ?? '')
  const type = types.get(name)
  if (
    column === null ||
    lastName(inner(cast?.['typeName'], 'names') ?? objectField(cast?.['typeName'], 'names')) !== 'date' ||
    type === undefined ||
    !type.startsWith('timestamp')
  )
    return null
  const first = places.at(column['location'])
  const before = places.tokens[first - 1]?.text === '(' ? 1 : 0
  const from = castStart(places, first - before, sign)
  const own = columnText(column, places)
  if (from === null) return null
  const words = `${own} >= (${value})::date and ${own} < (${value})::date + 1`
  return { kind: 'range', about: [name], words, from, to }
}

/** `at::date`, `(at)::date`; not `cast(at as date)`, which begins elsewhere. */
function castStart({ tokens }: Places, first: number, sign: number): number | null {
  return tokens.slice(first, sign).some(({ text }) => text === '::') ? (tokens[first]?.start ?? null) : null
}

function columnText(column: Fields, { source, tokens, at }: Places): string {
  const first = at(column['location'])
  const fields = Array.isArray(column['fields']) ? column['fields'].length : 1
  return source.slice(tokens[first]?.start, tokens[first + 2 * (fields - 1)]?.end)
}
