import { conjuncts, type Comparison } from '../../sql/rewrite/condition.js'
import type { OperatorClass } from '../../sql/measure/explain-opclasses.js'
import type { Candidate, Conjunct, Need } from './need.js'
import { bare, distinct, ownText, quoted } from './serves-text.js'
import { beginsFixed, computes, operatorOf, solvable, type TableCatalog } from './serves-index.js'

interface Keyed {
  readonly key: string
  readonly conjunct: Conjunct
}

const nothing: Candidate = {
  method: 'btree',
  keys: [],
  where: null,
  serves: [],
  implied: [],
  bounds: [],
  ordered: false,
  equal: 0,
}

const equalities = new Set(['=', 'in', 'is null'])
const ranges = new Set(['<', '<=', '>', '>='])
/** Served by a predicate alone: most rows fulfil them, and an index is for the few. */
const excluding = new Set(['<>', 'not', 'is not null', 'is true'])

/**
 * The indexes that could serve a need, best first: a btree whose keys are what is compared with =, then the order, then ranges; another
 * method for operators that the catalog gives to it; a partial index for what excludes rows by a constant. Each only with an operator that
 * pg_amop lists for the type of the column, or with an expression, which trial.ts tries. `said`: the query says a condition itself, see isSaid.
 */
export function candidates(need: Need, catalog: TableCatalog, said: (text: string) => boolean): readonly Candidate[] {
  const asked = need.conjuncts.flatMap((conjunct) => {
    const [one, more] = conjuncts(conjunct.condition)
    const own = one !== undefined && more === undefined && (one.alias === need.alias || one.alias === '')
    return own && !one.others.includes(need.alias) && !one.others.includes('') ? [{ one, conjunct }] : []
  })
  const keyed = (operators: ReadonlySet<string>) =>
    asked.flatMap(({ one, conjunct }) => {
      const key = operators.has(one.operator) ? btreeKey(one, catalog) : null
      return key === null ? [] : [{ key, conjunct }]
    })
  const equal = [...keyed(new Set(['='])), ...keyed(new Set(['in', 'is null']))]
  const ranged = keyed(ranges)
  const order = need.order.filter((key) => !equal.some((one) => one.key === bare(key)))
  const partial = asked.filter(({ one, conjunct }) => isExcluding(one) && said(conjunct.text))
  const implied = partial.map(({ conjunct }) => conjunct)
  const where =
    partial.length === 0 ? null : partial.map(({ conjunct }) => ownText(conjunct.text, need.alias)).join(' and ')
  const listed = new Set(asked.filter(({ one }) => one.operator === 'in').map(({ one }) => quoted(one.column)))
  const serves = [...equal, ...ranged].map(({ conjunct }) => conjunct)
  const btree = (first: readonly Keyed[], middle: readonly string[], last: readonly Keyed[]): readonly Candidate[] => {
    const keys = distinct([...first.map(({ key }) => key), ...middle, ...last.map(({ key }) => key)]).slice(0, 5)
    const ordered = middle.length > 0
    const bounding = ordered ? first : [...first, ...last]
    if (keys.length === 0 || (serves.length === 0 && !ordered)) return []
    return [
      {
        method: 'btree',
        keys,
        where: null,
        serves,
        implied: [],
        bounds: bounding.map(({ conjunct }) => conjunct),
        ordered,
        equal: distinct(first.map(({ key }) => key)).length,
      },
    ]
  }
  const withPredicate = (candidate: Candidate): readonly Candidate[] =>
    where === null
      ? []
      : [
          {
            ...candidate,
            keys: candidate.keys.length === 0 ? [quoted(partial[0]?.one.column ?? '')] : candidate.keys,
            where,
            serves: [...candidate.serves, ...implied],
            implied,
            bounds: [...candidate.bounds, ...implied],
          },
        ]
  const usual = btree(equal, order, ranged)
  const others = asked.flatMap(({ one, conjunct }) => otherMethod(one, conjunct, catalog))
  // Arithmetic leaves as many values as it likes: `id % 7` finds a seventh of the rows.
  const vague = serves.length > 0 && [...equal, ...ranged].every(({ key }) => /^\(.* [-+*/%&|#] /s.test(key))
  return [
    ...(vague ? others : []),
    ...withPredicate(usual[0] ?? nothing),
    ...usual,
    // Values of a list come in the order of the list: the order first then.
    ...(order.length > 0 && listed.size > 0
      ? btree(
          equal.filter(({ key }) => !listed.has(key)),
          order,
          [...equal.filter(({ key }) => listed.has(key)), ...ranged],
        )
      : []),
    ...(order.length > 0 ? btree(equal, [], ranged) : []),
    ...(vague ? [] : others),
  ]
}

/** A column that btree orders, or an expression; null where the comparison is of neither. */
export function btreeKey(one: Comparison, { columns, operators }: TableCatalog): string | null {
  if (computes(one, columns)) {
    const expression = one.computed?.expression ?? null
    if (expression === null || one.computed?.name === 'date_trunc' || solvable(one)) return null
    return one.computed?.kind === 'function' ? expression : `(${expression.replace(/^\((.*)\)$/s, '$1')})`
  }
  const served = operators.some(
    ({ column, operator, method, default: usual }) =>
      column === one.column && operator === operatorOf(one) && method === 'btree' && usual,
  )
  return served && (one.collation === null || one.collation === columns.get(one.column)?.collation)
    ? quoted(one.column)
    : null
}

function otherMethod(one: Comparison, conjunct: Conjunct, { columns, operators }: TableCatalog): readonly Candidate[] {
  if (computes(one, columns) || equalities.has(one.operator) || ranges.has(one.operator)) return []
  const serving = operators.filter(
    ({ column, operator, method }) =>
      column === one.column && operator === one.operator && ['gin', 'gist', 'spgist'].includes(method),
  )
  // Smaller and quicker where it serves the operator; trigrams before prefixes; then what an index gets by itself.
  const rank = ({ opclass, method, default: usual }: OperatorClass) =>
    (opclass === 'jsonb_path_ops' ? 0 : opclass === 'gin_trgm_ops' ? 1 : 2) +
    (method === 'gin' ? 0 : 4) +
    (usual ? 0 : 1)
  const [best] = serving.toSorted((a, b) => rank(a) - rank(b))
  const alone = (method: string, key: string): Candidate => ({
    method,
    keys: [key],
    where: null,
    serves: [conjunct],
    implied: [],
    bounds: [conjunct],
    ordered: false,
    equal: 0,
  })
  const column = quoted(one.column)
  const like = beginsFixed(one) ? [alone('btree', `${column} ${patternOps(columns.get(one.column)?.type ?? '')}`)] : []
  return best === undefined ? like : [...like, alone(best.method, best.default ? column : `${column} ${best.opclass}`)]
}

function patternOps(type: string): string {
  return type === 'character varying'
    ? 'varchar_pattern_ops'
    : type === 'character'
      ? 'bpchar_pattern_ops'
      : 'text_pattern_ops'
}

/** A column compared with a constant, or that is one of those by itself: an index may have that in its predicate. */
export function fixed(one: Comparison): boolean {
  if (one.operator === 'is not null' || one.operator === 'is true' || one.operator === 'not')
    return one.computed === null
  return one.parameter === null && one.constant !== null && one.computed === null
}

/** It leaves rows out by a constant. */
export function isExcluding(one: Comparison): boolean {
  return excluding.has(one.operator) && fixed(one)
}
