import { conjuncts, partTexts, readCondition, type Comparison, type Condition } from '../../sql/rewrite/condition.js'
import type { OperatorClass } from '../../sql/measure/explain-opclasses.js'
import type { PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { orderAbove } from '../rules/order.js'
import type { IndexFacts } from '../sample/indexes.js'
import { bare, distinct, ownText, quoted } from './serves-text.js'
import { computes, solvable, type ColumnFacts } from './why-not.js'

/** One condition that a scan asks of its rows, of several that must all hold. */
export interface Conjunct {
  /** As EXPLAIN prints it. */
  readonly text: string
  readonly condition: Condition
}

/** What a scan asks of its table. */
export interface Need {
  /** `schema.table` */
  readonly table: string
  readonly alias: string
  readonly conjuncts: readonly Conjunct[]
  /** `updated_at desc`: the order of which a Limit takes the first rows; empty without. */
  readonly order: readonly string[]
}

/** What the catalog says of the table. */
export interface TableCatalog {
  readonly columns: ReadonlyMap<string, ColumnFacts>
  readonly operators: readonly OperatorClass[]
  readonly indexes: readonly IndexFacts[]
}

/** An index that could serve a need; what PostgreSQL says of it is for trial.ts to find out. */
export interface Candidate {
  readonly method: string
  /** SQL of each key, with its opclass. */
  readonly keys: readonly string[]
  readonly where: string | null
  /** Conditions that it is to be searched by, or that imply its predicate. */
  readonly serves: readonly Conjunct[]
  /** Its keys end with the order of the need. */
  readonly ordered: boolean
}

/** What a node asks, as far as the text of its conditions tells. */
export async function needOf(plan: QueryPlan, node: PlanNode, table: string): Promise<Need> {
  const texts = [node.indexCondition, node.filter].flatMap((text) => partTexts(text, 'AND'))
  return {
    table,
    alias: node.alias,
    conjuncts: await readConjuncts(texts),
    order: orderAbove(plan, node)?.keys ?? [],
  }
}

async function readConjuncts(texts: readonly string[]): Promise<readonly Conjunct[]> {
  return Promise.all(
    texts.map(async (text) => ({ text, condition: (await readCondition(text)) ?? { kind: 'other' as const } })),
  )
}

/** The first OR of a need as needs of its arms, without an order: each needs an index of its own (BitmapOr). Empty without an OR. */
export async function armsOf(need: Need): Promise<readonly Need[]> {
  const or = need.conjuncts.find(({ condition }) => condition.kind === 'or')
  if (or === undefined) return []
  const arms = partTexts(or.text, 'OR').map(async (arm) => ({
    ...need,
    conjuncts: await readConjuncts(partTexts(arm, 'AND')),
    order: [],
  }))
  return Promise.all(arms)
}

/**
 * The need with the order of the index that a Limit reads from one end: another index has to give the same.
 */
export function withIndexOrder(need: Need, plan: QueryPlan, node: PlanNode, indexes: readonly IndexFacts[]): Need {
  if (need.order.length > 0 || node.index === '' || node.indexCondition !== '') return need
  const index = indexes.find((one) => one.name === node.index || one.parts.includes(node.index))
  if (index === undefined || index.method !== 'btree' || !limitedBelow(plan, node)) return need
  const keys = index.columns.slice(0, 2).filter((column) => column !== '')
  return {
    ...need,
    order: keys.map((column) => (node.backward ? `${quoted(column)} desc` : quoted(column))),
  }
}

function limitedBelow(plan: QueryPlan, node: PlanNode): boolean {
  const parent = node.parent === null ? undefined : plan.nodes[node.parent]
  if (parent === undefined) return false
  return (
    parent.type === 'Limit' ||
    (['Gather Merge', 'Subquery Scan', 'Append', 'Merge Append'].includes(parent.type) && limitedBelow(plan, parent))
  )
}

const equalities = new Set(['=', 'in', 'is null'])
const ranges = new Set(['<', '<=', '>', '>='])
/** Served by a predicate alone: most rows fulfil them, and an index is for the few. */
const excluding = new Set(['<>', 'not', 'is not null', 'is true'])

/**
 * The indexes that could serve a need, best first: a btree whose keys are what is compared with =, then the order, then ranges; another
 * method for operators that the catalog gives to it; a partial index for what excludes rows by a constant. Each only with an operator that
 * pg_amop lists for the type of the column, or with an expression, which trial.ts tries.
 */
export function candidates(need: Need, catalog: TableCatalog, parameters: readonly string[]): readonly Candidate[] {
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
  const partial = asked.filter(({ one }) => excluding.has(one.operator) && fixed(one, parameters))
  const where =
    partial.length === 0 ? null : partial.map(({ conjunct }) => ownText(conjunct.text, need.alias)).join(' and ')
  const listed = asked.filter(({ one }) => one.operator === 'in').map(({ one }) => quoted(one.column))
  const [equalKeys, rangeKeys] = [equal, ranged].map((list) => list.map(({ key }) => key))
  const serves = [...equal, ...ranged].map(({ conjunct }) => conjunct)
  const btree = (keys: readonly (readonly string[] | undefined)[], ordered: boolean): readonly Candidate[] => {
    const own = distinct(keys.flatMap((part) => part ?? [])).slice(0, 5)
    const found = { method: 'btree', keys: own, where: null, serves, ordered: ordered && order.length > 0 }
    return own.length > 0 && (serves.length > 0 || found.ordered) ? [found] : []
  }
  const keys = distinct([...(equalKeys ?? []), ...order, ...(rangeKeys ?? [])]).slice(0, 5)
  const others = asked.flatMap(({ one, conjunct }) => otherMethod(one, conjunct, catalog))
  // Arithmetic leaves as many values as it likes: `id % 7` finds a seventh of the rows.
  const vague = serves.length > 0 && [...equal, ...ranged].every(({ key }) => /^\(.* [-+*/%&|#] /s.test(key))
  return [
    ...(vague ? others : []),
    ...(where !== null && equal.length === 0
      ? [
          partialOn(
            keys,
            partial[0]?.one.column ?? '',
            where,
            [...serves, ...partial.map(({ conjunct }) => conjunct)],
            order.length > 0,
          ),
        ]
      : []),
    ...btree([equalKeys, order, rangeKeys], true),
    // Values of a list come in the order of the list: the order first then.
    ...(order.length > 0 && listed.length > 0
      ? btree([equalKeys?.filter((key) => !listed.includes(key)), order, listed, rangeKeys], true)
      : []),
    ...(order.length > 0 ? btree([equalKeys, rangeKeys], false) : []),
    ...(vague ? [] : others),
  ]
}

/** True for a candidate that the table already has: it is no remedy. */
export function exists(candidate: Candidate, { indexes }: TableCatalog): boolean {
  return indexes.some((index) => same(index, candidate))
}

function partialOn(
  keys: readonly string[],
  column: string,
  where: string,
  serves: readonly Conjunct[],
  ordered: boolean,
): Candidate {
  return { method: 'btree', keys: keys.length === 0 ? [quoted(column)] : keys, where, serves, ordered }
}

/** A column that btree orders, or an expression; null where the comparison is of neither. */
function btreeKey(one: Comparison, { columns, operators }: TableCatalog): string | null {
  if (computes(one, columns)) {
    const expression = one.computed?.expression ?? null
    if (expression === null || one.computed?.name === 'date_trunc' || solvable(one)) return null
    return one.computed?.kind === 'function' ? expression : `(${expression.replace(/^\((.*)\)$/s, '$1')})`
  }
  const name = one.operator === 'in' || one.operator === 'is null' ? '=' : one.operator
  const served = operators.some(
    ({ column, operator, method, default: usual }) =>
      column === one.column && operator === name && method === 'btree' && usual,
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
  const prefix = one.operator === '~~' && /^[^%_\\]/.test(one.constant ?? '')
  const like: Candidate[] = prefix
    ? [
        {
          method: 'btree',
          keys: [`${quoted(one.column)} ${patternOps(columns.get(one.column)?.type ?? '')}`],
          where: null,
          serves: [conjunct],
          ordered: false,
        },
      ]
    : []
  if (best === undefined) return like
  const key = best.default ? quoted(one.column) : `${quoted(one.column)} ${best.opclass}`
  return [...like, { method: best.method, keys: [key], where: null, serves: [conjunct], ordered: false }]
}

function patternOps(type: string): string {
  return type === 'character varying'
    ? 'varchar_pattern_ops'
    : type === 'character'
      ? 'bpchar_pattern_ops'
      : 'text_pattern_ops'
}

/** True for a comparison with what the text of the query says itself: an index may have that in its predicate. */
function fixed(one: Comparison, parameters: readonly string[]): boolean {
  if (one.operator === 'is not null' || one.operator === 'is true' || one.operator === 'not')
    return one.computed === null
  return one.parameter === null && one.constant !== null && one.computed === null && !parameters.includes(one.constant)
}

/** An index of the same method, predicate and keys; the keys that are compared with = in any order. */
function same(index: IndexFacts, { method, keys, where }: Candidate): boolean {
  if (index.method !== method || (index.predicate === null) !== (where === null)) return false
  const own = index.keys.map(plain)
  return (
    keys.every((key, at) => own[at] === plain(key)) ||
    (keys.length <= own.length && keys.every((key) => own.slice(0, keys.length).includes(plain(key))))
  )
}

function plain(key: string): string {
  return key.toLowerCase().replaceAll(/[\s()"]|::text| asc\b/g, '')
}
