import type { PlanNode } from '../plan/plan-node.js'
import { keysetAdvice } from '../rules/order-rules.js'
import { isSaid } from '../sample/said.js'
import { readCatalog, type Catalog } from './catalog.js'
import { fewestRows } from './estimate.js'
import { armsOf, needOf, otherSides, withJoinCondition, type Need } from './need.js'
import { candidates } from './serves.js'
import { existing } from './serves-index.js'
import { bare, createText, quoted } from './serves-text.js'
import { tryIndexes } from './trial.js'
import type { WithoutSeqScan } from './without-seq-scan.js'

/** Of each arm of an OR an index; where an arm is none of its own table, two queries. */
export async function remedies(counterpart: WithoutSeqScan, need: Need, catalog: Catalog): Promise<string | null> {
  const whole = await indexRemedy(counterpart, need, catalog)
  if (whole !== null) return adviceOf(whole)
  const arms = await armsOf(need)
  if (arms.length === 0) return null
  const union =
    'write its arms as queries of their own, joined by UNION: each then finds its rows by an index (not proven equal: UNION also drops equal rows)'
  if (arms.some(({ conjuncts }) => conjuncts.every(({ condition }) => condition.kind === 'other'))) return union
  const found: (Remedy | null)[] = []
  for (const arm of arms) found.push(await indexRemedy(counterpart, arm, catalog))
  return found.includes(null)
    ? null
    : [...new Set(found.flatMap((one) => (one === null || one.text === '' ? [] : [one.text])))].join('; ')
}

function adviceOf({ index, text }: Remedy): string {
  return index === undefined ? text : `${index} could serve it, and the planner takes another way`
}

interface Remedy {
  /** Empty where the index exists. */
  readonly text: string
  /** The one that exists. */
  readonly index?: string
}

/**
 * The first candidate that PostgreSQL and the planner take, unless the table has it; where nothing can be tried, one of plain columns that
 * the catalog vouches for.
 */
async function indexRemedy(
  { session, subject, limits, foreign }: WithoutSeqScan,
  need: Need,
  catalog: Catalog,
): Promise<Remedy | null> {
  const list = candidates(need, catalog, (text) => isSaid(subject, text))
  const trials = await tryIndexes(session, need, catalog.owner, list, { values: subject.values, limits })
  const able = list.filter(
    ({ method, keys, where }, place) =>
      trials[place] === 'taken' ||
      (trials[place] === 'unknown' &&
        method === 'btree' &&
        where === null &&
        keys.every((key) => /^[\w$ ]+$/.test(key))),
  )
  const best = foreign ? able[0] : await fewestRows(session, need, able, { values: subject.values, limits })
  if (best === undefined) return null
  const here = existing(best, catalog)
  if (here !== undefined) return { text: '', ...(here.valid ? { index: here.name } : {}) }
  const how =
    trials[list.indexOf(best)] === 'taken'
      ? 'tried on an empty copy: the planner takes it'
      : foreign
        ? 'not tried: its conditions may run code of other roles, and are not planned here'
        : 'not tried: no empty copy can be made here'
  return { text: `${createText(need.table, best)} (${how})` }
}

/** The page after the last row, by the order with the primary key behind it, and the index that gives it; null where the order is of no columns. */
export async function offsetAdvice(counterpart: WithoutSeqScan, need: Need, catalog: Catalog): Promise<string | null> {
  const down = need.order.length > 0 && need.order.every((key) => key.endsWith(' desc')) ? ' desc' : ''
  const key = catalog.indexes.find(({ primary }) => primary)?.columns ?? []
  const unique = key.filter((column) => !need.order.some((one) => bare(one) === quoted(column)))
  const order = [...need.order, ...unique.map((column) => `${quoted(column)}${down}`)]
  if (need.order.length === 0 || order.some((one) => (one.endsWith(' desc') ? ' desc' : '') !== down)) return null
  const remedy = await indexRemedy(counterpart, { ...need, order }, catalog)
  return [keysetAdvice(order), ...(remedy === null || remedy.text === '' ? [] : [`with ${remedy.text}`])].join('; ')
}

/** An index by which a nested loop looks up what it puts together: of this table, else of the other side. */
export async function joinAdvice(
  counterpart: WithoutSeqScan,
  need: Need,
  node: PlanNode,
  catalog: Catalog,
): Promise<string | null> {
  const own = await indexRemedy(counterpart, need, catalog)
  if (own !== null) return adviceOf(own)
  for (const side of otherSides(counterpart.plan, node)) {
    const joined = withJoinCondition(counterpart.plan, side)
    const other = await readCatalog(counterpart, joined)
    const remedy = await indexRemedy(counterpart, await needOf(counterpart.plan, joined, other.root), other)
    if (remedy !== null) return adviceOf(remedy)
  }
  return `no index on ${catalog.root} serves what the join compares`
}
