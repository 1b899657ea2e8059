import type { ResultNoise } from '../../result/documents/result.js'
import type { Chart, ChartRow } from './chart.js'
import { logScale } from './chart-scale.js'
import { ratio } from '../../text/amounts.js'

const kinds = [
  ['halves', 'halves of a block'],
  ['blocks', 'blocks of one side'],
  ['unchanged', 'queries that did not change'],
  ['control', 'control queries'],
] as const

/** What pairs of the same thing differed by, a row for each kind of pair; the floor is a row of its own. */
export function noiseChart({ floor, measured, in_turns: turns }: ResultNoise): Chart {
  const rows = [
    ...kinds.map(([kind, label]) => ({
      label,
      ratios: measured.filter(({ of }) => of === kind).map((pair) => pair.ratio),
    })),
    { label: 'in turns', ratios: turns?.measured.map((pair) => pair.ratio) ?? [] },
  ].filter(({ ratios }) => ratios.length > 0)
  return {
    title: 'Noise of this run',
    caption:
      'How far apart two measurements of the same thing were, 1x is not at all. A claim must be above the floor.',
    legend: [{ mark: 'dot', look: 'main', text: 'pair' }],
    scale: logScale([1, floor, ...rows.flatMap(({ ratios }) => ratios)]),
    tickText: (value) => `${ratio(value)}x`,
    reference: 1,
    rows: [
      { label: 'floor', value: `${ratio(floor)}x`, strong: true, marks: [{ kind: 'ring', at: floor, look: 'plain' }] },
      ...rows.map(({ label, ratios }): ChartRow => ({
        label,
        value: `${ratios.length}, at most ${ratio(Math.max(...ratios))}x`,
        marks: ratios.map((at) => ({ kind: 'dot', at, look: 'main' })),
      })),
    ],
  }
}
