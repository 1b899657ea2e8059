import type { ResultStep } from '../../result/documents/result.js'
import type { Chart, ChartRow, Mark } from './chart.js'
import { linearScale } from './chart-scale.js'
import { bytes, duration } from '../../text/amounts.js'
import { outcomeTones, outcomeWords } from '../block/outcomes.js'

/** The steps that took time, laid end to end in the order of the plan: for each what it built and what it waited. */
export function timeChart(steps: readonly ResultStep[]): Chart {
  const timed = steps.filter((step) => (step.duration_ms ?? 0) > 0)
  let begin = 0
  const rows = timed.map((step): ChartRow => {
    const from = begin
    const took = step.duration_ms ?? 0
    begin += took
    const waited = Math.min(took, Math.max(0, step.waited_ms ?? 0))
    const failed = step.outcome === 'failed'
    const built: Mark = { kind: 'bar', from: from + waited, to: from + took, look: failed ? 'bad' : 'main' }
    return {
      label: step.index,
      value: [
        ...(failed ? [outcomeWords.failed] : []),
        duration(took),
        ...(waited < 100 ? [] : [`${duration(waited)} of it waiting${whom(step)}`]),
      ].join(', '),
      ...(failed ? { tone: outcomeTones.failed } : {}),
      marks: waited > 0 ? [{ kind: 'bar', from, to: from + waited, look: 'rest' }, built] : [built],
    }
  })
  return {
    title: 'Where the time of the steps went',
    caption: 'Steps laid end to end in the order of the plan.',
    legend: [
      { mark: 'bar', look: 'main', text: 'working' },
      ...(timed.some((step) => (step.waited_ms ?? 0) >= 1)
        ? [{ mark: 'bar', look: 'rest', text: 'waiting for other transactions' } as const]
        : []),
      ...(timed.some((step) => step.outcome === 'failed')
        ? [{ mark: 'bar', look: 'bad', text: 'failed' } as const]
        : []),
    ],
    scale: linearScale([0, begin]),
    tickText: duration,
    rows,
  }
}

/** The first by pid and application; all of them stand below with what they ran. */
function whom({ waited_for: blockers = [] }: ResultStep): string {
  const [first, ...others] = blockers
  if (first === undefined) return ''
  return ` for ${first.split(',').slice(0, 2).join(',')}${others.length === 0 ? '' : ` and ${others.length} more`}`
}

/** What the indexes of the run take on disk, the largest first. */
export function sizeChart(steps: readonly ResultStep[]): Chart {
  const made = steps
    .filter(
      (step) =>
        step.outcome === 'built' ||
        step.outcome === 'rebuilt' ||
        step.outcome === 'reindexed' ||
        step.outcome === 'replaced',
    )
    .filter((step) => (step.size_bytes ?? 0) > 0)
    .toSorted((one, other) => (other.size_bytes ?? 0) - (one.size_bytes ?? 0))
  const table = made.some((step) => (step.table_bytes ?? 0) > 0)
  return {
    title: 'What the indexes take on disk',
    caption: 'Size of each index that was built, the largest first.',
    legend: [],
    scale: linearScale(made.map((step) => (step.size_bytes ?? 0) / 1024 ** 2)),
    tickText: (megabytes) => bytes(megabytes * 1024 ** 2),
    rows: made.map((step) => ({
      label: step.index,
      value: bytes(step.size_bytes ?? 0) + (table ? shareOf(step) : ''),
      marks: [{ kind: 'bar', from: 0, to: (step.size_bytes ?? 0) / 1024 ** 2, look: 'main' }],
    })),
  }
}

function shareOf(step: ResultStep): string {
  const table = step.table_bytes ?? 0
  return table > 0 ? `, table ${bytes(table)}` : ''
}
