import type { PoolResult } from '../../result/documents/pool-result.js'
import type { Comparison, ResultNoise, ResultQuery, ResultStep } from '../../result/documents/result.js'
import type { HistoryResult } from '../../result/documents/history-result.js'
import { historyTitle } from '../blocks/history.js'
import type { Block } from '../block/block.js'
import { drawChart, type Chart } from './chart.js'
import { waterfallChart } from './chart-pool.js'
import { buffersChart, measuredChart, speedupChart, timesChart, variantsChart } from './chart-queries.js'
import { loadChart, percentileChart, sidesOf } from './chart-load.js'
import { historyChart } from './chart-history.js'
import { noiseChart } from './chart-noise.js'
import { spreadChart } from './chart-spread.js'
import { sizeChart, timeChart } from './chart-steps.js'
import { type Result, isError, isFleet } from '../../result/results.js'

export interface Drawing {
  readonly title: string
  readonly figure: string
  readonly folded?: boolean
  /** True for the block that has the same numbers: the drawing stands above it. */
  readonly beside: (block: Block) => boolean
}

/** The drawings of a document that has something to draw. */
export function drawingsOf(result: Result): readonly Drawing[] {
  return allDrawings(result).filter((drawing) => drawing.figure !== '')
}

function allDrawings(result: Result): readonly Drawing[] {
  if (isError(result) || isFleet(result)) return []
  if (result.command === 'demo') return [...allDrawings(result.apply), ...allDrawings(result.pools)]
  if (result.command === 'history')
    return result.queries.length + result.indexes.length > 1 ? [] : result.queries.map(historyDrawing)
  return [
    ...('analyzed' in result ? stepDrawings(result.steps) : []),
    ...('comparisons' in result ? queryDrawings(result.queries) : []),
    ...('noise' in result && result.noise !== undefined ? [noiseDrawing(result.noise)] : []),
    ...('comparisons' in result ? result.comparisons.map(variantsDrawing) : []),
    ...('servers' in result ? poolDrawings(result) : []),
    ...('load' in result && result.load !== undefined ? loadDrawings(result.load) : []),
  ]
}

function stepDrawings(steps: readonly ResultStep[]): readonly Drawing[] {
  const beside = (block: Block) => block.kind === 'grid' && block.columns.some(({ head }) => head === 'outcome')
  return [drawing(timeChart(steps), beside), drawing(sizeChart(steps), beside)]
}

function queryDrawings(queries: readonly ResultQuery[]): readonly Drawing[] {
  const compared = titled('Queries, before and after')
  return [
    drawing(speedupChart(queries), compared),
    drawing(timesChart(queries), compared),
    { ...drawing(spreadChart(queries), compared), folded: true },
    { ...drawing(buffersChart(queries), compared), folded: true },
    drawing(measuredChart(queries), titled('Queries')),
  ]
}

function loadDrawings(load: Parameters<typeof sidesOf>[0]): readonly Drawing[] {
  const sides = sidesOf(load)
  const beside = (block: Block) => block.kind === 'grid' && block.columns.some(({ head }) => head === 'offered')
  return [drawing(loadChart(sides), beside), drawing(percentileChart(sides), beside)]
}

function historyDrawing(query: HistoryResult['queries'][number]): Drawing {
  return drawing(historyChart(query), titled(historyTitle(query)))
}

function noiseDrawing(noise: ResultNoise): Drawing {
  return { ...drawing(noiseChart(noise), titled('Queries, before and after')), folded: true }
}

function variantsDrawing(comparison: Comparison): Drawing {
  const start = `Variants of ${comparison.query}`
  return drawing(variantsChart(comparison), (block) => block.kind === 'grid' && block.title.startsWith(start))
}

function poolDrawings({ servers }: PoolResult): readonly Drawing[] {
  return servers.map((server) =>
    drawing(
      waterfallChart(server),
      (block) => block.kind === 'grid' && (block.title === server.name || block.title.startsWith(`${server.name}:`)),
    ),
  )
}

function titled(title: string): Drawing['beside'] {
  return (block) => block.kind === 'grid' && block.title === title
}

function drawing(chart: Chart, beside: Drawing['beside']): Drawing {
  return { title: chart.title, figure: drawChart(chart), beside }
}
