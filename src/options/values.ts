import type { HazardCode } from '../codes/hazard-codes.js'
import type { Format } from './rows/formats.js'
import type { Report } from './readers.js'
import type { Reader } from './rows/row.js'
import type { buildRows } from './rows/build.js'
import type { commonRows } from './rows/common.js'
import type { loadRows } from './rows/load.js'
import type { adviseRows } from './rows/advise.js'
import type { otherRows } from './rows/other.js'
import type { planRows } from './rows/plan.js'
import type { tenantRows } from './rows/tenants.js'
import type { Window } from './window.js'

/*
 * The values of the option table by their attribute, as types: what a row reads is what its value is, so that an option is typed by its row.
 */

type Row =
  | (typeof planRows)[number]
  | (typeof otherRows)[number]
  | (typeof adviseRows)[number]
  | (typeof loadRows)[number]
  | (typeof tenantRows)[number]
  | (typeof buildRows)[number]
  | (typeof commonRows)[number]

/** `max-wait` of `--max-wait <duration>`; `measure` of `--no-measure`. */
type Name<Flags extends string> = Flags extends `${string}--no-${infer Rest}`
  ? FirstWord<Rest>
  : Flags extends `${string}--${infer Rest}`
    ? FirstWord<Rest>
    : never

type FirstWord<Text extends string> = Text extends `${infer Word} ${string}` ? Word : Text

type Camel<Text extends string> = Text extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Text

type AttributeOf<Each extends Row> = Each extends Row ? Camel<Name<Each['flags']>> : never

type RowOf<Attribute extends string> = Row extends infer Each
  ? Each extends Row
    ? AttributeOf<Each> extends Attribute
      ? Each
      : never
    : never
  : never

interface Values extends Record<Reader, unknown> {
  readonly text: string
  readonly file: string
  readonly folder: string
  readonly command: string
  readonly duration: number
  /** true is the usual: the option without a value. */
  readonly seconds: number | true
  readonly size: number
  readonly count: number
  readonly number: number
  readonly window: Window
  readonly hazards: ReadonlySet<HazardCode>
  readonly format: Format
  readonly reports: readonly Report[]
  readonly texts: readonly string[]
}

type ValueOf<Each extends Row> = Each extends { readonly read: 'flag' }
  ? // perfdb.yaml may say false, and so does --no-.
    Each extends { readonly setting: string } | { readonly flags: `--no-${string}` }
    ? boolean
    : true
  : Each extends { readonly words: readonly (infer Word)[] }
    ? Word | (Each extends { readonly truth: true } ? 'true' | 'false' : never)
    : Values[Each['read']]

type Attribute = AttributeOf<Row>

/** One that may be left out: some command has it, and no default of its own. */
type OptionalAttribute = AttributeOf<
  Exclude<
    Row,
    ({ readonly default: string } & { readonly defaultElsewhere?: never }) | { readonly flags: `--no-${string}` }
  >
>

/** Which of them a command has, its rows say. */
export type Options = { readonly [Each in OptionalAttribute]?: ValueOf<RowOf<Each>> } & {
  readonly [Each in Exclude<Attribute, OptionalAttribute>]: ValueOf<RowOf<Each>>
}
