import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import type { QueryMeasurement } from './measurement.js'
import type { Advisor } from './advisor.js'

/** Options with their defaults. */
export interface Limits {
  readonly samples: number
  /** Of one block; it goes on beyond them until the interval is narrow. */
  readonly leastSamples: number
  readonly blocks: number
  readonly timeBudgetMs: number
  readonly totalBudgetMs: number
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly allowWrites: boolean
  readonly runs: boolean
  readonly control: string | null
  readonly indexesFor: MeasureOptions['indexesFor']
  readonly rowsOf: MeasureOptions['rowsOf']
  readonly connect: MeasureOptions['connect']
  readonly advisor: Advisor | undefined
  readonly signal: AbortSignal | undefined
  /** The same object for all queries that are measured together, on one state of the catalog; see oncePerTable. */
  readonly block: object
}

export function limitsOf(options: MeasureOptions): Limits {
  const { blocks = 1, timeBudgetMs = 5000 } = options
  const totalBudgetMs =
    options.totalBudgetMs ?? (options.timeBudgetMs === undefined ? 60_000 : Number.POSITIVE_INFINITY)
  return {
    samples: Math.ceil((options.samples ?? 101) / blocks),
    leastSamples: Math.ceil(leastSamples / blocks),
    blocks,
    timeBudgetMs: timeBudgetMs / blocks,
    totalBudgetMs: totalBudgetMs / blocks,
    statementTimeoutMs: options.statementTimeoutMs ?? 30_000,
    lockTimeoutMs: options.lockTimeoutMs ?? 1000,
    allowWrites: options.allowWrites,
    runs: options.runs ?? true,
    control: options.control === undefined ? builtInControl : options.control,
    indexesFor: options.indexesFor,
    rowsOf: options.rowsOf,
    connect: options.connect,
    advisor: options.advisor,
    signal: options.signal,
    block: {},
  }
}

/** What performance.md's rule asks for: 21 samples gave no false claim of 1.1x and saw a true 1.5x nearly always. */
const leastSamples = 21

/**
 * A built-in control query: a millisecond or two of processor time, no table, no work_mem, no parallel workers, so that
 * only the machine's load changes its time.
 */
export const builtInControl = 'select pg_catalog.sum(n) from pg_catalog.generate_series(1, 10000) as g (n)'

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
  /** How many blocks of samples, at other times of the run, each side is to get: each takes its part of samples and budget. 1 by default. */
  readonly blocks?: number | undefined
  /** 30000 by default. */
  readonly statementTimeoutMs?: number | undefined
  /** 1000 by default. */
  readonly lockTimeoutMs?: number | undefined
  /** The hazard WRITE_QUERY was allowed: statements that change data run too, and are rolled back. */
  readonly allowWrites: boolean
  /** false where statements are only planned: what they write may then be anything. True by default. */
  readonly runs?: boolean | undefined
  /**
   * A query that no index of the profile touches; by default one that is like the query that is measured, see likeControl. null for none:
   * where nothing is compared with another time it only takes time itself.
   */
  readonly control?: string | null | undefined
  /** Names of the indexes that stand for this query: it is told why it does not use one. */
  readonly indexesFor?: ((query: Query) => readonly string[]) | undefined
  /** Rows that a call of the query gives in the application, where somebody counted: values that are sampled are to give about as many. */
  readonly rowsOf?: ((query: Query) => number | undefined) | undefined
  /** Opens another session of the role `measure`: variants of several statements are then run on up to four as well. */
  readonly connect?: (() => Promise<Session>) | undefined
  /** What the hints ask for indexes; without it an empty copy of the table. */
  readonly advisor?: Advisor | undefined
  readonly signal?: AbortSignal | undefined
  /** What was measured before: its control queries are used again. */
  readonly before?: readonly QueryMeasurement[] | undefined
  readonly onMeasured?: ((measured: QueryMeasurement, done: number, total: number) => void) | undefined
}
