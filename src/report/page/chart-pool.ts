import type { PoolServer } from '../../result/documents/pool-result.js'
import type { Chart, ChartRow, MarkStyle, Mark } from './chart.js'
import { linearScale } from './chart-scale.js'
import { groupWaterfall } from '../blocks/pool-waterfall.js'
import { withThousands } from '../../text/amounts.js'

/**
 * From max_connections down to the headroom: each line of the waterfall takes from what the lines above left; a sum stands
 * by itself. What goes below zero does not fit.
 */
export function waterfallChart(server: PoolServer): Chart {
  let left = 0
  const levels: number[] = []
  const rows = groupWaterfall(server).map((line): ChartRow => {
    const from = line.total ? 0 : left
    left = line.total ? line.connections : left + line.connections
    levels.push(from, left)
    const over = Math.min(from, left) < 0
    return {
      label: line.label,
      value: withThousands(line.connections).replace('-', '−'),
      ...(line.total ? { tone: left < 0 ? 'bad' : 'good', strong: true } : {}),
      // Split at zero, so that what does not fit has a colour of its own.
      marks: [
        ...(over && Math.max(from, left) <= 0 ? [] : [bar(Math.max(0, from), Math.max(0, left), lookOf(line))]),
        ...(over ? [bar(Math.min(0, from), Math.min(0, left), line.total ? 'bad' : 'warn')] : []),
      ],
    }
  })
  return {
    title: `${server.name}: from max_connections down to the headroom`,
    caption: 'Each line takes from what those above leave; what goes left of zero does not fit.',
    legend: [
      { mark: 'bar', look: 'main', text: 'taken' },
      { mark: 'bar', look: 'good', text: 'left' },
      ...(levels.some((level) => level < 0)
        ? [
            { mark: 'bar', look: 'warn', text: 'taken beyond the limit' } as const,
            { mark: 'bar', look: 'bad', text: 'missing' } as const,
          ]
        : []),
    ],
    scale: linearScale(levels),
    tickText: (value) => String(value),
    reference: 0,
    rows,
  }
}

function lookOf({ total, connections }: PoolServer['waterfall'][number]): MarkStyle {
  return total ? 'good' : connections > 0 ? 'quiet' : 'main'
}

function bar(from: number, to: number, look: MarkStyle): Mark {
  return { kind: 'bar', from, to, look }
}
