import { offerOf, type LoadSide, type LoadStep } from '../../result/documents/load-result.js'
import { duration, percent } from '../../text/amounts.js'
import type { Chart, ChartRow, Mark } from './chart.js'
import { logScale } from './chart-scale.js'

interface Side {
  /** Empty where there is only one. */
  readonly name: '' | 'before' | 'after'
  readonly steps: readonly LoadStep[]
}

/** Both sides of a comparison, or the one that was measured. */
export function sidesOf({ before, after }: { before?: LoadSide | undefined; after: LoadSide | null }): readonly Side[] {
  const last: readonly Side[] =
    after === null ? [] : [{ name: before === undefined ? '' : 'after', steps: after.steps }]
  return before === undefined ? last : [{ name: 'before', steps: before.steps }, ...last]
}

/** What was felt at each step, in the order of what was asked for. */
export function loadChart(sides: readonly Side[]): Chart {
  const rows = byOffer(sides).flatMap(({ offer, of }) =>
    of.map(({ name, step }, at) => ({
      label: at === 0 ? labelOf(offer, name) : name,
      mark: lookOf(name),
      times: [step.latency_ms.p50, step.latency_ms.p95, step.latency_ms.p99],
      step,
    })),
  )
  return {
    title: 'Times over the load',
    caption: 'p95, with a line from p50 to p99. From the moment a request was due. Logarithmic.',
    legend: legendOf(sides),
    scale: logScale(rows.flatMap(({ times }) => times.filter((time) => time !== null))),
    tickText: duration,
    rows: rows.map(({ label, mark, step }): ChartRow => {
      const { p50, p95, p99 } = step.latency_ms
      if (p50 === null || p95 === null || p99 === null) return { label, value: 'nothing was answered', marks: [] }
      const value = `${duration(p95)} (${duration(p50)} to ${duration(p99)})${step.success === 1 ? '' : `, ${percent(step.success)} in time`}`
      const marks: Mark[] = [
        { kind: 'range', from: p50, to: p99, look: mark.look },
        { ...mark, at: p95 },
      ]
      return { label, value, marks, ...(step.success < 0.99 ? { tone: 'bad' } : {}) }
    }),
  }
}

/** Within how long what share was answered, of the highest step that all sides have. */
export function percentileChart(sides: readonly Side[]): Chart {
  const common = byOffer(sides).findLast(({ of }) => sides.every(({ name }) => of.some((one) => one.name === name)))
  const curves = sides.flatMap(({ name }) => {
    const step = common?.of.find((one) => one.name === name)?.step
    return step === undefined ? [] : [{ name, curve: step.curve }]
  })
  const [first] = curves
  return {
    title: `Times by percentile${common === undefined ? '' : ` at ${common.offer}`}`,
    caption: 'Of 100 requests so many were answered within. Logarithmic.',
    legend: legendOf(sides),
    scale: logScale(curves.flatMap(({ curve }) => curve.map(({ ms }) => ms))),
    tickText: duration,
    rows: (first?.curve ?? []).map(({ share }) => {
      const points = curves.flatMap(({ name, curve }) =>
        curve.filter((point) => point.share === share).map(({ ms }) => ({ name, ms })),
      )
      const value = points.map(({ name, ms }) => `${name} ${duration(ms)}`.trim()).join(', ')
      return {
        label: percent(share),
        value,
        marks: points.map(({ name, ms }): Mark => ({ ...lookOf(name), at: ms })),
      }
    }),
  }
}

/** The steps of all sides by what was asked for, the least first; steps that ran twice one after the other. */
function byOffer(sides: readonly Side[]) {
  const all = sides.flatMap(({ name, steps }) => steps.map((step) => ({ name, step, offer: offerOf(step) })))
  const amount = ({ step }: (typeof all)[number]) => step.users ?? step.offered ?? 0
  const sorted = all.toSorted((one, other) => amount(one) - amount(other))
  return [...new Set(sorted.map(({ offer }) => offer))].map((offer) => ({
    offer,
    of: sorted.filter((one) => one.offer === offer),
  }))
}

function legendOf(sides: readonly Side[]): Chart['legend'] {
  if (sides.length < 2) return []
  return sides.map(({ name }) => ({ mark: lookOf(name).kind, look: lookOf(name).look, text: name }))
}

/** As in the charts of single queries. */
function lookOf(name: Side['name']) {
  return name === 'before' ? ({ kind: 'ring', look: 'plain' } as const) : ({ kind: 'dot', look: 'main' } as const)
}

function labelOf(offer: string, name: string): string {
  return name === '' ? offer : `${offer}, ${name}`
}
