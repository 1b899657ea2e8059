/** How much room a text has and what the terminal can show. The command line measures it; nothing here looks. */
export interface Layout {
  /** Columns of the terminal; below 40 it is taken as 40. */
  readonly width: number
  readonly color: boolean
  /** false keeps to ASCII for what perfdb draws itself; names are printed as the server has them. */
  readonly unicode: boolean
  /** Everything folds open: kept steps, SQL, long lists, full names. */
  readonly verbose: boolean
  /** Nobody's terminal: tables are as wide as what is in them. */
  readonly uncut?: boolean
}

/** Room for a line: no table can be drawn in less than 40 columns. */
export function roomOf(layout: Layout): number {
  return Math.max(40, Math.floor(layout.width))
}

/** What stands for cut text. */
export function ellipsisOf(layout: Layout): string {
  return layout.unicode ? '…' : '...'
}
