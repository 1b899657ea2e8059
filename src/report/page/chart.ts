import type { Tone } from '../block/block.js'
import type { Scale } from './chart-scale.js'
import { html } from './html-text.js'

/** What is drawn of a row; values are on the chart's scale. */
export type Mark =
  | { readonly kind: 'bar'; readonly from: number; readonly to: number; readonly look: MarkStyle }
  /** A line with ends, as an interval. */
  | { readonly kind: 'range'; readonly from: number; readonly to: number; readonly look: MarkStyle }
  | { readonly kind: 'dot'; readonly at: number; readonly look: MarkStyle }
  | { readonly kind: 'ring'; readonly at: number; readonly look: MarkStyle }
  /** A thin line between two values. */
  | { readonly kind: 'line'; readonly from: number; readonly to: number; readonly look: MarkStyle }

/** `main` and `rest` are the two colours of a stacked bar. */
export type MarkStyle = Tone | 'main' | 'rest'

export interface ChartRow {
  readonly label: string
  /** The values in words: whoever cannot see the drawing reads these. */
  readonly value: string
  readonly tone?: Tone
  /** A sum in a list of parts. */
  readonly strong?: boolean
  readonly marks: readonly Mark[]
}

export interface Chart {
  readonly title: string
  /** How to read it, in a sentence. */
  readonly caption: string
  readonly legend: readonly { readonly mark: Mark['kind']; readonly look: MarkStyle; readonly text: string }[]
  readonly scale: Scale
  readonly tickText: (value: number) => string
  /** A line through all rows: no change, nothing left. */
  readonly reference?: number
  readonly rows: readonly ChartRow[]
}

/**
 * A chart as an HTML figure: a list with a row each of label, value and an inline SVG as wide as there is room. Positions are percentages
 * and text is HTML, so that nothing gets small on a narrow screen. Empty without rows.
 */
export function drawChart(chart: Chart): string {
  if (chart.rows.length === 0) return ''
  return [
    `<figure class="chart"><figcaption>${html(chart.caption)}${legend(chart)}</figcaption>`,
    `<ul aria-label="${html(chart.title)}">`,
    ...chart.rows.map((row) => chartRow(row, chart)),
    axis(chart),
    '</ul>',
    '</figure>',
  ].join('\n')
}

const height = 18
const middle = height / 2

function chartRow(row: ChartRow, chart: Chart): string {
  const grid = chart.scale.ticks.map((tick) => vertical(chart.scale.percent(tick), 'tick'))
  const reference = chart.reference === undefined ? [] : [vertical(chart.scale.percent(chart.reference), 'reference')]
  const marks = row.marks.map((mark) => draw(mark, chart.scale))
  return (
    `<li${row.strong === true ? ' class="strong"' : ''}><span class="label">${html(row.label)}</span> ` +
    `<span class="value${row.tone === undefined ? '' : ` ${row.tone}`}">${html(row.value)}</span>` +
    `<svg class="plot" width="100%" height="${height}" aria-hidden="true">${[...grid, ...reference, ...marks].join('')}</svg></li>`
  )
}

/** Tick labels under the rows; those at the ends are turned inwards, those too near to the one before are left out. */
function axis({ scale, tickText }: Chart): string {
  let taken = -100
  const labels = scale.ticks.flatMap((tick) => {
    const at = scale.percent(tick)
    const text = tickText(tick)
    // A plot is hardly narrower than 190 pixels, a character about 6 wide.
    if (at - taken < ((text.length * 6 + 10) / 190) * 100) return []
    taken = at
    const anchor = at < 6 ? 'start' : at > 94 ? 'end' : 'middle'
    return [`<text x="${percent(at)}" y="12" text-anchor="${anchor}">${html(text)}</text>`]
  })
  return `<li aria-hidden="true"><svg class="plot" width="100%" height="16">${labels.join('')}</svg></li>`
}

function draw(mark: Mark, scale: Scale): string {
  switch (mark.kind) {
    case 'bar': {
      const from = scale.percent(Math.min(mark.from, mark.to))
      const to = scale.percent(Math.max(mark.from, mark.to))
      // A quarter of a percent is a pixel on a narrow screen: what took no time is still there.
      return `<rect class="${mark.look}" x="${percent(Math.min(from, 99.75))}" y="3" width="${percent(Math.max(0.25, to - from))}" height="${height - 6}"/>`
    }
    case 'line':
      return horizontal(mark, scale, 'link')
    case 'range':
      return `${horizontal(mark, scale, 'range')}${end(mark.from, mark.look, scale)}${end(mark.to, mark.look, scale)}`
    case 'dot':
    case 'ring':
      return `<circle class="${mark.kind} ${mark.look}" cx="${percent(scale.percent(mark.at))}" cy="${middle}" r="4.5"/>`
  }
}

function horizontal(mark: { from: number; to: number; look: MarkStyle }, scale: Scale, kind: string): string {
  const [from, to] = [scale.percent(mark.from), scale.percent(mark.to)]
  return `<line class="${kind} ${mark.look}" x1="${percent(from)}" x2="${percent(to)}" y1="${middle}" y2="${middle}"/>`
}

function end(value: number, look: MarkStyle, scale: Scale): string {
  const x = percent(scale.percent(value))
  return `<line class="range ${look}" x1="${x}" x2="${x}" y1="${middle - 4}" y2="${middle + 4}"/>`
}

function vertical(at: number, kind: string): string {
  return `<line class="${kind}" x1="${percent(at)}" x2="${percent(at)}" y1="0" y2="${height}"/>`
}

function legend({ legend: entries }: Chart): string {
  if (entries.length === 0) return ''
  const scale: Scale = { percent: (value) => value, ticks: [] }
  const items = entries.map(({ mark, look, text }) => {
    const sample: Mark =
      mark === 'dot' || mark === 'ring' ? { kind: mark, at: 50, look } : { kind: mark, from: 8, to: 92, look }
    return `<span class="key"><svg width="22" height="${height}" aria-hidden="true">${draw(sample, scale)}</svg>${html(text)}</span>`
  })
  return ` <span class="legend">${items.join('')}</span>`
}

function percent(value: number): string {
  return `${Number(value.toFixed(2))}%`
}
