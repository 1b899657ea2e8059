import { type Spill, count } from '../plan/plan-node.js'
import { milliseconds, subjectOf, type Rule } from './rule.js'
import { percent } from '../../text/amounts.js'
import { nodeLabel } from '../plan/signature.js'

/** SPILL: a sort, hash, aggregate or tuplestore that went to disk. */
export const spill: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.spill === null) return []
    return [
      {
        code: 'SPILL',
        severity: node.spill.kind === 'tuplestore' ? 'info' : 'warning',
        ...subjectOf(node),
        message: `${nodeLabel(node)} did not fit in work_mem: ${spilled(node.spill)}`,
        hint: spillAdvice(node.spill),
      },
    ]
  })

/** JIT: compiling takes over 10 % of the execution time and over 5 ms. */
export const jit: Rule = ({ plan }) => {
  if (plan.jit === null || plan.executionMs === null) return []
  const share = Math.min(1, plan.jit.totalMs / Math.max(plan.executionMs, 0.001))
  if (share <= 0.1 || plan.jit.totalMs <= 5) return []
  return [
    {
      code: 'JIT',
      severity: 'warning',
      message: `compiling ${count(plan.jit.functions)} functions takes ${milliseconds(plan.jit.totalMs)} of ${milliseconds(plan.executionMs)} (${percent(share)})`,
      hint: 'raise jit_above_cost, or set jit = off for the role that runs this query',
    },
  ]
}

/** PLANNING_DOMINATES: planning takes longer than execution, and over 5 ms (medians). */
export const planningDominates: Rule = ({ medianPlanningMs, medianExecutionMs, plan }) => {
  if (medianPlanningMs <= medianExecutionMs || medianPlanningMs <= 5) return []
  const scans = plan.nodes.filter((node) => node.relation !== '').length
  return [
    {
      code: 'PLANNING_DOMINATES',
      severity: 'warning',
      message: `planning takes ${milliseconds(medianPlanningMs)}, execution ${milliseconds(medianExecutionMs)} (${count(scans)} scans in the query plan)`,
      hint: 'a prepared statement plans once; conditions on the partition key leave partitions out',
    },
  ]
}

/** WORKERS_MISSING: fewer parallel workers than planned, so that a time says more about other sessions than about this. */
export const workersMissing: Rule = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    if (node.workers === null || node.loops === 0 || node.workers.launched >= node.workers.planned) return []
    return [
      {
        code: 'WORKERS_MISSING',
        severity: node.workers.launched === 0 ? 'warning' : 'info',
        message: `${nodeLabel(node)} planned ${node.workers.planned} workers and got ${node.workers.launched}: max_parallel_workers or max_worker_processes was used up`,
        hint: 'measure again when the server has workers to spare, or raise max_parallel_workers',
      },
    ]
  })

function spilled(spill: Spill): string {
  const disk = `${count(spill.diskKb)} kB on disk`
  return spill.batches > 1 ? `${disk}, ${count(spill.batches)} batches` : disk
}

/** A sort in memory needs two to three times the space of its run on disk. */
function spillAdvice(spill: Spill): string {
  const workMem = `work_mem of about ${count(Math.max(1, Math.ceil((spill.diskKb * 3) / 1024)))} MB for this role alone`
  const advice: Readonly<Record<Spill['kind'], string>> = {
    sort: `an index that gives the order (${spill.keys.join(', ')}), or ${workMem}`,
    hash: 'more work_mem or hash_mem_multiplier for this role alone; a better estimate of the hashed side (analyze)',
    aggregate: `an index that gives the order of ${spill.keys.join(', ')}, or more work_mem or hash_mem_multiplier for this role alone`,
    tuplestore: workMem,
  }
  return advice[spill.kind]
}
