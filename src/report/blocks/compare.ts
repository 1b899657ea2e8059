import type { ComparedQuery, CompareResult } from '../../result/documents/compare-result.js'
import { count, duration, several } from '../../text/amounts.js'
import type { Block, Cell, Item } from '../block/block.js'
import { findingBlocks } from '../block/findings.js'

/** Two files of query plans side by side: numbers in a grid, then the shapes that differ and the findings that came and went. */
export function compareBlocks({ before, after, queries, only, findings }: CompareResult): Block[] {
  const other = queries.filter(({ same_shape: same }) => same === false).length
  const shapes = other === 0 ? 'all of the same shape' : `${several(other, 'query', 'queries')} of another shape`
  return [
    { kind: 'verdict', tone: 'plain', text: `${several(queries.length, 'query', 'queries')} compared: ${shapes}` },
    { kind: 'text', tone: 'quiet', text: `before: ${before}; after: ${after}` },
    {
      kind: 'grid',
      title: 'Query plans, before and after',
      columns: [
        { head: 'query', kind: 'name', floor: 16 },
        { head: 'shape', kind: 'word' },
        { head: 'cost', kind: 'number', drop: 1 },
        { head: 'rows', kind: 'number', drop: 2 },
        { head: 'buffers', kind: 'number' },
        { head: 'time', kind: 'number' },
      ],
      rows: queries.map(row),
    },
    ...queries.flatMap(shapeBlocks),
    { kind: 'items', title: '', items: [...onlyItems('before', only.before), ...onlyItems('after', only.after)] },
    { kind: 'text', tone: 'quiet', text: 'One run of each proves no difference in time: perfdb explain measures.' },
    ...findingBlocks(findings),
  ]
}

function row({ name, same_shape: same, cost, rows, buffers, time }: ComparedQuery): Cell[] {
  return [
    { text: name },
    { text: same === null ? 'not known' : same ? 'same' : 'other', tone: same === false ? 'warn' : 'quiet' },
    { text: change(cost, count) },
    { text: change(rows, count) },
    { text: change(buffers, count) },
    { text: change(time, duration) },
  ]
}

function change({ before, after }: ComparedQuery['cost'], text: (value: number) => string): string {
  const side = (value: number | null) => (value === null ? '-' : text(value))
  return `${side(before)} -> ${side(after)}`
}

function shapeBlocks({ name, shapes, findings }: ComparedQuery): Block[] {
  const items: Item[] = [
    ...findings.gone.map((code): Item => ({ tone: 'good', label: 'gone', text: code, details: [] })),
    ...findings.new.map((code): Item => ({ tone: 'warn', label: 'new', text: code, details: [] })),
    ...(shapes === undefined
      ? []
      : (['before', 'after'] as const).map((side): Item => ({
          tone: 'quiet',
          label: side,
          text: shapes[side][0] ?? '',
          details: shapes[side].slice(1, mostLines).map((text) => ({ label: '', text })),
        }))),
  ]
  return items.length === 0 ? [] : [{ kind: 'items', title: name, items }]
}

const mostLines = 60

function onlyItems(side: string, names: readonly string[]): Item[] {
  return names.map((name) => ({ tone: 'quiet', label: `only ${side}`, text: name, details: [] }))
}
