import type { PlanNode } from '../measure/plan/plan-node.js'
import type { QueryPlan } from '../measure/plan/query-plan.js'
import { readIndexes } from '../measure/sample/indexes.js'
import type { Limits } from '../measure/sample/limits.js'
import { isSaid } from '../measure/sample/said.js'
import { smallPages } from '../measure/sample/tables.js'
import { readCatalog, type Catalog } from '../measure/why/catalog.js'
import {
  allOf,
  armsOf,
  needOf,
  withBitmapConditions,
  type Candidate,
  type Conjunct,
  type Need,
} from '../measure/why/need.js'
import { candidates, fixed } from '../measure/why/serves.js'
import { bare, ownText, quoted } from '../measure/why/serves-text.js'
import type { Session } from '../server/session/session.js'
import { comparisonsOf, conjuncts, partTexts, readCondition } from '../sql/rewrite/condition.js'
import type { Present } from '../twin/suppose/suppose.js'
import type { Engine } from '../twin/twin.js'
import { brinCandidates } from './brin.js'
import { groupingAbove } from './grouping.js'
import { withTrigrams } from './trigrams.js'

/** A query with what one run of it counts for. */
export interface Weighed {
  readonly present: Present
  readonly weight: number
}

/** What a scan of a query asks of its table, with indexes that could give it, best first. */
export interface Ask {
  readonly weighed: Weighed
  readonly node: PlanNode
  readonly catalog: Catalog
  readonly asked: readonly { readonly need: Need; readonly candidate: Candidate }[]
  /** Columns by which it leaves rows out, for values that the query does not say itself: no predicate can name them. */
  readonly unsaid: readonly string[]
}

/** Of each scan of a large table in these query plans; `trigrams`: as if pg_trgm were there. Reads the catalog of the source alone. Throws the server's errors. */
export async function asksOf(
  session: Session,
  twin: Engine,
  queries: readonly Weighed[],
  limits: Limits,
  trigrams: boolean,
): Promise<readonly Ask[]> {
  const asks: Ask[] = []
  for (const weighed of queries) {
    const { here, subject } = weighed.present
    const said = (text: string) => isSaid(subject, text)
    for (const node of here.nodes.filter((one) => isLargeScan(one, twin))) {
      const asked = withBitmapConditions(here, node)
      const indexes = await readIndexes(session, [node], [], limits)
      const read = await readCatalog({ session, limits, indexes, foreign: false }, asked)
      const catalog = trigrams ? withTrigrams(read) : read
      const needs = await needsOf(here, asked, catalog.root)
      const found = needs.flatMap((need) =>
        [...candidates(need, catalog, said).flatMap(turned), ...brinCandidates(need, node, twin)].map((candidate) => ({
          need,
          candidate,
        })),
      )
      asks.push({ weighed, node, catalog, asked: found, unsaid: unsaidIn(needs, said) })
    }
  }
  const recurring = recurringIn(asks)
  return asks.map((ask) => ({
    ...ask,
    asked: [...ask.asked, ...ask.asked.flatMap((one) => partially(one, recurring.get(ask.catalog.root) ?? new Set()))],
  }))
}

/** Columns by which these leave rows out, for a value that the query does not say itself. */
function unsaidIn(needs: readonly Need[], said: (text: string) => boolean): readonly string[] {
  const columns = needs.flatMap(({ conjuncts: all, alias }) =>
    all.flatMap(({ text, condition }) =>
      conjuncts(condition).flatMap((one) =>
        (one.alias === alias || one.alias === '') && one.operator === '<>' && one.computed === null && !said(text)
          ? [one.column]
          : [],
      ),
    ),
  )
  return [...new Set(columns)]
}

/** By table the conditions `column = constant` that several queries say themselves, as the predicate of an index has them. */
function recurringIn(asks: readonly Ask[]): ReadonlyMap<string, ReadonlySet<string>> {
  const queries = new Map<string, Map<string, Set<string>>>()
  for (const { weighed, catalog, asked } of asks) {
    const { subject, name } = weighed.present
    const said = queries.get(catalog.root) ?? new Map<string, Set<string>>()
    for (const { need } of asked)
      for (const conjunct of need.conjuncts)
        if (isEquality(conjunct, need) && isSaid(subject, conjunct.text)) {
          const text = ownText(conjunct.text, need.alias)
          said.set(text, (said.get(text) ?? new Set()).add(name))
        }
    queries.set(catalog.root, said)
  }
  return new Map(
    [...queries].map(([table, said]) => [
      table,
      new Set([...said].flatMap(([text, names]) => (names.size > 1 ? [text] : []))),
    ]),
  )
}

function isEquality({ condition }: Conjunct, { alias }: Need): boolean {
  const [one, more] = conjuncts(condition)
  return one !== undefined && more === undefined && one.alias === alias && one.operator === '=' && fixed(one)
}

/** The same for the rows alone that several queries ask for by a constant, which is no key then. */
function partially({ need, candidate }: Ask['asked'][number], recurring: ReadonlySet<string>): Ask['asked'] {
  if (candidate.method !== 'btree' || candidate.where !== null) return []
  return need.conjuncts.flatMap((conjunct) => {
    const where = ownText(conjunct.text, need.alias)
    const [one] = conjuncts(conjunct.condition)
    // Of an expression, or of two columns, nothing recurs that a key could be spared for.
    if (one === undefined || one.column === '' || !recurring.has(where)) return []
    const keys = candidate.keys.filter((key) => bare(key) !== quoted(one.column))
    if (keys.length === 0 || keys.length === candidate.keys.length) return []
    return [{ need, candidate: { ...candidate, keys, where, equal: candidate.equal - 1 } }]
  })
}

function isLargeScan(node: PlanNode, twin: Engine): boolean {
  if (node.schema === '' || node.relation === '' || !/Scan/.test(node.type)) return false
  const table = twin.table(node.schema, node.relation)
  return table !== undefined && table.bytes >= smallPages * 8192
}

/** What a node asks by itself, in each arm of an OR, and with what each join compares its columns with. */
async function needsOf(plan: QueryPlan, node: PlanNode, table: string): Promise<readonly Need[]> {
  const own = await needOf(plan, node, table)
  const joins = await joinConditions(plan, node.alias)
  const joined = joins.map(async (condition) =>
    needOf(plan, { ...node, filter: allOf([node.filter, condition]) }, table).then((need) => ({ ...need, order: [] })),
  )
  const grouping = own.order.length > 0 ? [] : groupingAbove(plan, node)
  const grouped = grouping.length === 0 ? [] : [{ ...own, order: grouping }]
  return [own, ...grouped, ...(await armsOf(own)), ...(await Promise.all(joined))]
}

/** Conditions of joins on columns of this alias, with that column first. */
async function joinConditions(plan: QueryPlan, alias: string): Promise<readonly string[]> {
  const texts = plan.nodes.flatMap(({ joinCondition }) => partTexts(joinCondition, 'AND'))
  const found: string[] = []
  for (const text of texts) {
    const sides = /^\(([\w."]+) = ([\w."]+)\)$/.exec(text)
    for (const turned of sides === null ? [] : [`(${sides[1]} = ${sides[2]})`, `(${sides[2]} = ${sides[1]})`]) {
      const condition = await readCondition(turned)
      const [first] = condition === null ? [] : comparisonsOf(condition)
      if (first !== undefined && first.alias === alias && !found.includes(turned)) found.push(turned)
    }
  }
  return found
}

/** The same keys with each of them first: another query may compare that one alone. Where an order is given they stay. */
function turned(candidate: Candidate): readonly Candidate[] {
  const { method, keys, ordered } = candidate
  if (method !== 'btree' || ordered || keys.length < 2) return [candidate]
  return keys.map((first) => ({ ...candidate, keys: [first, ...keys.filter((key) => key !== first)] }))
}
