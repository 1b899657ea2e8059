import type { Column } from '../block/block.js'

const gap = 2

/**
 * Widths for the columns of a table so that it fits the room, 0 for a column that is left out. `natural` are the widths that
 * nothing would be cut at. First prose gives way, then names down to their floor (the widest first), then droppable columns
 * go, and only then names are cut below their floor. `keepAll` drops nothing as long as the floors fit.
 */
export function fitColumns(
  columns: readonly Column[],
  natural: readonly number[],
  room: number,
  keepAll = false,
): readonly number[] {
  if (keepAll) {
    const floors = columns.map((column, at) => floorOf(column, natural[at] ?? 0))
    const all = shrinkTo(
      natural,
      floors,
      room,
      columns.map(({ kind, head }) => ({ kind, head })),
    )
    if (all !== null) return all
  }
  const droppable = columns
    .map((column, at) => ({ at, drop: column.drop }))
    .filter((each) => each.drop !== undefined)
    .toSorted((a, b) => (a.drop ?? 0) - (b.drop ?? 0))
    .map((each) => each.at)
  for (let dropped = 0; dropped <= droppable.length; dropped++) {
    const left = new Set(droppable.slice(0, dropped))
    const start = natural.map((width, at) => (left.has(at) ? 0 : width))
    const floors = columns.map((column, at) => floorOf(column, start[at] ?? 0))
    const widths = shrinkTo(start, floors, room, columns)
    if (widths !== null) return widths
    if (dropped === droppable.length) {
      const least = start.map((width) => Math.min(width, 1))
      return shrinkTo(start, least, room, []) ?? least
    }
  }
  return natural
}

/** What the table takes on a line. */
export function tableWidth(widths: readonly number[]): number {
  const shown = widths.filter((width) => width > 0)
  return shown.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, shown.length - 1)
}

function floorOf(column: Column, width: number): number {
  return column.kind === 'name' || column.kind === 'prose'
    ? Math.min(width, Math.max(column.floor ?? 12, column.head.length))
    : width
}

/** null when the floors do not fit, or when prose that could go would stay while names are cut. */
function shrinkTo(
  start: readonly number[],
  floors: readonly number[],
  room: number,
  columns: readonly Column[],
): readonly number[] | null {
  const widths = [...start]
  takeFrom(widths, floors, room, (at) => columns[at]?.kind === 'prose')
  if (tableWidth(widths) <= room) return widths
  if (columns.some((column, at) => column.kind === 'prose' && column.drop !== undefined && (widths[at] ?? 0) > 0))
    return null
  takeFrom(widths, floors, room, () => true)
  return tableWidth(widths) <= room ? widths : null
}

function takeFrom(widths: number[], floors: readonly number[], room: number, allowed: (at: number) => boolean): void {
  while (tableWidth(widths) > room) {
    let widest = -1
    for (const [at, width] of widths.entries()) {
      if (allowed(at) && width > (floors[at] ?? 0) && width > (widths[widest] ?? 0)) widest = at
    }
    if (widest < 0) return
    widths[widest] = (widths[widest] ?? 1) - 1
  }
}
