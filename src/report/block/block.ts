/*
 * Between a document and a format stand blocks: what to show, in which order, without saying how. Each command turns its
 * document into blocks once, each format draws every kind of block once.
 */
export type Tone = 'good' | 'bad' | 'warn' | 'quiet' | 'plain'

export interface Column {
  readonly head: string
  /** sign and number are never cut by choice, names in the middle, prose at the end and before any name. */
  readonly kind: 'sign' | 'name' | 'number' | 'word' | 'prose'
  /** Columns that a name or prose keeps before something is dropped; 12 unless said. */
  readonly floor?: number
  /** Where the table does not fit, columns with the smallest number go first; without one a column stays. */
  readonly drop?: number
  /** Prose that is told whole, on as many lines as it takes. */
  readonly whole?: true
}

export interface Cell {
  readonly text: string
  readonly tone?: Tone
}

/** One thing to tell, in the manner of a compiler: `error[CODE]: text`, then its details, one a line. */
export interface Item {
  readonly tone: Tone
  readonly label: string
  readonly text: string
  readonly details: readonly Detail[]
}

export interface Detail {
  /** `-->` for a place, `hint`, `detail` ... */
  readonly label: string
  readonly text: string
  /** Of the whole line: what a diff takes away or adds. */
  readonly tone?: Tone
}

export interface Script {
  readonly title: string
  readonly statements: readonly string[]
}

export type Block =
  | { readonly kind: 'verdict'; readonly tone: Tone; readonly text: string }
  /** `next` says what to do now: at its place in a text, on a page in its head. */
  | { readonly kind: 'text'; readonly tone: Tone; readonly text: string; readonly next?: true }
  | {
      readonly kind: 'grid'
      readonly title: string
      readonly columns: readonly Column[]
      readonly rows: readonly (readonly Cell[])[]
    }
  | {
      readonly kind: 'items'
      readonly title: string
      readonly items: readonly Item[]
      /** How many are shown without --verbose; all unless said. A block with a limit is folded in markdown. */
      readonly limit?: number
    }
  /** Lines to paste into a file, as they are: never wrapped, nothing in front. */
  | { readonly kind: 'paste'; readonly title: string; readonly lines: readonly string[] }
  /** SQL to read: in text under --verbose only, in markdown folded. */
  | { readonly kind: 'scripts'; readonly title: string; readonly scripts: readonly Script[] }

/** The detail when there is something to say. */
export function detail(label: string, text: string | undefined): readonly Detail[] {
  return text === undefined || text === '' ? [] : [{ label, text }]
}
