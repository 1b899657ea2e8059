import type { HistoryResult } from '../../result/documents/history-result.js'
import type { Block, Cell, Column, Tone } from '../block/block.js'
import type { Layout } from '../block/layout.js'
import { serverText } from './steps.js'
import { verdictTones } from './queries.js'
import { bytes, duration, moment, several, speedup } from '../../text/amounts.js'

/** One line for each query and index, with how it went over the runs; of one alone a line for each run. */
export function historyBlocks(result: HistoryResult, layout: Layout): Block[] {
  const { queries, indexes } = result
  const alone = queries.length + indexes.length === 1
  return [
    { kind: 'verdict', tone: 'plain', text: historyVerdict(result) },
    { kind: 'text', tone: 'quiet', text: serverText(result.server) },
    ...queries.map((query) => (alone ? queryRuns(query) : [])).flat(),
    ...indexes.map((index) => (alone ? indexRuns(index) : [])).flat(),
    ...(alone || queries.length === 0 ? [] : [queryGrid(queries, layout)]),
    ...(alone || indexes.length === 0 ? [] : [indexGrid(indexes, layout)]),
  ]
}

/** `The last 20 runs: 5 queries, 31 indexes`. */
function historyVerdict({ ledger, name, queries, indexes, runs }: HistoryResult): string {
  if (!ledger) return 'no ledger in this database'
  const of = name === undefined ? '' : ` of ${name}`
  const latest = runs === 1 ? 'the last run' : `the last ${runs} runs`
  if (runs === 0) return 'no runs yet'
  if (queries.length + indexes.length === 0) return `nothing${of} in ${latest}`
  const parts = [
    ...(queries.length === 0 ? [] : [several(queries.length, 'query', 'queries')]),
    ...(indexes.length === 0 ? [] : [several(indexes.length, 'index', 'indexes')]),
  ]
  return `${latest}${of}: ${parts.join(', ')}`
}

type Query = HistoryResult['queries'][number]
type Index = HistoryResult['indexes'][number]

/** The time that counts of a run: after its builds, else before. */
export function timeOf({ after, before }: Query['runs'][number]): number | null {
  return (after ?? before)?.execution_ms.median ?? null
}

export function historyTitle({ name, params }: Query): string {
  return params === undefined ? name : `${name} (${params})`
}

/** The columns of both grids: what it is, and how it went from the first run to the last. */
function trendColumns(of: 'query' | 'index', value: string, last: string): readonly Column[] {
  return [
    { head: of, kind: 'name' },
    { head: 'runs', kind: 'number', drop: 2 },
    { head: 'trend', kind: 'word', drop: 1 },
    { head: `first${value}`, kind: 'number' },
    { head: `last${value}`, kind: 'number' },
    { head: `last ${last}`, kind: 'word' },
  ]
}

/** The cells of `runs`, `trend`, `first` and `last`. */
function trendCells(runs: number, values: readonly number[], unit: (value: number) => string, layout: Layout): Cell[] {
  const [first] = values
  const last = values.at(-1)
  return [
    { text: String(runs) },
    { text: sparkline(values, layout) },
    { text: first === undefined ? '' : unit(first) },
    { text: last === undefined ? '' : unit(last) },
  ]
}

function queryGrid(queries: readonly Query[], layout: Layout): Block {
  const rows = queries.map((query): readonly Cell[] => {
    const times = query.runs.flatMap((run) => timeOf(run) ?? [])
    const verdict = query.runs.findLast((run) => run.verdict !== undefined)?.verdict
    return [
      { text: historyTitle(query) },
      ...trendCells(query.runs.length, times, duration, layout),
      { text: verdict ?? '', tone: toneOf(verdict) },
    ]
  })
  return { kind: 'grid', title: 'Queries', columns: trendColumns('query', '', 'verdict'), rows }
}

function indexGrid(indexes: readonly Index[], layout: Layout): Block {
  const rows = indexes.map(({ index, runs }): readonly Cell[] => {
    const sizes = runs.flatMap(({ size_bytes: size }) => size ?? [])
    const last = runs.at(-1)
    return [
      { text: index },
      ...trendCells(runs.length, sizes, bytes, layout),
      { text: last === undefined ? '' : `run ${last.run}: ${last.outcome ?? 'not finished'}` },
    ]
  })
  return { kind: 'grid', title: 'Indexes', columns: trendColumns('index', ' size', 'step'), rows }
}

function queryRuns(query: Query): readonly Block[] {
  const columns: readonly Column[] = [
    { head: 'run', kind: 'number' },
    { head: 'when', kind: 'word', drop: 1 },
    { head: 'before', kind: 'number' },
    { head: 'after', kind: 'number' },
    { head: 'speedup', kind: 'number', drop: 2 },
    { head: 'verdict', kind: 'word' },
  ]
  const rows = query.runs.map(({ run, at, before, after, speedup: factor, verdict }): readonly Cell[] => [
    { text: String(run) },
    { text: moment(at), tone: 'quiet' },
    { text: before === undefined ? '' : duration(before.execution_ms.median) },
    { text: after === undefined ? '' : duration(after.execution_ms.median) },
    { text: factor === undefined ? '' : speedup(factor) },
    { text: verdict ?? '', tone: toneOf(verdict) },
  ])
  return [{ kind: 'grid', title: historyTitle(query), columns, rows }]
}

function indexRuns({ schema, index, runs }: Index): readonly Block[] {
  const columns: readonly Column[] = [
    { head: 'run', kind: 'number' },
    { head: 'when', kind: 'word', drop: 1 },
    { head: 'step', kind: 'word' },
    { head: 'outcome', kind: 'word' },
    { head: 'size', kind: 'number' },
    { head: 'time', kind: 'number', drop: 2 },
  ]
  const rows = runs.map(({ run, at, step, outcome, size_bytes: size, duration_ms: time }): readonly Cell[] => [
    { text: String(run) },
    { text: moment(at), tone: 'quiet' },
    { text: step },
    { text: outcome ?? 'not finished', tone: outcome === null || outcome === 'failed' ? 'bad' : 'plain' },
    { text: size === undefined ? '' : bytes(size) },
    { text: time === undefined ? '' : duration(time) },
  ])
  return [{ kind: 'grid', title: `${schema}.${index}`, columns, rows }]
}

function toneOf(verdict: string | undefined): Tone {
  return verdict !== undefined && verdict in verdictTones ? verdictTones[verdict as keyof typeof verdictTones] : 'plain'
}

/** One sign a run, the lowest at the least value; on a terminal without Unicode by digits from 0 to 7. Nothing for a single run. */
export function sparkline(values: readonly number[], { unicode }: Pick<Layout, 'unicode'>): string {
  if (values.length < 2) return ''
  const least = Math.min(...values)
  const range = Math.max(...values) - least
  const levels = unicode ? '▁▂▃▄▅▆▇█' : '01234567'
  return values.map((value) => levels[range === 0 ? 0 : Math.round(((value - least) / range) * 7)]).join('')
}
