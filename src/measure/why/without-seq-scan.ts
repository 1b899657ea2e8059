import type { Session } from '../../server/session/session.js'
import { comparisonsOf, readCondition, type Condition } from '../../sql/rewrite/condition.js'
import { readIndexes, type IndexFacts } from '../sample/indexes.js'
import { type PlanNode, count, tableOf } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { milliseconds } from '../rules/rule.js'
import { percent } from '../../text/amounts.js'
import { runBothWays, type BothWays } from '../sample/both-ways.js'
import { explainOnce } from '../sample/sample.js'
import type { Subject } from '../sample/subject.js'
import { sizeText, smallPages } from '../sample/tables.js'
import { readCatalog } from './catalog.js'
import { whyNoIndex, whyNotIndex, type FilterFacts } from './why-not.js'
import type { Limits } from '../sample/limits.js'
import { readForeignCode } from '../../catalog/trust.js'
import type { UnchosenIndex } from '../sample/measurement.js'

/** A query that ran, with its query plan and the one that it gets without sequential scans. */
export interface WithoutSeqScan {
  readonly session: Session
  readonly subject: Subject
  readonly limits: Limits
  readonly plan: QueryPlan
  readonly without: QueryPlan
  readonly indexes: readonly IndexFacts[]
  /** Planning what perfdb makes of the query would run somebody else's code with this role's rights: it then makes nothing of it. */
  readonly foreign: boolean
}

/**
 * The counterfactual: the query plan that the planner makes with enable_seqscan = off (a rolled-back transaction,
 * nothing runs), and the indexes of the tables. What the planner cannot do even then no index serves; what it can, it
 * chose not to do. Throws the server's errors.
 */
export async function withoutSeqScan(
  session: Session,
  subject: Subject,
  plan: QueryPlan,
  names: readonly string[],
  limits: Limits,
): Promise<WithoutSeqScan> {
  const without = await explainOnce(session, subject, 'plain', limits, noSeqScan)
  const indexes = await readIndexes(session, plan.nodes, names, limits)
  const foreign = (await readForeignCode(session, [subject.text])).flat().length > 0
  return { session, subject, limits, plan, without, indexes, foreign }
}

const noSeqScan = { enable_seqscan: 'off' }

/** Why each of these indexes is not used by the query plan. Throws the server's errors. */
export async function unchosenIndexes(
  counterpart: WithoutSeqScan,
  names: readonly string[],
): Promise<readonly UnchosenIndex[]> {
  const unchosen: UnchosenIndex[] = []
  for (const name of names) unchosen.push(await unchosenIndex(counterpart, name))
  return unchosen
}

async function unchosenIndex(counterpart: WithoutSeqScan, name: string): Promise<UnchosenIndex> {
  const facts = counterpart.indexes.find((index) => index.name === name)
  const none = { index: name, table: '', size: '', small: false, without: 'none', part: null } as const
  if (facts === undefined) return { ...none, reason: `there is no index ${name}: perfdb apply builds what is declared` }
  const { plan, without } = counterpart
  const taken = (index: IndexFacts, { indexes }: QueryPlan) => indexes.some((one) => isOrPart(one, index))
  const others = counterpart.indexes.filter((index) => index.table === facts.table && index.name !== name)
  // Reading a whole index instead of the table says nothing of conditions.
  const searched = without.nodes.filter((node) => node.indexCondition !== '').map((node) => node.index)
  return {
    index: name,
    table: facts.table,
    size: sizeText(facts),
    small: facts.pages < smallPages,
    without: taken(facts, without)
      ? 'this'
      : others.some((index) => searched.some((one) => isOrPart(one, index)))
        ? 'other'
        : 'none',
    part: plan.indexes.find((one) => facts.parts.includes(one)) ?? null,
    reason: await unchosenReason(counterpart, facts),
  }
}

function isOrPart(name: string, index: IndexFacts): boolean {
  return name === index.name || index.parts.includes(name)
}

async function unchosenReason(counterpart: WithoutSeqScan, facts: IndexFacts): Promise<string> {
  const { plan, without, indexes } = counterpart
  const nodes = plan.nodes.filter((node) => tableOf(node) === facts.table)
  const scan = nodes.find((node) => node.type === 'Seq Scan')
  if (nodes.length === 0) return `the query plan does not read ${facts.table}`
  if (without.indexes.some((one) => isOrPart(one, facts)) && scan !== undefined)
    return (await chosenReason(counterpart, scan, facts)).text
  const asked = nodes.find((node) => node.filter !== '') ?? nodes.find((node) => node.indexCondition !== '')
  const condition = await readCondition(asked?.filter || asked?.indexCondition || '')
  const blocked =
    condition === null || asked === undefined
      ? null
      : whyNotIndex(facts, await filterFacts(counterpart, asked, condition))
  const used = plan.nodes.filter(
    (node) => node.index !== '' && indexes.some((one) => isOrPart(node.index, one) && one.table === facts.table),
  )
  const instead = used.map((node) => node.index)
  if (blocked !== null) return blocked
  if (instead.length > 0) return `the planner uses ${[...new Set(instead)].join(', ')} instead`
  return `no condition of the query on ${facts.table} can be searched with ${facts.name} (${facts.keys.join(', ')})`
}

/** Why a whole table is read. */
export interface SeqScanReason {
  readonly text: string
  /**
   * none: no index serves the Filter; passed over: one does, and nothing says that the planner is right to take it for dearer; no better: one does, and
   * reading all is as good, or which is quicker cannot be told.
   */
  readonly index: 'none' | 'passed over' | 'no better'
  /** The column that no index of the table begins with, where that is the reason. */
  readonly missing: string | null
}

/** Why a whole table is read: no index serves the Filter, or one does and the planner thinks it dearer. Throws the server's errors. */
export async function seqScanReason(counterpart: WithoutSeqScan, node: PlanNode): Promise<SeqScanReason | null> {
  const table = tableOf(node)
  const indexes = counterpart.indexes.filter((index) => index.table === table)
  const condition = await readCondition(node.filter)
  const asked = new Set(condition === null ? [] : comparisonsOf(condition).map(({ column }) => column))
  const chosen = await searchable(counterpart.without, indexes, asked)
  if (chosen !== undefined) return chosenReason(counterpart, node, chosen)
  if (condition === null) return null
  const why = whyNoIndex(await filterFacts(counterpart, node, condition))
  return why === null ? null : { ...why, index: 'none' }
}

/**
 * The index that the query plan searches from its first key on, by one of the columns that are asked: to read it from end to end is no search, and to look up the
 * rows of a join serves another condition.
 */
async function searchable(
  plan: QueryPlan,
  indexes: readonly IndexFacts[],
  asked: ReadonlySet<string>,
): Promise<IndexFacts | undefined> {
  for (const { index: name, indexCondition } of plan.nodes) {
    const index = indexes.find((one) => one.name === name)
    const condition = index === undefined ? null : await readCondition(indexCondition)
    if (condition === null) continue
    const first = index?.columns[0] ?? ''
    if (first === '' || (asked.has(first) && comparisonsOf(condition).some(({ column }) => column === first)))
      return index
  }
  return undefined
}

/** The planner could use the index and reads the whole table: wrong numbers, few rows thrown away, or wrong costs. */
async function chosenReason(counterpart: WithoutSeqScan, scan: PlanNode, { name }: IndexFacts): Promise<SeqScanReason> {
  const { plan, without } = counterpart
  const costs = `cost ${count(plan.cost)} against ${count(without.cost)}`
  const passedOver = (text: string) =>
    ({ text: `the planner could use ${name}${text}`, index: 'passed over', missing: null }) as const
  const noBetter = (text: string) => ({ ...passedOver(text), index: 'no better' }) as const
  if (plan.executionMs === null) return passedOver(` and does not: ${costs}`)
  const kept = scan.rows / Math.max(1, scan.rows + scan.removedByFilter)
  const wrong = Math.max(scan.estimatedRows, 1) / Math.max(scan.rowsPerLoop, 1)
  if (wrong >= 10)
    return passedOver(
      ` and does not (${costs}): it expected ${count(scan.estimatedRows)} rows and got ${count(scan.rowsPerLoop)}; analyze ${tableOf(scan)}`,
    )
  if (scan.loops > 0 && kept > 0.2)
    return noBetter(` and does not (${costs}): ${percent(kept)} of the rows are wanted, and reading all is cheaper`)
  const both = await timeBoth(counterpart)
  if (both === null) return passedOver(` and does not: ${costs}`)
  const { asIs, other, runs, low } = both
  const times = `${milliseconds(other)} with it, ${milliseconds(asIs)} without (${runs} runs each, in turns)`
  if (!isKnown(both)) return noBetter(` and does not (${costs}); which is quicker cannot be told: ${times}`)
  return low >= worth
    ? passedOver(
        `, takes it for dearer (${costs}) and is wrong: ${times}; look at random_page_cost (1.1 suits SSDs) and effective_cache_size`,
      )
    : noBetter(` and rightly does not: ${times}`)
}

/** So many times as fast at least is quicker. */
const worth = 1.1

/** Whether it is known that the index is worth it, or is not. */
function isKnown({ low, high }: Pick<BothWays, 'low' | 'high'>): boolean {
  return low >= worth || high < worth
}

/** null when a run failed or met the timeout, which is ten times the known time. */
async function timeBoth({ session, subject, limits, plan }: WithoutSeqScan): Promise<BothWays | null> {
  const statementTimeoutMs = Math.min(limits.statementTimeoutMs, Math.max(1000, 10 * (plan.executionMs ?? 1000)))
  const run = async (set: Readonly<Record<string, string>>) =>
    explainOnce(session, subject, 'sample', { ...limits, statementTimeoutMs }, set)
  const without = async () => run(noSeqScan)
  // Its pages may not have been read for long.
  const warm = await without().catch(() => null)
  return warm === null ? null : runBothWays(async () => run({}), without, limits.timeBudgetMs, isKnown)
}

async function filterFacts(counterpart: WithoutSeqScan, node: PlanNode, condition: Condition): Promise<FilterFacts> {
  return { table: tableOf(node), condition, ...(await readCatalog(counterpart, node)) }
}
