import { count } from '../plan/plan-node.js'
import { sum } from '../sample/statistics.js'
import { milliseconds, shareOf, subjectOf, type Rule } from './rule.js'
import { percent } from '../../text/amounts.js'
import { nodeLabel } from '../plan/signature.js'

/** Below that no share of the time says anything. */
const leastMs = 1

/** TRIGGER_TIME: triggers, foreign keys among them, take over 30 % of the time and over 1 ms. */
export const triggerTime: Rule = ({ plan }) => {
  const totalMs = sum(plan.triggers.map((one) => one.totalMs))
  const share = shareOf(plan, totalMs)
  const [slowest] = plan.triggers.toSorted((a, b) => b.totalMs - a.totalMs)
  if (slowest === undefined || share === null || share <= 0.3 || totalMs <= leastMs) return []
  const foreign = slowest.constraint !== ''
  const [root] = plan.nodes
  return [
    {
      code: 'TRIGGER_TIME',
      severity: 'warning',
      ...(root === undefined || !foreign || root.relation === '' ? {} : { ...subjectOf(root), node: root.id }),
      message: `triggers take ${milliseconds(totalMs)} of ${milliseconds(plan.executionMs ?? 0)} (${percent(share)}), most of it ${foreign ? slowest.constraint : slowest.name}: ${count(slowest.calls)} calls`,
      hint: foreign
        ? foreignKeyAdvice(root?.operation === 'Insert', slowest.constraint)
        : `look at the function of the trigger ${slowest.name}`,
    },
  ]
}

function foreignKeyAdvice(inserted: boolean, constraint: string): string {
  return inserted
    ? `each row looks its key up in the table that ${constraint} refers to: fewer rows, or the constraint added again after a bulk load`
    : `where no index has the referencing columns of ${constraint}, each call reads the whole table`
}

/** IO_BOUND: waiting for blocks takes over half of the time and over 1 ms (only with track_io_timing). */
export const ioBound: Rule = ({ plan }) => {
  // Parallel workers wait side by side: together longer than the query runs.
  const share = shareOf(plan, plan.ioReadMs)
  if (share === null || share <= 0.5 || plan.ioReadMs <= leastMs) return []
  return [
    {
      code: 'IO_BOUND',
      severity: 'warning',
      message: `${milliseconds(Math.min(plan.ioReadMs, plan.executionMs ?? 0))} of ${milliseconds(plan.executionMs ?? 0)} are waiting for ${count(plan.buffers.read)} blocks`,
      hint: 'an index that reads fewer blocks, or memory (shared_buffers) for what is read again and again',
    },
  ]
}

/** COLD_CACHE: over 10 % of the blocks, and 100 of them, were not in shared buffers although the query had just run. */
export const coldCache: Rule = ({ plan }) => {
  const { hit, read } = plan.buffers
  if (read < 100 || read <= 0.1 * (hit + read)) return []
  return [
    {
      code: 'COLD_CACHE',
      severity: 'info',
      message: `${count(read)} of ${count(hit + read)} blocks were not in shared buffers`,
      hint: 'its times depend on what else the server reads: compare buffers rather than times',
    },
  ]
}

/** SERIALIZATION: turning the rows into text takes over 30 % of the whole and over 1 ms (17 and later). */
export const serialization: Rule = ({ plan }) => {
  if (plan.serialization === null || plan.executionMs === null) return []
  const { totalMs, kilobytes } = plan.serialization
  const share = totalMs / Math.max(plan.executionMs + totalMs, 0.001)
  if (share <= 0.3 || totalMs <= leastMs) return []
  return [
    {
      code: 'SERIALIZATION',
      severity: 'info',
      message: `turning the rows into ${count(kilobytes)} kB of text takes ${milliseconds(totalMs)} beside ${milliseconds(plan.executionMs)} of execution`,
      hint: 'select fewer or smaller columns: long values are fetched from TOAST and decompressed',
    },
  ]
}

/** WAL_HEAVY: a statement that writes 1 MB of WAL or more, or mostly full pages. */
export const walHeavy: Rule = ({ plan }) => {
  const { records, fullPages, bytes } = plan.wal
  const mostlyPages = fullPages >= 8 && fullPages * 2 >= records
  if (bytes < 1_048_576 && !mostlyPages) return []
  return [
    {
      code: 'WAL_HEAVY',
      severity: 'info',
      message: `writes ${count(bytes / 1024)} kB of WAL: ${count(records)} records, ${count(fullPages)} full pages`,
      hint: mostlyPages
        ? 'full pages follow a checkpoint: a longer checkpoint_timeout, or wal_compression'
        : 'each index of the table adds records: remove those that no query uses',
    },
  ]
}

/** Costs of a parallel query plan that make the planner start workers for little work when they are lowered. */
const parallelCosts = ['parallel_setup_cost', 'parallel_tuple_cost', 'min_parallel_table_scan_size']

/**
 * SETTINGS: workers were started for a query that reads under 1,000 blocks or ends within 20 ms, and the costs of starting them are not the
 * default ones: the start takes longer than the work.
 */
export const costSettings: Rule = ({ plan }) => {
  const costs = parallelCosts.flatMap((name) => (name in plan.settings ? [`${name} = ${plan.settings[name]}`] : []))
  const gather = plan.nodes.find((node) => (node.workers?.launched ?? 0) > 0 && node.loops > 0)
  const blocks = plan.buffers.hit + plan.buffers.read
  const quick = plan.executionMs !== null && plan.executionMs < 20
  if (costs.length === 0 || gather === undefined || !(quick || (plan.options.buffers && blocks < 1000))) return []
  const read = plan.options.buffers ? ` for ${count(blocks)} block${blocks === 1 ? '' : 's'}` : ''
  const time = plan.executionMs === null ? '' : `, ${milliseconds(plan.executionMs)} in all`
  return [
    {
      code: 'SETTINGS',
      severity: 'warning',
      message: `${nodeLabel(gather)} starts ${gather.workers?.launched ?? 0} workers${read}${time}, with ${costs.join(', ')}: starting them takes longer than the work`,
      hint: `reset ${costs.map((cost) => cost.split(' ')[0]).join(', ')}: the default makes the planner start workers for long queries only`,
    },
  ]
}

/** SETTINGS: measured with a kind of node forbidden, which no application gets. */
export const settings: Rule = ({ plan }) => {
  const off = Object.entries(plan.settings).filter(([name, value]) => name.startsWith('enable_') && value === 'off')
  if (off.length === 0) return []
  const list = off
    .map(([name]) => `${name} = off`)
    .toSorted()
    .join(', ')
  return [
    {
      code: 'SETTINGS',
      severity: 'warning',
      message: `measured with ${list}: not what the planner would do by itself`,
      hint: 'reset it for this role and database: alter role ... reset, alter database ... reset',
    },
  ]
}

/** DISABLED_NODE: the planner had no other way than a kind of node that is forbidden. */
export const disabledNode: Rule = ({ plan }) => {
  const node = plan.nodes.find((one) => one.disabled)
  if (node === undefined) return []
  return [
    {
      code: 'DISABLED_NODE',
      severity: 'info',
      ...subjectOf(node),
      message: `${nodeLabel(node)} is used although that kind of node is switched off: there is no other way`,
      hint: 'an index on what the query compares or sorts by would be another way',
    },
  ]
}
