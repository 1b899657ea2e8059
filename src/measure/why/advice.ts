import { comparisonsOf, readCondition } from '../../sql/rewrite/condition.js'
import type { Rewrite } from '../../sql/rewrite/rewrite-places.js'
import { parameterText } from '../../server/session/values.js'
import { foreignKeySql } from '../../sql/measure/explain-catalog.js'
import { tableOf, type PlanNode } from '../plan/plan-node.js'
import { rolledBack } from '../sample/sample.js'
import { catalogOnly } from '../sample/tables.js'
import { keysetAdvice } from '../rules/order-rules.js'
import { joinCastCounts } from '../rules/join-rules.js'
import { type RuleFinding } from '../rules/rule.js'
import { seqScanReason, type WithoutSeqScan } from './without-seq-scan.js'
import { fewestRows } from './estimate.js'
import { provenRewrites, rewriteText, type Proven } from './rewriting.js'
import { readCatalog, type Catalog } from './catalog.js'
import {
  armsOf,
  needOf,
  otherSides,
  withBitmapConditions,
  withIndexOrder,
  withJoinCondition,
  type Need,
} from './need.js'
import { candidates } from './serves.js'
import { existing } from './serves-index.js'
import { bare, createText, quoted } from './serves-text.js'
import { statisticsReason } from './statistics-trial.js'
import { tryIndexes } from './trial.js'

/** Codes whose advice the catalog, the empty copy and the planner are asked for. */
const advisedCodes = new Set([
  'SEQ_SCAN',
  'ROWS_REMOVED',
  'TOPN_SORT',
  'NOT_PRUNED',
  'JOIN_CAST',
  'MISESTIMATE',
  'NESTED_LOOP',
  'JOIN_FILTER',
  'LARGE_OFFSET',
  'TRIGGER_TIME',
])
/** Whose condition is that of a join. */
const joined = new Set(['NESTED_LOOP', 'JOIN_FILTER'])

/** True for findings that are worth the look. */
export function isAdvised({ code, node }: RuleFinding): boolean {
  return node !== undefined && advisedCodes.has(code)
}

/**
 * The findings with advice that was tried: an index that PostgreSQL builds on an empty copy and that the planner searches for these conditions; another
 * way to write the query that gave the same rows; statistics that mended the estimate. What cannot be helped so is said with its reason.
 * Findings that the catalog refutes are left out. Throws the server's errors.
 */
export async function advised(
  counterpart: WithoutSeqScan,
  findings: readonly RuleFinding[],
): Promise<readonly RuleFinding[]> {
  const told: RuleFinding[] = []
  const known = new Map<string, Promise<Catalog>>()
  const catalogOf = async (node: PlanNode) => {
    const table = tableOf(node)
    const found = known.get(table) ?? readCatalog(counterpart, node)
    known.set(table, found)
    return found
  }
  let proven: readonly Proven[] | null = null
  for (const finding of findings) {
    const found = isAdvised(finding) ? counterpart.plan.nodes[finding.node ?? -1] : undefined
    if (found === undefined || (found.relation === '' && finding.code !== 'ROWS_REMOVED')) {
      told.push(finding)
      continue
    }
    const node = (joined.has(finding.code) ? withJoinCondition : withBitmapConditions)(counterpart.plan, found)
    if (finding.code === 'TRIGGER_TIME') {
      told.push({ ...finding, hint: (await foreignKeyReason(counterpart, node)) ?? finding.hint })
      continue
    }
    const catalog = node.relation === '' ? null : await catalogOf(node)
    if (finding.code === 'JOIN_CAST') {
      if (catalog !== null && joinCastCounts(finding, catalog.columns)) told.push(finding)
      continue
    }
    if (finding.code === 'MISESTIMATE') {
      const hint = catalog === null ? null : await statisticsReason(counterpart, node, catalog.owned)
      told.push(hint === null ? finding : { ...finding, hint })
      continue
    }
    proven ??= await provenRewrites(counterpart, catalog?.columns ?? new Map())
    const hint = await adviceFor(counterpart, finding, node, catalog, proven)
    const table = catalog?.root ?? finding.table
    told.push({ ...finding, ...(table === undefined ? {} : { table }), ...(hint === null ? {} : { hint }) })
  }
  return told
}

async function adviceFor(
  counterpart: WithoutSeqScan,
  finding: RuleFinding,
  node: PlanNode,
  catalog: Catalog | null,
  proven: readonly Proven[],
): Promise<string | null> {
  const asked = await columnsAsked(node)
  const rewrite = proven.find(({ rewrite: one }) => applies(one, node, asked))
  if (catalog === null) return rewrite === undefined ? null : rewriteText(rewrite, null)
  const need = withIndexOrder(
    { ...(await needOf(counterpart.plan, node, catalog.root)) },
    counterpart.plan,
    node,
    catalog.indexes,
  )
  if (finding.code === 'LARGE_OFFSET') return offsetAdvice(counterpart, need, catalog)
  if (joined.has(finding.code)) return joinAdvice(counterpart, need, node, catalog)
  if (rewrite !== undefined) return rewriteText(rewrite, rewrite.faster ? null : indexFor(rewrite.rewrite, catalog))
  const reason =
    finding.code === 'SEQ_SCAN' || finding.code === 'NOT_PRUNED' ? await seqScanReason(counterpart, node) : null
  if (reason !== null && reason.startsWith('the planner could use')) return reason
  if (finding.code === 'TOPN_SORT' && need.order.length === 0) return null
  const remedy = await remedies(counterpart, need, catalog)
  const parts = [reason ?? '', remedy ?? ''].filter((part) => part !== '')
  if (parts.length > 0) return parts.join('; ')
  return `no index on ${catalog.root} serves it: what its Filter asks cannot be searched, or is met by most rows`
}

/** The page after the last row, by the order with the primary key behind it, and the index that gives it; null where the order is of no columns. */
async function offsetAdvice(counterpart: WithoutSeqScan, need: Need, catalog: Catalog): Promise<string | null> {
  const down = need.order.length > 0 && need.order.every((key) => / desc$/.test(key)) ? ' desc' : ''
  const key = catalog.indexes.find(({ primary }) => primary)?.columns ?? []
  const unique = key.filter((column) => !need.order.some((one) => bare(one) === quoted(column)))
  const order = [...need.order, ...unique.map((column) => `${quoted(column)}${down}`)]
  if (need.order.length === 0 || order.some((one) => (/ desc$/.test(one) ? ' desc' : '') !== down)) return null
  const remedy = await indexRemedy(counterpart, { ...need, order }, catalog)
  return [keysetAdvice(order), ...(remedy === null || remedy.text === '' ? [] : [`with ${remedy.text}`])].join('; ')
}

/** An index by which a nested loop looks up what it puts together: of this table, else of the other side. */
async function joinAdvice(
  counterpart: WithoutSeqScan,
  need: Need,
  node: PlanNode,
  catalog: Catalog,
): Promise<string | null> {
  const own = await indexRemedy(counterpart, need, catalog)
  if (own !== null) return own.index === undefined ? own.text : takenOtherwise(own.index)
  for (const side of otherSides(counterpart.plan, node)) {
    const other = await readCatalog(counterpart, withJoinCondition(counterpart.plan, side))
    const asked = await needOf(counterpart.plan, withJoinCondition(counterpart.plan, side), other.root)
    const remedy = await indexRemedy(counterpart, asked, other)
    if (remedy !== null) return remedy.index === undefined ? remedy.text : takenOtherwise(remedy.index)
  }
  return `no index on ${catalog.root} serves what the join compares`
}

/** What a foreign key costs the table that it refers to: an index that is missing, or the look-ups themselves. null where the catalog does not know it. */
async function foreignKeyReason({ session, limits, plan }: WithoutSeqScan, node: PlanNode): Promise<string | null> {
  const [slowest] = plan.triggers.toSorted((a, b) => b.totalMs - a.totalMs)
  const names = [node.schema, node.relation, slowest?.constraint ?? '']
  const [key] = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<{ readonly table: string; readonly columns: readonly string[]; readonly indexed: boolean }>(
      foreignKeySql,
      names,
    ),
  )
  if (key === undefined || node.operation === 'Insert') return null
  const columns = key.columns.map(quoted)
  return key.indexed
    ? `an index of ${key.table} has ${columns.join(', ')}: it is the look-ups themselves, one for each row; fewer rows a statement`
    : `${createText(key.table, { method: 'btree', keys: columns, where: null })}: without it each call reads the whole table`
}

/** Of each arm of an OR an index; where an arm is none of its own table, two queries. */
async function remedies(counterpart: WithoutSeqScan, need: Need, catalog: Catalog): Promise<string | null> {
  const whole = await indexRemedy(counterpart, need, catalog)
  if (whole !== null) return whole.index === undefined ? whole.text : takenOtherwise(whole.index)
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

function takenOtherwise(index: string): string {
  return `${index} could serve it, and the planner takes another way`
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
  const values = subject.values.flatMap((value) => parameterText(value) ?? [])
  const list = candidates(need, catalog, values)
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

function indexFor({ kind, about }: Rewrite, { root, indexes }: Catalog): string | null {
  if (kind === 'not materialized') return null
  const exists = indexes.some(
    ({ valid, method, columns, predicate }) =>
      valid && method === 'btree' && predicate === null && about.every((column, at) => columns[at] === column),
  )
  return exists ? null : `create index on ${root} (${about.join(', ')})`
}

function applies({ kind, about }: Rewrite, node: PlanNode, asked: ReadonlySet<string>): boolean {
  return kind === 'not materialized' ? about[0] === node.cteName : about.every((column) => asked.has(column))
}

async function columnsAsked(node: PlanNode): Promise<ReadonlySet<string>> {
  const condition = await readCondition(node.filter)
  return new Set(condition === null ? [] : comparisonsOf(condition).map(({ column }) => column))
}
