import type { Definition, TableName } from '../definition/definition.js'
import type { Place } from '../errors.js'
import type { DeclaredLoad } from './load.js'
import type { Filled } from '../yaml/document/env.js'

export interface DeclaredIndex {
  readonly definition: Definition
  /** Names of the profile's queries that justify it. */
  readonly for: readonly string[]
  readonly why?: string
  /** Built by somebody else, it is rebuilt once. */
  readonly reindex?: true | undefined
  readonly place: Place
}

export interface AbsentIndex {
  readonly schema: string
  readonly name: string
  readonly place: Place
}

/** One list of parameter values. Values are PostgreSQL's text form (arrays as '{a,b}'), null is SQL NULL. */
export interface ParameterSet {
  /** `default` for a plain list. */
  readonly name: string
  readonly values: readonly (string | null)[]
}

export interface Expectation {
  readonly uses?: readonly string[]
  /** At least, by the lower end of the interval. */
  readonly speedup?: number
  /** Median execution time at most. */
  readonly timeMs?: number
  /** Shared hit + read blocks at most. */
  readonly buffers?: number
  /** The planner's estimated total cost at most. */
  readonly cost?: number
  /** Finding codes that must not appear. */
  readonly forbid?: readonly string[]
}

export interface Variant {
  readonly name: string
  readonly statements: readonly string[]
}

/** A query of a profile: `sql` with its parameter sets, or variants that answer the same question. */
export interface Query {
  readonly name: string
  readonly sql?: string
  readonly parameters: readonly ParameterSet[]
  readonly variants: readonly Variant[]
  readonly expect: Expectation
  /** What one run of it counts for in prices, against one run of another query. */
  readonly weight?: number
  readonly place: Place
}

/** Every statement of a query: its own, or those of its variants. */
export function textsOf({ sql, variants }: Query): readonly string[] {
  return [...(sql === undefined ? [] : [sql]), ...variants.flatMap(({ statements }) => statements)]
}

/** A complete profile: every default filled in, every table qualified. */
export interface Profile {
  readonly name: string
  readonly file: string
  readonly schema: string
  readonly indexes: readonly DeclaredIndex[]
  readonly absent: readonly AbsentIndex[]
  readonly extensions: readonly { readonly name: string; readonly place: Place }[]
  readonly analyze: readonly { readonly table: TableName; readonly place: Place }[]
  readonly queries: readonly Query[]
  readonly load?: DeclaredLoad
  /** Its SQL and parameters that hold something from the environment: reports and the ledger have them as written. */
  readonly filled?: readonly Filled[]
}
