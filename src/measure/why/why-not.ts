import { comparisonsOf, conjuncts, type Comparison, type Condition } from '../../sql/rewrite/condition.js'
import type { IndexFacts } from '../sample/indexes.js'

/** Type and collation of a column, as the catalog names them. */
export interface ColumnFacts {
  readonly type: string
  readonly collation: string
}

export interface FilterFacts {
  /** `schema.table` */
  readonly table: string
  readonly condition: Condition
  readonly indexes: readonly IndexFacts[]
  readonly columns: ReadonlyMap<string, ColumnFacts>
}

/**
 * Why no index of a table can serve a condition, in the order of certainty: an index that exists and is kept from
 * it (function, cast, collation, leading wildcard, predicate, not valid ...), an OR with an arm that no index serves, no
 * index at all. To be asked only when a query plan without sequential scans has none either: the text alone does not
 * tell (`(code)::text = 'x'` uses a plain index when code is varchar). null when the condition compares no column.
 */
export function whyNoIndex(facts: FilterFacts): string | null {
  const plain = conjuncts(facts.condition)
  const kept = plain.map((one) => keptFrom(one, facts)).find((reason) => reason !== null)
  return kept ?? orReason(facts) ?? missing(plain, facts) ?? anyComputed(facts)
}

/** Why one index cannot serve the condition; null when nothing in its definition keeps it from that. */
export function whyNotIndex(index: IndexFacts, facts: FilterFacts): string | null {
  const own = { ...facts, indexes: [index] }
  if (!index.valid) return notValid(index)
  // Of other columns it is no matter of this index.
  const reasons = conjuncts(facts.condition)
    .filter(({ column }) => index.columns.includes(column))
    .map((one) => keptFrom(one, own))
  const [first = ''] = index.columns
  const asked = conjuncts(facts.condition).some((one) => one.column === first)
  const found = reasons.find((reason) => reason !== null) ?? orReason(facts)
  if (found !== undefined && found !== null) return found
  if (asked || first === '') return null
  return `the query compares no ${first}, the first key of ${index.name}`
}

/** The expressions that an index could be built on, and the columns that are compared as they are. */
function missing(plain: readonly Comparison[], { table, columns, indexes }: FilterFacts): string | null {
  const usable = plain.filter((one) => !computes(one, columns) && servable.has(one.operator))
  const equal = usable.filter((one) => one.operator === '=' || one.operator === 'in').map(({ column }) => column)
  const keys = [...new Set([...equal, ...usable.map(({ column }) => column)])]
  const [first] = keys
  if (first === undefined) return null
  const leading = indexes.find((index) => index.columns[0] === first)
  return leading === undefined
    ? `no index of ${table} begins with ${first}`
    : `${leading.name} begins with ${first} and cannot serve it: the type or the collation of what it is compared with is another`
}

const servable = new Set(['=', 'in', '<', '<=', '>', '>=', 'is null', 'is true', 'not'])
const patterns: Readonly<Record<string, string>> = {
  '~~': 'LIKE',
  '~~*': 'ILIKE',
  '~': 'a regular expression',
  '~*': 'a regular expression',
}

/** Why the indexes that have the column do not serve this comparison; null when none has it, or nothing is in the way. */
function keptFrom(one: Comparison, facts: FilterFacts): string | null {
  const { indexes, columns } = facts
  const leads = (index: IndexFacts) => (index.columns[0] === one.column ? 0 : 1)
  const having = indexes.filter((index) => index.columns.includes(one.column)).toSorted((a, b) => leads(a) - leads(b))
  const [index] = having
  const pattern = patterns[one.operator]
  if (pattern !== undefined && !computes(one, columns)) return patternReason(one, pattern, facts)
  if (index === undefined) return one.operator === 'has' ? arrayReason(one, facts) : null
  if (computes(one, columns)) return computedReason(one, index, facts)
  if (one.operator === '<>' || one.operator === '!~~')
    return `<> on ${one.column} asks for nearly all rows: no index serves it; a partial index on the rows that are wanted would`
  if (one.operator === 'has') return arrayReason(one, facts)
  const leading = having.filter((each) => each.columns[0] === one.column)
  if (leading.length === 0)
    return `${index.name} has ${one.column} behind ${index.keys[0] ?? ''}, which the query does not compare`
  const reasons = leading.map((each) => indexReason(each, one, facts))
  return reasons.includes(null) ? null : (reasons[0] ?? null)
}

function indexReason(index: IndexFacts, one: Comparison, { columns }: FilterFacts): string | null {
  if (!index.valid) return notValid(index)
  const facts = columns.get(one.column)
  const collation = one.collation ?? facts?.collation ?? ''
  // A text column with COLLATE prints as a cast to the type it has, and without the name of the collation.
  if (facts?.type === 'text' && one.casts.includes('text'))
    return `${index.name} orders by the collation of ${one.column}, and the query compares by another one: declare that one for the index`
  const own = index.collations[0] ?? ''
  if (own !== '' && collation !== '' && own !== collation)
    return `${index.name} orders by the collation ${own}, and the query compares by ${collation}: declare one of the two`
  if (index.predicate !== null)
    return `${index.name} holds only rows with ${index.predicate}, which the query does not ask for in these words: add that condition to the query`
  if (index.method === 'hash' && one.operator !== '=') return `${index.name} is a hash index: it serves = alone`
  if (index.method === 'gin' && columns.get(one.column)?.type === 'jsonb')
    return `${index.name} is a gin index: it serves @>, ? and the like, not ${one.operator}`
  return null
}

function patternReason(one: Comparison, pattern: string, { table, indexes }: FilterFacts): string | null {
  const trigrams = 'trigrams alone do (extension pg_trgm, gin with gin_trgm_ops)'
  if (pattern !== 'LIKE') return `${pattern} on ${one.column} is served by no btree index: ${trigrams}`
  if (/^[%_]/.test(one.constant ?? ''))
    return `the pattern on ${one.column} begins with a wildcard, which no btree index serves: ${trigrams}`
  const leading = indexes.find((index) => index.columns[0] === one.column && index.method === 'btree')
  return leading === undefined
    ? `no index of ${table} serves LIKE on ${one.column}`
    : `${leading.name} orders ${one.column} by a collation that is not C, which does not serve LIKE`
}

function computedReason(one: Comparison, index: IndexFacts, { columns }: FilterFacts): string {
  const { computed, column } = one
  if (computed === null) {
    const cast = one.casts.at(-1) ?? ''
    const type = columns.get(column)?.type ?? 'its own type'
    const remedy =
      cast === 'date'
        ? `compare ${column} itself with the first moment and the moment after the last`
        : `give the value the type of the column, ${type}, and compare ${column} itself`
    return `${index.name} is on ${column}, and the query compares it cast to ${cast}: ${remedy}`
  }
  const { kind, name, expression } = computed
  if (kind === 'operator' && name.startsWith('->'))
    return `${index.name} does not serve ${name} on ${column}: ask with @>, or index that expression`
  const what = kind === 'operator' ? `computes ${column} ${name} ...` : `asks for ${expression ?? `${name}(${column})`}`
  const remedy = solvable(one)
    ? `compare ${column} itself, with the computation on the other side`
    : kind === 'operator'
      ? 'only an index on that expression would'
      : `compare ${column} itself where that can be`
  return `${index.name} is on ${column}, and the query ${what}: ${remedy}`
}

function arrayReason({ column }: Comparison, { indexes, table }: FilterFacts): string {
  const gin = indexes.some(({ method, columns }) => method === 'gin' && columns[0] === column)
  return `= ANY (${column}) is served by no index: write ${column} @> array[value]${gin ? '' : `, with a gin index on ${table} (${column})`}`
}

/** Each arm of an OR needs an index of its own (BitmapOr). */
function orReason(facts: FilterFacts): string | null {
  const { condition, indexes, table, columns } = facts
  const ors = condition.kind === 'and' ? condition.parts.filter(({ kind }) => kind === 'or') : [condition]
  const [or] = ors.filter(({ kind }) => kind === 'or')
  if (or?.kind !== 'or') return null
  const without = or.parts.flatMap((arm) => {
    const compared = conjuncts(arm)
    const served = compared.some(
      (one) =>
        !computes(one, columns) &&
        indexes.some((index) => index.columns[0] === one.column && indexReason(index, one, facts) === null),
    )
    return served ? [] : (compared[0] ?? [])
  })
  const names = [...new Set(without.map(({ column }) => column))]
  if (names.length === 0) return null
  return `the condition has an OR, and no index of ${table} begins with ${names.join(' or ')}: each arm needs one`
}

function anyComputed({ condition, table, columns }: FilterFacts): string | null {
  const one = comparisonsOf(condition).find((each) => computes(each, columns))
  if (one === undefined) return null
  if (solvable(one))
    return `the query computes with ${one.column} before it compares: compare ${one.column} itself, with the computation on the other side, and an index on it would serve`
  return one.computed?.kind === 'function'
    ? `the query asks for ${one.computed.expression ?? `${one.computed.name}(${one.column})`}, and no index of ${table} is on that`
    : `the query computes with ${one.column} before it compares: no index on the column serves that`
}

/** `id + 1 = 7` is as good as `id = 7 - 1`, which an index on the column serves; `id % 7 = 1` and `a + b = 7` are not. */
export function solvable({ computed }: Comparison): boolean {
  return computed?.kind === 'operator' && computed.alone && ['+', '-', '*', '/'].includes(computed.name)
}

/** varchar prints as `(code)::text` even when an index on it is used. */
export function computes({ computed, casts, column }: Comparison, columns: ReadonlyMap<string, ColumnFacts>): boolean {
  if (computed !== null) return true
  const type = columns.get(column)?.type ?? 'text'
  const textual = type === 'text' || type === 'character varying'
  return casts.some((cast) => !(textual && (cast === 'text' || cast === 'varchar')))
}

function notValid(index: IndexFacts): string {
  return `${index.name} is not valid, and no query plan uses it: perfdb apply builds it again`
}
