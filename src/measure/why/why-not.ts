import { comparisonsOf, conjuncts, type Comparison, type Condition } from '../../sql/rewrite/condition.js'
import type { IndexFacts } from '../sample/indexes.js'
import { btreeKey } from './serves.js'
import { beginsFixed, computes, keyServes, operatorOf, solvable, type TableCatalog } from './serves-index.js'

export interface FilterFacts extends TableCatalog {
  /** `schema.table` */
  readonly table: string
  readonly condition: Condition
}

/**
 * Why no index of a table can serve a condition, in the order of certainty: an index that exists and is kept from
 * it (function, cast, collation, leading wildcard, predicate, not valid ...), an OR with an arm that no index serves, no
 * index at all. To be asked only when a query plan without sequential scans has none either: the text alone does not
 * tell (`(code)::text = 'x'` uses a plain index when code is varchar). `missing` is the column that no index begins with, where that is the reason.
 * null when the condition compares no column.
 */
export function whyNoIndex(facts: FilterFacts): { readonly text: string; readonly missing: string | null } | null {
  const plain = conjuncts(facts.condition)
  const kept = plain.map((one) => keptFrom(one, facts, facts.indexes)).find((reason) => reason !== null)
  const found = kept ?? orReason(facts)
  if (found !== null) return { text: found, missing: null }
  const leading = noLeading(plain, facts)
  if (leading !== null) return leading
  const computed = anyComputed(facts)
  return computed === null ? null : { text: computed, missing: null }
}

/** Why one index cannot serve the condition; null when nothing in its definition keeps it from that. */
export function whyNotIndex(index: IndexFacts, facts: FilterFacts): string | null {
  if (!index.valid) return notValid(index)
  // Of other columns it is no matter of this index.
  const reasons = conjuncts(facts.condition)
    .filter(({ column }) => index.columns.includes(column))
    .map((one) => keptFrom(one, facts, [index]))
  const [first = ''] = index.columns
  const asked = conjuncts(facts.condition).some((one) => one.column === first)
  const found = reasons.find((reason) => reason !== null) ?? orReason(facts)
  if (found !== undefined && found !== null) return found
  if (asked || first === '') return null
  return `the query compares no ${first}, the first key of ${index.name}`
}

/** What a btree could be searched by, and no index begins with, or none that serves. */
function noLeading(plain: readonly Comparison[], facts: FilterFacts): ReturnType<typeof whyNoIndex> {
  const { table, columns, indexes } = facts
  const usable = plain.filter(
    (one) =>
      !computes(one, columns) &&
      (btreeKey(one, facts) !== null || (one.operator === 'not' && columns.get(one.column)?.type === 'boolean')),
  )
  const equal = usable.filter(({ operator }) => operator === '=' || operator === 'in').map(({ column }) => column)
  const keys = [...new Set([...equal, ...usable.map(({ column }) => column)])]
  const [first] = keys
  if (first === undefined) return null
  const leading = indexes.find((index) => index.columns[0] === first)
  return leading === undefined
    ? { text: `no index of ${table} begins with ${first}`, missing: first }
    : {
        text: `${leading.name} begins with ${first} and cannot serve it: look at the type and the collation of what it is compared with`,
        missing: null,
      }
}

const patterns: Readonly<Record<string, string>> = {
  '~~': 'LIKE',
  '~~*': 'ILIKE',
  '~': 'a regular expression',
  '~*': 'a regular expression',
}

/** Why these indexes of the table do not serve this comparison; null when none has its column, or nothing is in the way. */
function keptFrom(one: Comparison, facts: FilterFacts, indexes: readonly IndexFacts[]): string | null {
  const { column, operator } = one
  const having = indexes.filter((index) => index.columns.includes(column))
  const leading = having.filter((index) => index.columns[0] === column)
  const [index] = [...leading, ...having]
  if (computes(one, facts.columns)) return index === undefined ? null : computedReason(one, index, facts)
  if (operator === 'has') return arrayReason(one, facts)
  const invalid = leading.find(({ valid }) => !valid)
  const able = leading.filter((each) => each.valid && keyServes(each, one, facts))
  if (able.length > 0) {
    const reasons = able.map((each) => indexReason(each, one, facts))
    return reasons.includes(null) ? null : (reasons[0] ?? null)
  }
  if (invalid !== undefined) return notValid(invalid)
  const pattern = patterns[operator]
  if (pattern !== undefined) return patternReason(one, pattern, facts)
  if (index === undefined) return null
  if (operator === '<>' || operator === '!~~')
    return `<> on ${column} asks for nearly all rows: no index serves it; a partial index on the rows that are wanted would`
  if (leading.length === 0)
    return `${index.name} has ${column} behind ${index.keys[0] ?? ''}, which the query does not compare`
  const [opclass = ''] = index.opclasses
  return operator === 'not' || operator === 'is not null'
    ? null
    : `${index.name} is a ${index.method} index (${opclass}), which does not serve ${operator === 'is null' ? 'IS NULL' : operatorOf(one)}`
}

/** What keeps an index whose opclass has the operator. */
function indexReason(index: IndexFacts, one: Comparison, { columns }: FilterFacts): string | null {
  const facts = columns.get(one.column)
  const collation = one.collation ?? facts?.collation ?? ''
  // A text column with COLLATE prints as a cast to the type it has, and without the name of the collation.
  if (facts?.type === 'text' && one.casts.includes('text'))
    return `${index.name} orders by the collation of ${one.column}, and the query compares by another one: declare that one for the index`
  const own = index.collations[0] ?? ''
  if (own !== '' && collation !== '' && own !== collation)
    return `${index.name} orders by the collation ${own}, and the query compares by ${collation}: declare one of the two`
  if (index.predicate !== null)
    return `${index.name} holds only rows with ${index.predicate}, which the query does not ask for in these words: where it means those rows alone, say so in it`
  return null
}

/** Whether another opclass would serve it the catalog says, see candidates; of one that is not installed it knows nothing. */
function patternReason(one: Comparison, pattern: string, { table, indexes, operators }: FilterFacts): string | null {
  const served = operators.some(({ column, operator }) => column === one.column && operator === one.operator)
  const trigrams = served ? 'trigrams alone do' : 'trigrams alone do (extension pg_trgm, gin with gin_trgm_ops)'
  if (pattern !== 'LIKE') return `${pattern} on ${one.column} is served by no btree index: ${trigrams}`
  if (one.constant !== null && !beginsFixed(one))
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
    const served = compared.some((one) =>
      indexes.some(
        (index) =>
          index.valid &&
          keyServes(index, one, facts) &&
          (computes(one, columns) || indexReason(index, one, facts) === null),
      ),
    )
    return served ? [] : (compared[0] ?? [])
  })
  const leads = ({ column }: Comparison) => indexes.some((index) => index.columns[0] === column)
  const names = [...new Set(without.filter((one) => !leads(one)).map(({ column }) => column))]
  const kept = without.filter(leads).flatMap((one) => keptFrom(one, facts, indexes) ?? [])
  const reasons = [
    ...(names.length === 0 ? [] : [`no index of ${table} begins with ${names.join(' or ')}`]),
    ...new Set(kept),
  ]
  return reasons.length === 0 ? null : `the condition has an OR, and ${reasons.join('; ')}: each arm needs one`
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

function notValid(index: IndexFacts): string {
  return `${index.name} is not valid, and no query plan uses it: perfdb apply builds it again`
}
