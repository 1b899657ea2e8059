import type { QueryFindingCode } from '../../codes/codes.js'
import { count, type PlanNode, tableOf } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'

/** What a rule found in a query plan; the query's name and place are added by queryFindings. */
export interface RuleFinding {
  readonly code: QueryFindingCode
  readonly severity: 'warning' | 'info'
  readonly message: string
  readonly hint: string
  readonly table?: string
  readonly index?: string
  /** Which node of the query plan it is about, where advice may look at the table. */
  readonly node?: number
}

/** A query plan of EXPLAIN (ANALYZE, VERBOSE, BUFFERS) with what the rules need besides it. */
export interface Evidence {
  readonly plan: QueryPlan
  /** server_version_num */
  readonly versionNum: number
  /** Medians of the samples: the one run with TIMING ON is slower (by 51 to 89 % for a join of 500,000 rows). */
  readonly medianPlanningMs: number
  readonly medianExecutionMs: number
}

export type Rule = (evidence: Evidence) => readonly RuleFinding[]

/** The members that name table and index, left out where the node has none. */
export function subjectOf(node: PlanNode): { readonly table?: string; readonly index?: string } {
  const table = tableOf(node)
  return { ...(table === '' ? {} : { table }), ...(node.index === '' ? {} : { index: node.index }) }
}

export function nodeAt(plan: QueryPlan, id: number | null | undefined): PlanNode | undefined {
  return typeof id === 'number' ? plan.nodes[id] : undefined
}

/** Upwards: the parent first. */
export function ancestors(plan: QueryPlan, node: PlanNode): readonly PlanNode[] {
  const parent = nodeAt(plan, node.parent)
  return parent === undefined ? [] : [parent, ...ancestors(plan, parent)]
}

export function blocksOf(node: PlanNode): number {
  return node.buffers.hit + node.buffers.read
}

/** Blocks of the node alone: those of a sub-query in its Filter are counted in blocksOf. */
export function ownBlocksOf(plan: QueryPlan, node: PlanNode): number {
  return blocksOf(node) - node.children.reduce((sum, id) => sum + blocksBelow(plan, id), 0)
}

function blocksBelow(plan: QueryPlan, id: number): number {
  const child = plan.nodes[id]
  return child === undefined ? 0 : blocksOf(child)
}

/** `12.3 ms` */
export function milliseconds(value: number): string {
  return `${value < 1 ? value.toFixed(3) : value.toFixed(1)} ms`
}

/** The part of the execution time that these ms are, 0 to 1; null for a query plan without times. */
export function shareOf({ executionMs, options }: QueryPlan, ms: number): number | null {
  if (executionMs === null || !options.timing) return null
  return Math.min(1, Math.max(0, ms / Math.max(executionMs, 0.001)))
}

/** A warning, but for what takes little of the time. */
export function severityOf(share: number | null): 'warning' | 'info' {
  return share !== null && share < smallShare ? 'info' : 'warning'
}

const smallShare = 0.05

/**
 * Rows that a node gave, as text. Up to 17 rows of several loops are rounded to whole numbers of each loop: `hardly any` for 0, unless the
 * Gather above it counted them.
 */
export function rowsText({ plan, versionNum }: Pick<Evidence, 'plan' | 'versionNum'>, node: PlanNode): string {
  const parent = nodeAt(plan, node.parent)
  if (parent?.type.startsWith('Gather') === true && parent.loops === 1) return count(parent.rows)
  if (versionNum >= 180_000 || node.loops <= 1 || node.rowsPerLoop >= 5) return count(node.rows)
  return node.rowsPerLoop === 0 ? 'hardly any' : `about ${count(node.rows)}`
}

/** A condition of one line that fits in a message. */
export function shortened(text: string): string {
  return text.length > 160 ? `${text.slice(0, 157)}...` : text
}

/** A query plan names indexes without their schema. */
export function unqualified(index: string): string {
  return index.slice(index.lastIndexOf('.') + 1)
}
