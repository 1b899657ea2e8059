import type { HistoryResult } from '../../result/documents/history-result.js'
import type { Chart } from './chart.js'
import { logScale } from './chart-scale.js'
import { historyTitle } from '../blocks/history.js'
import { duration, timeInterval } from '../../text/amounts.js'

/** The time of a query in each run, with its interval, the oldest on top. */
export function historyChart(query: HistoryResult['queries'][number]): Chart {
  const rows = query.runs.flatMap(({ run, after, before }) => {
    const side = after ?? before
    return side === undefined ? [] : [{ run, time: side.execution_ms }]
  })
  return {
    title: `${historyTitle(query)}, run by run`,
    caption: 'Medians with their 95 % intervals, after the builds of the run where it built. Logarithmic.',
    legend: [],
    scale: logScale(rows.flatMap(({ time }) => [time.low, time.median, time.high])),
    tickText: duration,
    rows: rows.map(({ run, time }) => ({
      label: `run ${run}`,
      value: timeInterval(time),
      marks: [
        { kind: 'range', from: time.low, to: time.high, look: 'main' },
        { kind: 'dot', at: time.median, look: 'main' },
      ],
    })),
  }
}
