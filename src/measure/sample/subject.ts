import type { Parameter } from '../../server/session/session.js'

/** A statement that may be run, with the values of its parameters. */
export interface Subject {
  readonly text: string
  readonly values: readonly Parameter[]
  readonly writes: boolean
  /** The values are of the columns' statistics. */
  readonly sampled?: boolean
  /** Conditions of the generic query plan, see isSaid; absent where there is none. */
  readonly said?: ReadonlySet<string>
}

/** Samples that were taken at one time of the run, in the order in which they were taken, in ms. */
export interface Block {
  readonly executionMs: readonly number[]
  /** Of the control query, in the same rounds. */
  readonly controlMs: readonly number[]
}

/** A query that no index changes, with the planner settings that it runs with: its time changes with the machine alone. */
export interface Control {
  readonly text: string
  readonly set: Readonly<Record<string, string>>
}

/** An index of a table (`schema.table`) and what it is, without its name: `(customer_id, created_at desc) where open`. */
export interface IndexShape {
  readonly table: string
  readonly name: string
  readonly shape: string
}
