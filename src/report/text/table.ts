import CliTable from 'cli-table3'
import type { Block, Cell, Column } from '../block/block.js'
import { fitColumns } from './columns.js'
import type { Layout } from '../block/layout.js'
import { ellipsisOf, roomOf } from '../block/layout.js'
import type { Paint } from './paint.js'
import { wrap } from './wrap.js'
import { cutEnd, cutMiddle, partOf, visible, widthOf } from './width.js'

export type Grid = Extract<Block, { kind: 'grid' }>

// cli-table3 compares every cell with every earlier row: 10,000 rows of four cells took 5.3 s at once, 0.8 s in slices.
const rowsAtOnce = 50
const firstStandIn = 0xe000
const standIns = /([\ue000-\uf8ff])\1*/gu

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/**
 * The lines of a table by cli-table3: a rule under the head, two spaces between columns, no line wider than the room.
 * Under `verbose` a long name takes several lines instead of being cut.
 */
export function tableLines(grid: Grid, layout: Layout, paint: Paint): string[] {
  const natural = grid.columns.map((column, at) =>
    naturalWidth(
      column,
      grid.rows.map((row) => row[at]?.text ?? ''),
    ),
  )
  const widths = layout.uncut === true ? natural : fitColumns(grid.columns, natural, roomOf(layout), layout.verbose)
  const shown = grid.columns.flatMap((column, at) => {
    const width = widths[at] ?? 0
    return width > 0 ? [{ column, at, width }] : []
  })
  const head = shown.map(({ column, width }): Cell => ({ text: cutEnd(column.head, width, ''), tone: 'quiet' }))
  const rows = grid.rows.flatMap((row) => rowLines(row, shown, layout))
  const lines: string[] = []
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    lines.push(...slice(shown, from === 0 ? head : null, rows.slice(from, from + rowsAtOnce), layout, paint))
  }
  return lines
}

interface Shown {
  readonly column: Column
  readonly at: number
  readonly width: number
}

/** A column without any content takes no room. */
function naturalWidth(column: Column, texts: readonly string[]): number {
  const widest = texts.reduce((most, text) => Math.max(most, widthOf(visible(text).trim())), 0)
  return widest === 0 ? 0 : Math.max(widest, widthOf(column.head))
}

/** A row as rows of one line each: cli-table3 took 3 s for a dozen cells of twenty lines. */
function rowLines(row: readonly Cell[], shown: readonly Shown[], layout: Layout): Cell[][] {
  const cells = shown.map(({ column, at, width }) => {
    const cell = row[at] ?? { text: '' }
    return cellLines(visible(cell.text).trim(), column, width, layout).map((text) => ({ ...cell, text }))
  })
  const height = Math.max(1, ...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) => cells.map((lines) => lines[line] ?? { text: '' }))
}

function cellLines(text: string, column: Column, width: number, layout: Layout): string[] {
  if (widthOf(text) <= width) return [text]
  if (layout.verbose || column.whole === true) return column.kind === 'prose' ? wrap(text, width) : chopped(text, width)
  const cut = column.kind === 'prose' ? cutEnd : cutMiddle
  return [cut(text, width, ellipsisOf(layout))]
}

function chopped(text: string, width: number): string[] {
  const lines: string[] = []
  for (let rest = text; rest !== '';) {
    const head = partOf(rest, width)
    // A wide character in a column of one can not be drawn at all.
    if (head === '') break
    lines.push(head.trimEnd())
    rest = rest.slice(head.length)
  }
  return lines
}

/**
 * cli-table3 measures with string-width 4, which gives marks of Thai or Devanagari a column of their own and would shift
 * the table. So it lays out a private character, one a column, and the painted text takes its place afterwards.
 */
function slice(
  shown: readonly Shown[],
  head: readonly Cell[] | null,
  rows: readonly (readonly Cell[])[],
  layout: Layout,
  paint: Paint,
): string[] {
  const painted: string[] = []
  const standIn = ({ text, tone }: Cell): string => {
    painted.push(paint(tone ?? 'plain', text))
    return String.fromCharCode(firstStandIn + painted.length - 1).repeat(widthOf(text))
  }
  const table = new CliTable({
    chars: head === null ? noLines : { ...noLines, mid: layout.unicode ? '─' : '-', 'mid-mid': '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: shown.map(({ width }) => width),
    colAligns: shown.map(({ column }) => (column.kind === 'number' ? 'right' : 'left')),
    ...(head === null ? {} : { head: head.map(standIn) }),
  })
  table.push(...rows.map((row) => row.map(standIn)))
  return table
    .toString()
    .split('\n')
    .map((line) => paintRule(line.trimEnd(), paint))
    .map((line) => line.replace(standIns, (run) => painted[run.charCodeAt(0) - firstStandIn] ?? ''))
}

function paintRule(line: string, paint: Paint): string {
  return /^[─-][─ -]*$/u.test(line) ? paint('quiet', line) : line
}
