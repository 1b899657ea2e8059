import { stepFailed, type LoadResult, type LoadStep } from '../../result/load-result.js'
import { several } from '../../text/amounts.js'
import type { Block, Cell, Tone } from '../block/block.js'

/** A row for each step; what was sent, and how the numbers are to be read, below. */
export function loadBlocks(result: LoadResult): Block[] {
  const { steps } = result.load.after
  const { mix, connections, timeout_ms: timeoutMs, server } = result
  const short = steps.filter((step) => step.cut_short || step.saturated)
  const failed = steps.filter(stepFailed)
  const tone: Tone = failed.length > 0 ? 'bad' : steps.length === 0 || short.length > 0 ? 'warn' : 'good'
  return [
    { kind: 'verdict', tone, text: `${several(steps.length, 'step')} measured${saidOf(short)}${failedOf(failed)}` },
    {
      kind: 'grid',
      title: '',
      columns: [
        { head: 'offered', kind: 'number' },
        { head: 'answered', kind: 'number' },
        { head: 'p50', kind: 'number', drop: 3 },
        { head: 'p95', kind: 'number' },
        { head: 'p99', kind: 'number', drop: 4 },
        { head: 'max', kind: 'number', drop: 2 },
        { head: 'success', kind: 'number' },
        { head: 'busy', kind: 'number', drop: 1 },
        { head: 'failures', kind: 'prose', drop: 5 },
      ],
      rows: steps.map(rowOf),
    },
    {
      kind: 'text',
      tone: 'quiet',
      text: `${mix.map(({ query, share }) => `${Math.round(share * 100)} % ${query}`).join(', ')}; ${several(connections, 'connection')} to ${server.database} on ${server.host}. Times count from the moment a request was due; an answer after ${timeoutMs} ms is a failure.`,
    },
  ]
}

function rowOf(step: LoadStep): readonly Cell[] {
  const { latency_ms: latency, success } = step
  return [
    { text: `${step.offered}/s` },
    { text: `${step.achieved}/s` },
    ...[latency.p50, latency.p95, latency.p99, latency.max].map((ms) => ({ text: ms === null ? '-' : `${ms} ms` })),
    { text: percent(success), tone: success < 0.99 ? 'bad' : 'plain' },
    { text: step.connections_busy.toFixed(1) },
    { text: failuresOf(step) },
  ]
}

/** Never 100 % where one failed. */
function percent(share: number): string {
  return share === 1 ? '100 %' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`
}

function failuresOf({ errors, late, skipped, saturated, cut_short: cutShort }: LoadStep): string {
  return [
    ...errorsOf(errors),
    ...(late > 0 ? [`${late} late`] : []),
    ...(skipped > 0 ? [`${skipped} not sent in time`] : []),
    ...(saturated ? ['saturated: ended early'] : []),
    ...(cutShort ? ['cut short'] : []),
  ].join(', ')
}

function errorsOf(errors: LoadStep['errors']): string[] {
  return Object.entries(errors).map(([code, times]) => `${times} x ${code}`)
}

function failedOf(failed: readonly LoadStep[]): string {
  if (failed.length === 0) return ''
  const errors: Record<string, number> = {}
  for (const step of failed)
    for (const [code, times] of Object.entries(step.errors)) errors[code] = (errors[code] ?? 0) + times
  return `, ${failed.length} failed: ${errorsOf(errors).join(', ') || 'nothing was answered in time'}`
}

function saidOf(short: readonly LoadStep[]): string {
  if (short.length === 0) return ''
  const saturated = short.filter((step) => step.saturated).length
  return saturated === short.length
    ? `, ${saturated} ended early: the queue did not empty for 5 s`
    : `, ${short.length} ended early`
}
