import type { Finding } from '../../plan/plan.js'
import type { ParameterSet, Query } from '../../profile/profile.js'
import type { Buffers } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import type { MedianInterval, Rounds } from './statistics.js'
import type { Block, Control, IndexShape, Subject } from './subject.js'

/** refused: not run; not_measured: stopped by a timeout or a lock; failed: the server reported another error. */
export type MeasurementStatus = 'measured' | 'not_measured' | 'refused' | 'failed'

/** One query with one parameter set. Plain data: it can be kept as JSON and compared later. */
export interface Measurement {
  /** Name of the parameter set; null for a query without parameters. */
  readonly params: string | null
  readonly status: MeasurementStatus
  readonly reason: string | null
  readonly sqlstate: string | null
  /** statement_timeout in ms when that ended it: the query takes longer. */
  readonly timedOutMs: number | null
  /** Execution time of each sample in ms, TIMING OFF, after the warm-up. */
  readonly executionMs: readonly number[]
  /** Execution time of the control query in ms, sampled in the same rounds. */
  readonly controlMs: readonly number[]
  /** The same samples by block: another one for each time that it was measured in this run. */
  readonly blocks?: readonly Block[]
  /** The same samples by round, where it took turns with the other side of a comparison. */
  readonly rounds?: Rounds
  /** What ran. */
  readonly subject?: Subject
  /** Median in ms. */
  readonly planningMs: number
  readonly rows: number
  /** Of the last, warmest sample. */
  readonly buffers: Buffers
  /** Of one run with TIMING ON, or without a run when there is no measurement; null when there is not even that. */
  readonly plan: QueryPlan | null
  readonly findings: readonly Finding[]
  /** What the query plan reads. */
  readonly tables: readonly TableSize[]
  /** The valid indexes of these tables, used or not; not read where nothing was measured. */
  readonly indexes?: readonly IndexShape[]
  /** Wanted indexes that it does not use: `expect.uses`, and those that `indexesFor` names. */
  readonly unchosen: readonly UnchosenIndex[]
}

export interface TableSize {
  /** `schema.table` */
  readonly table: string
  readonly pages: number
  /** `12 rows` */
  readonly size: string
}

/** A variant: statements that answer the same question one after another. Times in ms. */
export interface VariantMeasurement {
  readonly name: string
  readonly statements: number
  /** Sum over the statements of median execution and planning time. */
  readonly serverMs: { readonly median: number; readonly low: number; readonly high: number }
  /** On the client, one statement after another, rows fetched. */
  readonly elapsedMs: MedianInterval
  /** All statements sent together; null for one statement. */
  readonly pipelinedMs: MedianInterval | null
  /** Spread over connections; null where they were not. */
  readonly concurrentMs: MedianInterval | null
  readonly connections: number
}

export interface QueryMeasurement {
  readonly query: Query
  /** One for each parameter set, or one; for a query with variants one for each statement of each variant. */
  readonly measurements: readonly Measurement[]
  readonly variants: readonly VariantMeasurement[]
  /** Values from the statistics, where the query has parameters and no values. */
  readonly sampled?: readonly ParameterSet[]
  /** Sampled in the same rounds; left out where there was none. */
  readonly control?: Control
  /** The shortest of 20 round trips in ms; null without variants. */
  readonly roundTripMs: number | null
  /** Whether the other variants answer as the first does. */
  readonly answers?: readonly RowsAnswer[]
  /** Why no variant was spread over connections, where that was to be. */
  readonly notConcurrent?: string | null
}

/** An index that was wanted for a query and that its query plan does not use. */
export interface UnchosenIndex {
  readonly index: string
  /** `schema.table`; empty when there is no such index. */
  readonly table: string
  /** `0 rows`, of the table. */
  readonly size: string
  /** The table has so few pages that the planner reads them all whatever indexes there are. */
  readonly small: boolean
  /** What the planner takes on that table without sequential scans: this index, another one, or none. */
  readonly without: 'this' | 'other' | 'none'
  /** An index of a partition stands for it in the query plan. */
  readonly part: string | null
  /** Why it is not used. */
  readonly reason: string
}

/** Whether a variant answers as the first one does. */
export interface RowsAnswer {
  readonly variant: string
  readonly against: string
  readonly answer: 'same_rows' | 'same_values' | 'other_rows' | 'not_comparable'
  readonly reason: string | null
}
