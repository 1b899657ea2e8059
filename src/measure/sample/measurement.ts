import type { Finding } from '../../plan/plan.js'
import type { ParameterSet, Query } from '../../profile/profile.js'
import type { Session } from '../../server/session.js'
import type { UnchosenIndex } from '../why/probe.js'
import type { Buffers } from '../plan/plan-node.js'
import type { QueryPlan } from '../plan/query-plan.js'
import type { MedianInterval } from './statistics.js'
import type { RowsAnswer } from '../variants/variants-rows.js'

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
  /** The shortest of 20 round trips in ms; null without variants. */
  readonly roundTripMs: number | null
  /** Whether the other variants answer as the first does. */
  readonly answers?: readonly RowsAnswer[]
  /** Why no variant was spread over connections, where that was to be. */
  readonly notConcurrent?: string | null
}

export interface MeasureOptions {
  /** At most; 101 by default. At least 21 are taken when the time budget allows. */
  readonly samples?: number | undefined
  /** For one query in ms, warm-up and control query not counted; 5000 by default. */
  readonly timeBudgetMs?: number | undefined
  /**
   * For all queries together in ms: what is left is shared by the queries that are left. 60000 by default; no limit when
   * timeBudgetMs is given.
   */
  readonly totalBudgetMs?: number | undefined
  /** 30000 by default. */
  readonly statementTimeoutMs?: number | undefined
  /** 1000 by default. */
  readonly lockTimeoutMs?: number | undefined
  /** The hazard WRITE_QUERY was allowed: statements that change data run too, and are rolled back. */
  readonly allowWrites: boolean
  /**
   * A query that no index of the profile touches; by default one that reads no table. null for none: where nothing is compared with
   * another time it only takes time itself.
   */
  readonly control?: string | null | undefined
  /** Names of the indexes that stand for this query: it is told why it does not use one. */
  readonly indexesFor?: ((query: Query) => readonly string[]) | undefined
  /** Opens another session of the role `measure`: variants of several statements are then run on up to four as well. */
  readonly connect?: (() => Promise<Session>) | undefined
  readonly signal?: AbortSignal | undefined
  readonly onMeasured?: ((measured: QueryMeasurement, done: number, total: number) => void) | undefined
}

/** Options with their defaults. */
export interface Limits {
  readonly samples: number
  readonly timeBudgetMs: number
  readonly totalBudgetMs: number
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly allowWrites: boolean
  readonly control: string | null
  readonly indexesFor: MeasureOptions['indexesFor']
  readonly connect: MeasureOptions['connect']
  readonly signal: AbortSignal | undefined
}

/**
 * A built-in control query: a millisecond or two of processor time, no table, no work_mem, no parallel workers, so that
 * only the machine's load changes its time.
 */
const builtInControl = 'select pg_catalog.sum(n) from pg_catalog.generate_series(1, 10000) as g (n)'

export function limitsOf(options: MeasureOptions): Limits {
  return {
    samples: options.samples ?? 101,
    timeBudgetMs: options.timeBudgetMs ?? 5000,
    totalBudgetMs: options.totalBudgetMs ?? (options.timeBudgetMs === undefined ? 60_000 : Number.POSITIVE_INFINITY),
    statementTimeoutMs: options.statementTimeoutMs ?? 30_000,
    lockTimeoutMs: options.lockTimeoutMs ?? 1000,
    allowWrites: options.allowWrites,
    control: options.control === undefined ? builtInControl : options.control,
    indexesFor: options.indexesFor,
    connect: options.connect,
    signal: options.signal,
  }
}
