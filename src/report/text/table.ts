import type { Block, Cell, Column } from '../block/block.js'
import { fitColumns } from './columns.js'
import type { Layout } from '../block/layout.js'
import { ellipsisOf, roomOf } from '../block/layout.js'
import type { Paint } from './paint.js'
import { wrap } from './wrap.js'
import { cutEnd, cutMiddle, partOf, visible, widthOf } from './width.js'

export type Grid = Extract<Block, { kind: 'grid' }>

/**
 * The lines of a table: a rule under the head, two spaces between columns, no line wider than the room.
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
  if (rows.length === 0) return []
  const rule = shown.map(({ width }) => (layout.unicode ? '─' : '-').repeat(width)).join('  ')
  const line = (cells: readonly Cell[]) => lineOf(cells, shown, paint)
  return [line(head), paint('quiet', rule), ...rows.map(line)]
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

/** A row as rows of one line each. */
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

function lineOf(cells: readonly Cell[], shown: readonly Shown[], paint: Paint): string {
  return shown
    .map(({ column, width }, at) => {
      const { text, tone } = cells[at] ?? { text: '' }
      const gap = ' '.repeat(Math.max(0, width - widthOf(text)))
      const painted = paint(tone ?? 'plain', text)
      return column.kind === 'number' ? gap + painted : painted + gap
    })
    .join('  ')
    .trimEnd()
}
