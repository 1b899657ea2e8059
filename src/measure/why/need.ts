import { partTexts, readCondition, type Condition } from '../../sql/rewrite/condition.js'
import { tableOf, type PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { orderAbove } from '../rules/order.js'
import { scannedWhole } from '../rules/join-rules.js'
import { ancestors } from '../rules/rule.js'
import type { IndexFacts } from '../sample/indexes.js'
import { quoted } from './serves-text.js'

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
  /** So many rows are taken of those; null without a Limit. */
  readonly limit: number | null
  /** Tables that its conditions name besides, as a join does: `schema.table` by alias. */
  readonly others: ReadonlyMap<string, string>
}

/** An index that could serve a need; what PostgreSQL says of it is for trial.ts to find out. */
export interface Candidate {
  readonly method: string
  /** SQL of each key, with its opclass. */
  readonly keys: readonly string[]
  readonly where: string | null
  /** Conditions that it is to be searched by, or that imply its predicate. */
  readonly serves: readonly Conjunct[]
  /** Those of them that its predicate holds. */
  readonly implied: readonly Conjunct[]
  /** Those that bound what is read of it: what stands behind the order only leaves rows out. */
  readonly bounds: readonly Conjunct[]
  /** Its keys end with the order of the need. */
  readonly ordered: boolean
  /** So many keys at the beginning are compared with =, and may stand in any order. */
  readonly equal: number
}

/** What a node asks, as far as the text of its conditions tells. */
export async function needOf(plan: QueryPlan, node: PlanNode, table: string): Promise<Need> {
  const texts = [node.indexCondition, node.filter].flatMap((text) => partTexts(text, 'AND'))
  return {
    table,
    alias: node.alias,
    conjuncts: await readConjuncts(texts),
    order: orderAbove(plan, node)?.keys ?? [],
    limit: limitOf(plan, node),
    others: new Map(
      plan.nodes.flatMap((one) =>
        one.relation === '' || one.alias === node.alias ? [] : [[one.alias, tableOf(one)] as const],
      ),
    ),
  }
}

function limitOf(plan: QueryPlan, node: PlanNode): number | null {
  const limit = ancestors(plan, node).find(({ type }) => type === 'Limit')
  return limit === undefined ? null : Math.max(limit.rowsPerLoop, limit.estimatedRows)
}

/** A Bitmap Heap Scan asks what the scans of indexes below it ask; of several it is not told which of them must hold. */
export function withBitmapConditions(plan: QueryPlan, node: PlanNode): PlanNode {
  if (node.type !== 'Bitmap Heap Scan') return node
  const below = (id: number): readonly string[] => {
    const child = plan.nodes[id]
    if (child === undefined || child.type === 'BitmapOr') return []
    return child.type === 'Bitmap Index Scan' ? [child.indexCondition] : child.children.flatMap(below)
  }
  return { ...node, indexCondition: allOf(node.children.flatMap(below)) }
}

/** Conditions as one, as EXPLAIN prints it. */
export function allOf(conditions: readonly string[]): string {
  const parts = conditions.flatMap((text) => partTexts(text, 'AND'))
  return parts.length <= 1 ? (parts[0] ?? '') : `(${parts.join(' AND ')})`
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

/** The inner side of a nested loop, with what the join asks of it. */
export function withJoinCondition(plan: QueryPlan, node: PlanNode): PlanNode {
  const loop = ancestors(plan, node).find(({ type }) => !['Materialize', 'Memoize'].includes(type))
  return loop?.type === 'Nested Loop' ? { ...node, filter: allOf([node.filter, loop.joinFilter]) } : node
}

/** The tables that the nested loop above reads whole, but this one. */
export function otherSides(plan: QueryPlan, node: PlanNode): readonly PlanNode[] {
  const loop = ancestors(plan, node).find(({ type }) => type === 'Nested Loop')
  return loop === undefined ? [] : scannedWhole(plan, loop).filter(({ id }) => id !== node.id)
}
