import { conditionColumns } from '../plan/columns.js'
import { type PlanNode, count, tableOf } from '../plan/plan-node.js'
import { stoppedEarly } from './estimate-rules.js'
import { ownBlocksOf, shortened, subjectOf, type Rule } from './rule.js'
import { percent } from '../../text/amounts.js'
import { smallPages } from '../sample/tables.js'

/** SEQ_SCAN: a Seq Scan that reads 100 blocks or more and throws away 90 % and 1,000 of its rows or more. */
export const seqScan: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const removed = node.removedByFilter
    const share = removed / Math.max(1, node.rows + removed)
    if (node.type !== 'Seq Scan' || removed < 1000 || share < 0.9 || ownBlocksOf(plan, node) < 100) return []
    const time = plan.executionMs === null ? 0 : node.selfMs / Math.max(plan.executionMs, 0.001)
    return [
      {
        code: 'SEQ_SCAN',
        severity: 'warning',
        ...subjectOf(node),
        message: `reads all of ${tableOf(node)} (${count(ownBlocksOf(plan, node))} blocks, ${percent(Math.min(1, time))} of the time) and throws away ${count(removed)} rows to keep ${count(node.rows)}: Filter ${shortened(node.filter)}`,
        hint: indexAdvice(node),
      },
    ]
  })

/**
 * SEQ_SCAN_OK: a Filter that no index would serve better, since the table has fewer than 50 blocks or more than 20 % of
 * its rows are wanted. Said so that nobody builds one.
 */
export const seqScanOk: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.type !== 'Seq Scan' || node.filter === '' || node.loops === 0 || plan.executionMs === null) return []
    if ((node.loops > 1 && !node.parallel) || stoppedEarly(plan, node)) return []
    const kept = node.rows / Math.max(1, node.rows + node.removedByFilter)
    const small = ownBlocksOf(plan, node) < smallPages
    if (!small && kept <= 0.2) return []
    const why = small ? `has ${count(ownBlocksOf(plan, node))} blocks` : `gives ${percent(kept)} of its rows`
    return [
      {
        code: 'SEQ_SCAN_OK',
        severity: 'info',
        ...subjectOf(node),
        message: `reading all of ${tableOf(node)} is right: it ${why}`,
        hint: `no index on ${tableOf(node)} would help this query`,
      },
    ]
  })

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
    const { equal, other } = conditionColumns(node.filter, node.alias)
    const missing = [...equal, ...other].join(', ')
    return [
      {
        code: 'ROWS_REMOVED',
        severity: 'warning',
        ...subjectOf(node),
        message: `${node.type} on ${tableOf(node)} finds ${count(node.rows + removed)} rows and throws away ${count(removed)} of them (${percent(share)}): Filter ${shortened(node.filter)}`,
        hint:
          missing === ''
            ? `add what the Filter computes to the keys of the index on ${tableOf(node)}, or make it a partial index`
            : `add ${missing} to the keys of the index on ${tableOf(node)}, or make it a partial index`,
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

/** Which index could serve the Filter of a Seq Scan, as far as the text of the condition tells. */
function indexAdvice(node: PlanNode): string {
  const { equal, other, computed } = conditionColumns(node.filter, node.alias)
  const columns = [...equal, ...other]
  const table = tableOf(node)
  if (/ OR /.test(node.filter)) {
    return `the Filter has an OR: each arm needs an index of its own on ${table} (${[...columns, ...computed].join(', ')})`
  }
  if (columns.length > 0) return `an index on ${table} (${columns.join(', ')}) could serve it`
  if (computed.length > 0) {
    return `the Filter computes with ${computed.join(', ')}: it needs an index on ${table} with that expression, or a query without it`
  }
  return `no plain column of ${table} is compared: look at the Filter`
}
