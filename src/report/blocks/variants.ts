import type { Comparison } from '../../result/documents/result.js'
import type { Block, Cell, Column, Item, Tone } from '../block/block.js'
import { duration, several, timeInterval } from '../../text/amounts.js'

type Variant = Comparison['variants'][number]
type Answer = NonNullable<Comparison['rows']>[number]

/** Variants of one query side by side, the fastest in colour, and whether they give the same rows. */
export function comparisonBlocks(comparison: Comparison): Block[] {
  const { variants, rows = [] } = comparison
  const fastest = Math.min(...variants.flatMap((variant) => timesOf(variant).map(({ median }) => median)))
  const pipelined = variants.some((variant) => variant.pipelined_ms !== undefined)
  const concurrent = variants.some((variant) => variant.concurrent_ms !== undefined)
  const cell = (time: Variant['elapsed_ms'] | undefined, more = ''): Cell =>
    time === undefined
      ? { text: '' }
      : { text: timeInterval(time) + more, tone: time.median === fastest ? 'good' : 'plain' }
  const columns: Column[] = [
    { head: 'variant', kind: 'name', floor: 16 },
    { head: 'statements', kind: 'number', drop: 1 },
    { head: 'on the server', kind: 'number', drop: 2 },
    { head: 'elapsed', kind: 'number' },
    ...(pipelined ? [{ head: 'pipelined', kind: 'number', drop: 4 } as const] : []),
    ...(concurrent ? [{ head: 'concurrent', kind: 'number', drop: 3 } as const] : []),
  ]
  return [
    {
      kind: 'grid',
      title: `Variants of ${comparison.query}, one round trip ${duration(comparison.round_trip_ms)}`,
      columns,
      rows: variants.map((variant): Cell[] => [
        { text: variant.name },
        { text: String(variant.statements) },
        { text: timeInterval(variant.server_ms) },
        cell(variant.elapsed_ms),
        ...(pipelined ? [cell(variant.pipelined_ms)] : []),
        ...(concurrent ? [cell(variant.concurrent_ms, connectionsText(variant))] : []),
      ]),
    },
    { kind: 'items', title: '', items: rows.map(answerItem) },
    { kind: 'text', tone: 'plain', text: comparison.message },
    { kind: 'text', tone: 'quiet', text: waysText(comparison, pipelined, concurrent) },
  ]
}

function timesOf(variant: Variant): readonly Variant['elapsed_ms'][] {
  return [variant.elapsed_ms, variant.pipelined_ms, variant.concurrent_ms].flatMap((time) => time ?? [])
}

function connectionsText({ connections }: Variant): string {
  return connections === undefined ? '' : `, ${several(connections, 'connection')}`
}

const answerWords: Readonly<Record<Answer['answer'], readonly [label: string, tone: Tone]>> = {
  same_rows: ['same rows', 'good'],
  same_values: ['same values', 'good'],
  other_rows: ['other rows', 'bad'],
  not_comparable: ['not comparable', 'warn'],
}

function answerItem({ variant, against, answer, reason }: Answer): Item {
  const [label, tone] = answerWords[answer]
  const why = reason === undefined || reason === '' ? '' : `: ${reason}`
  return { tone, label, text: `${variant} against ${against}${why}`, details: [] }
}

function waysText({ not_concurrent: reason }: Comparison, pipelined: boolean, concurrent: boolean): string {
  return [
    pipelined ? 'Pipelined: all statements sent at once on one connection, one round trip in all.' : '',
    concurrent ? 'Concurrent: spread over connections, each of which counts against max_connections.' : '',
    reason === undefined ? '' : `Not measured over several connections: ${reason}.`,
  ]
    .filter((text) => text !== '')
    .join(' ')
}
