import { stoppedEarly } from './estimate-rules.js'
import { plainAdvice } from './plain-advice.js'
import { ancestors, ownBlocksOf, rowsText, severityOf, shareOf, shortened, subjectOf, type Rule } from './rule.js'
import { percent } from '../../text/amounts.js'
import { count, tableOf, type PlanNode } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { smallPages } from '../sample/tables.js'

/** A page of 8 kB holds 291 rows at most: so many rows lie on 100 blocks at least, whether BUFFERS counted them or not. */
const rowsOfHundredBlocks = 29_100

/**
 * SEQ_SCAN: a Seq Scan that reads 100 blocks or more and throws away 90 % and 1,000 of its rows or more. A note where it takes under 5 %
 * of the time.
 */
export const seqScan: Rule = (evidence) =>
  evidence.plan.nodes.flatMap((node) => {
    const { plan } = evidence
    const removed = node.removedByFilter
    const share = removed / Math.max(1, node.rows + removed)
    if (node.type !== 'Seq Scan' || removed < 1000 || share < 0.9) return []
    const blocks = plan.options.buffers ? ownBlocksOf(plan, node) : null
    if (blocks === null ? removed / loopsOver(node) < rowsOfHundredBlocks : blocks < 100) return []
    const time = shareOf(plan, node.selfMs)
    const numbers = [
      ...(blocks === null ? [] : [`${count(blocks)} blocks`]),
      ...(time === null ? [] : [`${percent(time)} of the time`]),
    ]
    return [
      {
        code: 'SEQ_SCAN',
        severity: severityOf(time),
        ...subjectOf(node),
        node: node.id,
        message: `reads all of ${tableOf(node)}${numbers.length === 0 ? '' : ` (${numbers.join(', ')})`} and throws away ${count(removed)} rows to keep ${rowsText(evidence, node)}: Filter ${shortened(node.filter)}`,
        hint: plainAdvice(plan, node),
      },
    ]
  })

/** Workers share one scan; other loops read the table anew. */
function loopsOver(node: PlanNode): number {
  return node.parallel ? 1 : Math.max(1, node.loops)
}

/**
 * SEQ_SCAN_OK: a Filter that no index would serve better, since the table has fewer than 50 blocks or more than 20 % of
 * its rows are wanted. Said so that nobody builds one; not where a Limit, a sort for the first rows or an aggregate above takes few of
 * those rows, for then an index in that order, or one that holds all columns, is another matter.
 */
export const seqScanOk: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.type !== 'Seq Scan' || node.filter === '' || node.loops === 0 || plan.executionMs === null) return []
    if ((node.loops > 1 && !node.parallel) || stoppedEarly(plan, node) || !plan.options.buffers) return []
    const kept = node.rows / Math.max(1, node.rows + node.removedByFilter)
    const small = ownBlocksOf(plan, node) < smallPages
    if (!small && (kept <= 0.2 || narrowed(plan, node))) return []
    const why = small ? `has ${count(ownBlocksOf(plan, node))} blocks` : `gives ${percent(kept)} of its rows`
    return [
      {
        code: 'SEQ_SCAN_OK',
        severity: 'info',
        ...subjectOf(node),
        message: `reading all of ${tableOf(node)} is right: it ${why}`,
        hint:
          !small && ancestors(plan, node).some(isPlain)
            ? `no index on ${tableOf(node)} finds them sooner; one that holds all columns that are read could be read instead`
            : `no index on ${tableOf(node)} would help this query`,
      },
    ]
  })

/** Few rows are taken of those that the scan gives, or only counted: by a Limit, a join, or an aggregate without groups of one table. */
function narrowed(plan: QueryPlan, node: PlanNode): boolean {
  const above = ancestors(plan, node)
  if (above.some(({ type, rows }) => /Limit|Join|Nested Loop/.test(type) && rows * 10 <= node.rows)) return true
  const joined = above.findIndex(({ children }) => children.length > 1)
  const alone = joined < 0 ? above : above.slice(0, joined)
  return alone.some((at) => isPlain(at) && (indexOnly(node) || at.output.every((text) => /(?:min|max)\(/.test(text))))
}

function isPlain({ type, strategy }: PlanNode): boolean {
  return type === 'Aggregate' && strategy === 'Plain'
}

/** Columns of the condition alone are read: an index on them would hold all that is needed. */
function indexOnly(node: PlanNode): boolean {
  return node.output.every((column) => /^[\w."]+$/.test(column) && node.filter.includes(column))
}

/** INDEX_RECHECK: 1,000 rows or more that an index found (GIN, trigrams, hash) and the table did not confirm. */
export const indexRecheck: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.removedByRecheck < 1000 || node.lossyBlocks > 0) return []
    return [
      {
        code: 'INDEX_RECHECK',
        severity: 'info',
        ...subjectOf(node),
        message: `the index finds ${count(node.rows + node.removedByRecheck)} rows of ${tableOf(node)}, of which ${count(node.removedByRecheck)} do not hold on a second look`,
        hint: `an opclass or an index on ${tableOf(node)} that is more exact, or a longer pattern`,
      },
    ]
  })

/** SKIP_SCAN: 18 skips through an index whose leading column the query does not compare, 100 times or more. */
export const skipScan: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.indexSearches <= 100 || node.indexSearches <= 10 * node.loops || / ANY /.test(node.indexCondition))
      return []
    return [
      {
        code: 'SKIP_SCAN',
        severity: 'info',
        ...subjectOf(node),
        message: `${node.type} descends ${count(node.indexSearches)} times into ${node.index}: the query does not compare its leading column`,
        hint: `an index on ${tableOf(node)} that begins with what is compared: ${shortened(node.indexCondition)}`,
      },
    ]
  })

const filteredScans = ['Index Scan', 'Index Only Scan', 'Bitmap Heap Scan']

/** ROWS_REMOVED: an index finds rows of which half and 1,000 or more fail the Filter. */
export const rowsRemoved: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const removed = node.removedByFilter
    const share = removed / Math.max(1, node.rows + removed)
    if (!filteredScans.includes(node.type) || removed < 1000 || share < 0.5) return []
    return [
      {
        code: 'ROWS_REMOVED',
        severity: severityOf(shareOf(plan, node.selfMs)),
        ...subjectOf(node),
        node: node.id,
        message: `${node.type} on ${tableOf(node)} finds ${count(node.rows + removed)} rows and throws away ${count(removed)} of them (${percent(share)}): Filter ${shortened(node.filter)}`,
        hint: plainAdvice(plan, node),
      },
    ]
  })

/** ROWS_REMOVED of a CTE: what is asked outside is dropped row by row after all of it was computed. */
export const cteRowsRemoved: Rule = (evidence) =>
  evidence.plan.nodes.flatMap((node) => {
    const removed = node.removedByFilter
    const share = removed / Math.max(1, node.rows + removed)
    if (node.type !== 'CTE Scan' || removed < 1000 || share < 0.5) return []
    return [
      {
        code: 'ROWS_REMOVED',
        severity: 'warning',
        node: node.id,
        message: `the CTE ${node.cteName} is computed whole, and its scan throws away ${count(removed)} rows to keep ${rowsText(evidence, node)}: Filter ${shortened(node.filter)}`,
        hint: `put the condition inside ${node.cteName}, or write with ${node.cteName} as not materialized (...): then the planner does`,
      },
    ]
  })

/** HEAP_FETCHES: an Index Only Scan that looks into the table for 100 rows or more, over 10 % of what it reads. */
export const heapFetches: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const share = node.heapFetches / Math.max(1, node.rows + node.removedByFilter)
    if (node.type !== 'Index Only Scan' || node.heapFetches < 100 || share <= 0.1) return []
    return [
      {
        code: 'HEAP_FETCHES',
        severity: share > 0.4 ? 'warning' : 'info',
        ...subjectOf(node),
        message: `Index Only Scan on ${tableOf(node)} looks into the table ${count(node.heapFetches)} times for ${count(node.rows)} rows: its pages are not marked all-visible`,
        hint: `vacuum ${tableOf(node)}; if it comes back, let autovacuum run on it more often (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor)`,
      },
    ]
  })

/** LOSSY_BITMAP: a bitmap that did not fit in work_mem, so that whole blocks are checked again row by row. */
export const lossyBitmap: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.lossyBlocks === 0) return []
    return [
      {
        code: 'LOSSY_BITMAP',
        severity: 'warning',
        ...subjectOf(node),
        message: `Bitmap Heap Scan on ${tableOf(node)} kept only block numbers for ${count(node.lossyBlocks)} blocks: the bitmap did not fit in work_mem`,
        hint: `more work_mem for this role, or an index on ${tableOf(node)} that finds fewer rows`,
      },
    ]
  })
