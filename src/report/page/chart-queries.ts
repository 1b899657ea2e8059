import type { Comparison, Interval, ResultMeasurement, ResultQuery } from '../../result/documents/result.js'
import type { Chart, ChartRow, MarkStyle, Mark } from './chart.js'
import { logScale } from './chart-scale.js'
import { queryTitle, verdictTones } from '../blocks/queries.js'
import { count, duration, ratio, speedup, timeInterval } from '../../text/amounts.js'

/** Speedups with their intervals on a logarithmic scale, the greatest first: a forest plot. */
export function speedupChart(queries: readonly ResultQuery[]): Chart {
  const rows = queries
    .flatMap((query) => (query.speedup === undefined ? [] : [{ query, speed: query.speedup }]))
    .toSorted((one, other) => other.speed.median - one.speed.median)
  return {
    title: 'Speedup of each query',
    caption: 'Before divided by after, with the 95 % interval; right of the line is faster. Logarithmic.',
    legend: (['faster', 'same', 'slower', 'inconclusive'] as const)
      .filter((verdict) => rows.some(({ query }) => query.verdict === verdict))
      .map((verdict) => ({ mark: 'dot', look: verdictTones[verdict], text: verdict })),
    scale: logScale([1, ...rows.flatMap(({ speed }) => [speed.low, speed.median, speed.high])]),
    tickText: (value) => `${ratio(value)}x`,
    reference: 1,
    rows: rows.map(({ query, speed }): ChartRow => {
      const tone = query.verdict === undefined ? 'quiet' : verdictTones[query.verdict]
      return {
        label: queryTitle(query),
        value: [speedup(speed), query.verdict ?? ''].join(' ').trim(),
        tone,
        marks: interval(speed, tone, 'dot'),
      }
    }),
  }
}

/** Medians before and after with their intervals; queries that took longest before come first. */
export function timesChart(queries: readonly ResultQuery[]): Chart {
  const pairs = queries
    .flatMap((query) =>
      query.before === undefined || query.after === undefined
        ? []
        : [{ query, before: query.before, after: query.after }],
    )
    .toSorted((one, other) => other.before.execution_ms.median - one.before.execution_ms.median)
  return {
    title: 'Execution time before and after',
    caption: 'Medians with their 95 % intervals. Logarithmic.',
    legend: [
      { mark: 'ring', look: 'plain', text: 'before' },
      { mark: 'dot', look: 'main', text: 'after' },
    ],
    scale: logScale(pairs.flatMap(({ before, after }) => [...ends(before), ...ends(after)])),
    tickText: duration,
    rows: pairs.map(({ query, before, after }) => ({
      label: queryTitle(query),
      value: `${duration(before.execution_ms.median)} → ${duration(after.execution_ms.median)}`,
      marks: [
        { kind: 'line', from: before.execution_ms.median, to: after.execution_ms.median, look: 'quiet' },
        ...interval(before.execution_ms, 'plain', 'ring'),
        ...interval(after.execution_ms, 'main', 'dot'),
      ],
    })),
  }
}

/** Blocks read before and after: what has no noise. */
export function buffersChart(queries: readonly ResultQuery[]): Chart {
  const pairs = queries
    .flatMap((query) =>
      query.before === undefined || query.after === undefined
        ? []
        : [{ query, before: blocksOf(query.before), after: blocksOf(query.after) }],
    )
    .toSorted((one, other) => other.before - one.before)
  return {
    title: 'Buffers before and after',
    caption: 'Shared blocks of 8 kB, hit and read: they have no noise. Logarithmic.',
    legend: [
      { mark: 'ring', look: 'plain', text: 'before' },
      { mark: 'dot', look: 'main', text: 'after' },
    ],
    scale: logScale(pairs.flatMap(({ before, after }) => [before, after])),
    tickText: count,
    rows: pairs.map(({ query, before, after }) => ({
      label: queryTitle(query),
      value: `${count(before)} → ${count(after)}`,
      marks: [
        { kind: 'line', from: before, to: after, look: 'quiet' },
        { kind: 'ring', at: before, look: 'plain' },
        { kind: 'dot', at: after, look: 'main' },
      ],
    })),
  }
}

/** Medians of queries that were measured once, the slowest first. */
export function measuredChart(queries: readonly ResultQuery[]): Chart {
  const rows = queries
    .filter((query) => query.before === undefined || query.after === undefined)
    .flatMap((query) => {
      const measured = query.after ?? query.before
      return measured === undefined ? [] : [{ query, time: measured.execution_ms }]
    })
    .toSorted((one, other) => other.time.median - one.time.median)
  return {
    title: 'Execution time of each query',
    caption: 'Medians with their 95 % intervals. Logarithmic.',
    legend: [],
    scale: logScale(rows.flatMap(({ time }) => [time.low, time.median, time.high])),
    tickText: duration,
    rows: rows.map(({ query, time }) => ({
      label: queryTitle(query),
      value: timeInterval(time),
      marks: interval(time, 'main', 'dot'),
    })),
  }
}

/** The variants of one query, and the same before the run changed anything. */
export function variantsChart({ variants, before }: Comparison): Chart {
  const all = [
    ...(before ?? []).map((variant) => ({ variant, name: `${variant.name}, before`, look: 'plain' as const })),
    ...variants.map((variant) => ({ variant, name: variant.name, look: 'main' as const })),
  ]
  return {
    title: 'Elapsed time of each variant',
    caption: 'Medians with their 95 % intervals, round trips included. Logarithmic.',
    legend: [],
    scale: logScale(all.flatMap(({ variant: { elapsed_ms: time } }) => [time.low, time.median, time.high])),
    tickText: duration,
    rows: all.map(({ variant, name, look }) => ({
      label: name,
      value: timeInterval(variant.elapsed_ms),
      marks: interval(variant.elapsed_ms, look, look === 'plain' ? 'ring' : 'dot'),
    })),
  }
}

function interval({ median, low, high }: Interval, look: MarkStyle, kind: 'dot' | 'ring'): readonly Mark[] {
  if (median <= 0) return []
  return [
    { kind: 'range', from: low, to: high, look },
    { kind, at: median, look },
  ]
}

function ends({ execution_ms: { low, median, high } }: ResultMeasurement): readonly number[] {
  return [low, median, high]
}

function blocksOf({ buffers }: ResultMeasurement): number {
  return buffers.hit + buffers.read
}
