import type { ResultFinding, ResultMeasurement, ResultQuery } from '../../result/documents/result.js'
import type { Block, Cell, Item, Tone } from '../block/block.js'
import { findingBlocks } from '../block/findings.js'
import { count, duration, withThousands, several, speedup, timeInterval } from '../../text/amounts.js'

const statusWords: Readonly<Record<ResultQuery['status'], string>> = {
  measured: 'measured',
  planned: 'planned',
  not_measured: 'not measured',
  refused: 'refused',
  failed: 'failed',
}
export const verdictTones: Readonly<Record<NonNullable<ResultQuery['verdict']>, Tone>> = {
  faster: 'good',
  same: 'quiet',
  slower: 'bad',
  inconclusive: 'warn',
}

/** Queries measured before and after: times, speedup with its interval, buffers, verdict. */
export function comparedBlocks(queries: readonly ResultQuery[]): Block[] {
  const compared = queries.filter((query) => query.before !== undefined && query.after !== undefined)
  const rows = compared.map((query): Cell[] => [
    { text: queryTitle(query) },
    { text: medianOf(query.before) },
    { text: medianOf(query.after) },
    { text: query.speedup === undefined ? '' : speedup(query.speedup), tone: toneOf(query) },
    { text: buffersChange(query) },
    { text: query.verdict ?? '', tone: toneOf(query) },
  ])
  return [
    {
      kind: 'grid',
      title: 'Queries, before and after',
      columns: [
        { head: 'query', kind: 'name', floor: 16 },
        { head: 'before', kind: 'number' },
        { head: 'after', kind: 'number' },
        { head: 'speedup', kind: 'number' },
        { head: 'buffers', kind: 'number', drop: 2 },
        { head: 'verdict', kind: 'word', drop: 1 },
      ],
      rows,
    },
  ]
}

/** Queries measured once: median with its interval, planning, buffers, rows, indexes that the query plan uses. */
export function measuredBlocks(queries: readonly ResultQuery[]): Block[] {
  const rows = queries.flatMap((query): Cell[][] => {
    if (query.before !== undefined && query.after !== undefined) return []
    const measured = query.after ?? query.before
    if (measured === undefined) return []
    return [
      [
        { text: queryTitle(query) },
        { text: timeInterval(measured.execution_ms) },
        { text: duration(measured.planning_ms) },
        { text: buffersText(measured) },
        { text: count(measured.rows) },
        {
          text: measured.indexes.length === 0 ? 'none' : measured.indexes.join(', '),
          tone: measured.indexes.length === 0 ? 'quiet' : 'plain',
        },
      ],
    ]
  })
  return [
    {
      kind: 'grid',
      title: 'Queries',
      columns: [
        { head: 'query', kind: 'name', floor: 16 },
        { head: 'execution', kind: 'number' },
        { head: 'planning', kind: 'number', drop: 2 },
        { head: 'buffers', kind: 'number' },
        { head: 'rows', kind: 'number', drop: 3 },
        { head: 'indexes used', kind: 'prose', floor: 20, drop: 1 },
      ],
      rows,
    },
  ]
}

/** Queries that were planned on a twin: cost, rows, indexes of the query plan. */
export function plannedBlocks(queries: readonly ResultQuery[]): Block[] {
  const rows = queries.flatMap((query): Cell[][] => {
    const { planned } = query
    if (planned === undefined) return []
    const none = planned.indexes.length === 0
    return [
      [
        { text: queryTitle(query) },
        { text: withThousands(Math.round(planned.cost)) },
        { text: count(planned.rows) },
        { text: none ? 'none' : planned.indexes.join(', '), tone: none ? 'quiet' : 'plain' },
      ],
    ]
  })
  return [
    {
      kind: 'grid',
      title: 'Queries, as the planner estimates them',
      columns: [
        { head: 'query', kind: 'name', floor: 16 },
        { head: 'cost', kind: 'number' },
        { head: 'rows', kind: 'number', drop: 3 },
        { head: 'indexes used', kind: 'prose', floor: 20, drop: 1 },
      ],
      rows,
    },
  ]
}

/** Missed expectations as errors, unmeasured queries with the reason, and the findings of every query. */
export function queryNotes(queries: readonly ResultQuery[], others: readonly ResultFinding[]): Block[] {
  const missed = queries.flatMap((query) =>
    query.expectations
      .filter((expectation) => !expectation.met)
      .map((expectation): Item => ({
        tone: 'bad',
        label: 'missed',
        text: `${queryTitle(query)}: expected ${expectation.expect}, got ${expectation.actual}`,
        details: [],
      })),
  )
  const unmeasured = queries.filter((query) => query.status !== 'measured' && query.status !== 'planned')
  const unclear = queries.filter(({ verdict, status }) => verdict === 'inconclusive' && status === 'measured')
  const unchecked = queries.flatMap((query) =>
    query.expectations
      .filter((expectation) => expectation.not_checked === true)
      .map(({ expect, actual }): Item => {
        const text = `${queryTitle(query)}: ${expect}: ${actual.replace(/^not checked: /, '')}`
        return { tone: 'quiet', label: 'not checked', text, details: [] }
      }),
  )
  // A missed expectation is told once, with what was measured.
  const findings = [
    ...queries.flatMap((query) =>
      query.findings.map((finding) => ({ ...finding, query: finding.query ?? query.name })),
    ),
    ...others,
  ].filter((finding) => missed.length === 0 || finding.code !== 'EXPECTATION_MISSED')
  return [
    {
      kind: 'items',
      title: missed.length === 0 ? '' : several(missed.length, 'expectation missed', 'expectations missed'),
      items: missed,
    },
    {
      kind: 'items',
      title: unmeasured.length === 0 ? '' : several(unmeasured.length, 'query not measured', 'queries not measured'),
      items: unmeasured.map((query) => ({
        tone: 'warn',
        label: statusWords[query.status],
        text: query.reason === undefined ? queryTitle(query) : `${queryTitle(query)}: ${query.reason}`,
        details: [],
      })),
      limit: 10,
    },
    {
      kind: 'items',
      title: unclear.length === 0 ? '' : several(unclear.length, 'query inconclusive', 'queries inconclusive'),
      items: unclear.map((query) => ({
        tone: 'warn',
        label: 'inconclusive',
        text: `${queryTitle(query)}: ${query.reason ?? ''}`,
        details: [],
      })),
      limit: 10,
    },
    { kind: 'items', title: '', items: unchecked, limit: 10 },
    ...findingBlocks(unique(findings)),
  ]
}

/** `4 queries: 2 faster, 1 same, 1 not measured`; empty without queries. */
export function queryTally(queries: readonly ResultQuery[]): string {
  if (queries.length === 0) return ''
  const words = queries.map((query) => query.verdict ?? statusWords[query.status])
  const parts = [...new Set(words)]
    .toSorted()
    .map((word) => `${withThousands(words.filter((each) => each === word).length)} ${word}`)
  return `${several(queries.length, 'query', 'queries')}: ${parts.join(', ')}`
}

/** `jobs-by-status (hot)`: the set of parameters decided. */
export function queryTitle(query: ResultQuery): string {
  return query.params === undefined || query.params === 'default' ? query.name : `${query.name} (${query.params})`
}

function toneOf(query: ResultQuery): Tone {
  return query.verdict === undefined ? 'quiet' : verdictTones[query.verdict]
}

function medianOf(measurement: ResultMeasurement | undefined): string {
  return measurement === undefined ? '' : duration(measurement.execution_ms.median)
}

function buffersChange(query: ResultQuery): string {
  if (query.before === undefined || query.after === undefined) return ''
  return `${count(sharedOf(query.before))} -> ${count(sharedOf(query.after))}`
}

function buffersText(measurement: ResultMeasurement): string {
  const shared = count(sharedOf(measurement))
  return measurement.buffers.temp > 0 ? `${shared} + ${count(measurement.buffers.temp)} temp` : shared
}

function sharedOf({ buffers }: ResultMeasurement): number {
  return buffers.hit + buffers.read
}

/** The same finding may stand at its query and in the list of the whole document. */
function unique(findings: readonly ResultFinding[]): ResultFinding[] {
  const seen = new Set<string>()
  return findings.filter((finding) => {
    const key = JSON.stringify([finding.code, finding.query, finding.index, finding.message])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
