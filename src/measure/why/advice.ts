import { comparisonsOf, readCondition } from '../../sql/rewrite/condition.js'
import type { Rewrite } from '../../sql/rewrite/rewrite-places.js'
import { tableOf, type PlanNode } from '../plan/plan-node.js'
import { joinCastCounts } from '../rules/join-rules.js'
import { type RuleFinding } from '../rules/rule.js'
import { seqScanReason, type WithoutSeqScan } from './without-seq-scan.js'
import { provenRewrites, rewriteText, type Proven } from './rewriting.js'
import { readCatalog, type Catalog } from './catalog.js'
import { advisedText } from './advised-text.js'
import { foreignKeyReason } from './foreign-key.js'
import { joinAdvice, offsetAdvice, remedies } from './index-remedy.js'
import { needOf, withBitmapConditions, withIndexOrder, withJoinCondition } from './need.js'
import { joinEstimate } from './join-estimate.js'
import { statisticsReason } from './statistics-trial.js'

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
    if (found?.relation === '' && finding.code === 'MISESTIMATE') {
      told.push({ ...finding, hint: (await joinEstimate(counterpart, found)) ?? finding.hint })
      continue
    }
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
      const hint = catalog === null ? null : await statisticsReason(counterpart, node, catalog)
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
  if (joined.has(finding.code))
    return (await advisedText(counterpart, catalog.root)) ?? joinAdvice(counterpart, need, node, catalog)
  if (rewrite !== undefined)
    return rewriteText(rewrite, rewrite.times === null ? indexFor(rewrite.rewrite, catalog) : null)
  const reason =
    finding.code === 'SEQ_SCAN' || finding.code === 'NOT_PRUNED' ? await seqScanReason(counterpart, node) : null
  // Where the planner is wrong about an index that serves, no other one is the remedy.
  if (reason?.index === 'passed over') return reason.text
  if (finding.code === 'TOPN_SORT' && need.order.length === 0) return null
  const remedy = (await advisedText(counterpart, catalog.root)) ?? (await remedies(counterpart, need, catalog))
  // What no index begins with is no matter where the remedy is one of other columns.
  const missing = reason?.missing ?? null
  const told = missing !== null && remedy !== null && !remedy.includes(missing) ? '' : (reason?.text ?? '')
  const parts = [told, remedy ?? ''].filter((part) => part !== '')
  if (parts.length > 0) return parts.join('; ')
  const kept = finding.code === 'ROWS_REMOVED' ? await seqScanReason(counterpart, node) : null
  if (kept?.index === 'none') return kept.text
  return `no index on ${catalog.root} serves it: what its Filter asks cannot be searched, or is met by most rows`
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
