import type { ResultMeasurement, ResultQuery } from '../../result/documents/result.js'
import type { Chart, ChartRow } from './chart.js'
import { logScale } from './chart-scale.js'
import { queryTitle } from '../blocks/queries.js'
import { duration } from '../../text/amounts.js'

/** How the samples of each query lie, before above after: a box from quartile to quartile, a line from the least to the most. */
export function spreadChart(queries: readonly ResultQuery[]): Chart {
  const rows = queries
    .filter((query) => query.before?.spread_ms !== undefined && query.after?.spread_ms !== undefined)
    .toSorted((one, other) => medianOf(other.before) - medianOf(one.before))
    .flatMap((query) => [
      ...rowsOf(`${queryTitle(query)}, before`, query.before, 'rest'),
      ...rowsOf('after', query.after, 'main'),
    ])
  return {
    title: 'Distribution of the execution times',
    caption: 'Box: half of the samples; line: all of them; dot: the median. Logarithmic.',
    legend: [
      { mark: 'bar', look: 'rest', text: 'before' },
      { mark: 'bar', look: 'main', text: 'after' },
    ],
    scale: logScale(rows.flatMap(({ ends }) => ends)),
    tickText: duration,
    rows: rows.map(({ row }) => row),
  }
}

interface Spread {
  readonly row: ChartRow
  readonly ends: readonly number[]
}

function rowsOf(label: string, measured: ResultMeasurement | undefined, look: 'rest' | 'main'): readonly Spread[] {
  if (measured?.spread_ms === undefined) return []
  const { least, lower, upper, most } = measured.spread_ms
  const { median } = measured.execution_ms
  return [
    {
      ends: [least, most],
      row: {
        label,
        value: `${duration(median)}, half ${duration(lower)} to ${duration(upper)}, all ${duration(least)} to ${duration(most)}`,
        marks: [
          { kind: 'range', from: least, to: most, look: 'quiet' },
          { kind: 'bar', from: lower, to: upper, look },
          { kind: 'dot', at: median, look: 'plain' },
        ],
      },
    },
  ]
}

function medianOf(measured: ResultMeasurement | undefined): number {
  return measured?.execution_ms.median ?? 0
}
