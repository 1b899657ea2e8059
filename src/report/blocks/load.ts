import {
  offerOf,
  stepFailed,
  type LoadKnee,
  type LoadResult,
  type LoadStep,
} from '../../result/documents/load-result.js'
import { duration, percent, several } from '../../text/amounts.js'
import type { Block, Cell, Column, Tone } from '../block/block.js'

/** A row for each step; what was sent, and how the numbers are to be read, below. */
export function loadBlocks(result: LoadResult): Block[] {
  const { mix, committed, timeout_ms: timeoutMs, think_ms: thinkMs, server, unmet } = result
  const { steps, knee } = result.load.after
  const asUsers = thinkMs === null ? '' : ` Users think ${duration(thinkMs)} on average.`
  return [
    { kind: 'verdict', tone: toneOf(result), text: verdictOf(steps, knee !== null) },
    ...kneeBlocks(knee),
    loadGrid('', [{ name: '', steps }]),
    ...unmetBlock(steps, unmet),
    ...serverGrid(knee === null ? steps : steps.slice(-1)),
    ...(committed.length === 0
      ? []
      : [{ kind: 'text' as const, tone: 'warn' as const, text: `committed, each time: ${committed.join(', ')}` }]),
    {
      kind: 'text',
      tone: 'quiet',
      text: `${mix.map(({ query, share }) => `${Math.round(share * 100)} % ${query}`).join(', ')}; ${connectionsOf(result)} to ${server.database} on ${server.host}.${asUsers} Times count from the moment a request was due; an answer after ${duration(timeoutMs)} is a failure.`,
    },
  ]
}

/** The steps of both sides of a comparison by their names, or of a load by itself, whose name is empty. */
export function loadGrid(
  title: string,
  sides: readonly { readonly name: string; readonly steps: readonly LoadStep[] }[],
): Block {
  const named = sides.some(({ name }) => name !== '')
  return {
    kind: 'grid',
    title,
    columns: [
      ...(named ? [{ head: 'side', kind: 'word' as const }] : []),
      { head: 'offered', kind: 'number' },
      { head: 'answered', kind: 'number' },
      { head: 'p50', kind: 'number', drop: 4 },
      { head: 'p95', kind: 'number' },
      { head: 'p95 by second', kind: 'number', drop: 1 },
      { head: 'p99', kind: 'number', drop: 5 },
      { head: 'max', kind: 'number', drop: 3 },
      { head: 'success', kind: 'number' },
      { head: 'busy', kind: 'number', drop: 2 },
      { head: 'failures', kind: 'prose', drop: 6 },
    ],
    rows: sides.flatMap(({ name, steps }) => steps.map((step) => [...(named ? [{ text: name }] : []), ...rowOf(step)])),
  }
}

function connectionsOf({ connections, service, pools, threads }: LoadResult): string {
  const all = several(connections, 'connection')
  const byThreads = threads === 1 ? '' : ` of ${threads} threads`
  return service === null ? all + byThreads : `${all}${byThreads} in ${several(pools, 'pool')} of ${service}`
}

/** What the server counted of each query where that could be read, and what its sessions waited for. */
function serverGrid(steps: readonly LoadStep[]): Block[] {
  const counted = steps.some(({ server }) => server.queries !== null)
  const rows = steps.flatMap((step) => {
    const { queries, waits } = step.server
    if (queries === null && waits === null) return []
    const counters = (queries ?? []).map((one): readonly Cell[] => [
      { text: one.query },
      { text: String(one.calls) },
      { text: `${one.mean_ms} ms` },
      { text: String(one.rows) },
      { text: String(one.blocks_read) },
    ])
    const [first = counted ? Array.from({ length: 5 }, () => ({ text: '-' })) : [], ...rest] = counters
    return [
      [{ text: offerOf(step) }, ...first, { text: waitsOf(step) }],
      ...rest.map((cells) => [{ text: '' }, ...cells, { text: '' }]),
    ]
  })
  if (rows.length === 0) return []
  const counters: readonly Column[] = [
    { head: 'query', kind: 'word' },
    { head: 'calls', kind: 'number' },
    { head: 'mean', kind: 'number' },
    { head: 'rows', kind: 'number', drop: 2 },
    { head: 'blocks read', kind: 'number', drop: 1 },
  ]
  return [
    {
      kind: 'grid',
      title: 'As the server saw it, warm-up included',
      columns: [
        { head: 'offered', kind: 'number' },
        ...(counted ? counters : []),
        { head: 'at work, seen waiting for', kind: 'prose', drop: 3 },
      ],
      rows,
    },
  ]
}

function waitsOf({ server: { waits } }: LoadStep): string {
  if (waits === null) return '-'
  return waits
    .slice(0, 3)
    .map(({ wait, share }) => `${Math.round(share * 100)} % ${wait ?? 'nothing'}`)
    .join(', ')
}

/** What was found where the highest rate was looked for. */
function kneeBlocks(knee: LoadKnee | null): Block[] {
  if (knee === null) return []
  const limit = `${duration(knee.limit_ms)} at p95`
  if (knee.rate === null) return [{ kind: 'text', tone: 'warn', text: `no rate was found that keeps ${limit}` }]
  const found = `${knee.rate}/s`
  if (!knee.confirmed)
    return [
      {
        kind: 'text',
        tone: 'warn',
        text: `${found} kept ${limit} once${knee.refuted === null ? '' : `, and ${knee.refuted}/s did not`}: the search ended before this was confirmed`,
      },
    ]
  const more = knee.refuted === null ? 'the most that is tried' : `${knee.refuted}/s do not`
  return [{ kind: 'text', tone: 'plain', text: `${found} keep ${limit}; ${more}` }]
}

function unmetBlock(steps: readonly LoadStep[], ofAll: readonly string[]): Block[] {
  const texts = [...steps.flatMap((step) => step.unmet.map((text) => `${offerOf(step)}: ${text}`)), ...ofAll]
  if (texts.length === 0) return []
  const items = texts.map((text) => ({ tone: 'bad' as const, label: 'not as expected', text, details: [] }))
  return [{ kind: 'items', title: '', items }]
}

function toneOf({ load: { after }, unmet }: LoadResult): Tone {
  const { steps, knee } = after
  if (unmet.length > 0 || steps.some((step) => step.unmet.length > 0)) return 'bad'
  if (knee !== null) return knee.confirmed ? 'good' : 'warn'
  if (steps.some(stepFailed)) return 'bad'
  return steps.length === 0 || steps.some(isShort) ? 'warn' : 'good'
}

/** A search drives steps too far on purpose: only one that was cut short is worth a word there. */
function verdictOf(steps: readonly LoadStep[], searched: boolean): string {
  const unmet = steps.filter((step) => step.unmet.length > 0).length
  const judged = searched ? steps.filter((step) => step.cut_short) : steps
  return [
    `${several(steps.length, 'step')} measured`,
    ...saidOf(judged.filter(isShort)),
    ...failedOf(judged.filter(stepFailed)),
    ...(unmet > 0 ? [`${unmet} not as expected`] : []),
  ].join(', ')
}

function isShort(step: LoadStep): boolean {
  return step.cut_short || step.saturated
}

function rowOf(step: LoadStep): readonly Cell[] {
  const { latency_ms: latency, p95_of_seconds_ms: seconds, success } = step
  const time = (ms: number | null) => (ms === null ? '-' : `${ms} ms`)
  return [
    { text: offerOf(step) },
    { text: `${step.achieved}/s` },
    { text: time(latency.p50) },
    { text: time(latency.p95), ...(step.unmet.length > 0 ? { tone: 'bad' } : {}) },
    { text: seconds.low === null ? '-' : `${seconds.low} to ${seconds.high} ms` },
    { text: time(latency.p99) },
    { text: time(latency.max) },
    { text: percent(success), tone: success < 0.99 ? 'bad' : 'plain' },
    { text: step.connections_busy.toFixed(1) },
    { text: failuresOf(step) },
  ]
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

function failedOf(failed: readonly LoadStep[]): string[] {
  if (failed.length === 0) return []
  const errors: Record<string, number> = {}
  for (const step of failed)
    for (const [code, times] of Object.entries(step.errors)) errors[code] = (errors[code] ?? 0) + times
  return [`${failed.length} failed: ${errorsOf(errors).join(', ') || 'nothing was answered in time'}`]
}

function saidOf(short: readonly LoadStep[]): string[] {
  if (short.length === 0) return []
  const saturated = short.filter((step) => step.saturated).length
  return saturated === short.length
    ? [`${saturated} ended early: the queue did not empty for 5 s`]
    : [`${short.length} ended early`]
}
