import type { CanonicalDefinition, ExistingIndex } from '../catalog/snapshot.js'
import type { Outcome } from '../result/documents/result.js'
import type { TableName } from '../definition/definition.js'
import type { OwnedIndex } from './ownership.js'
import type { Points } from './points.js'

/** A log of what perfdb did in this database; the catalog is the truth. Every moment is by the server's clock. */
export interface Ledger {
  /** Opens a run and gives its number. */
  startRun(run: NewRun): Promise<number>
  finishRun(run: number, outcome: RunOutcome): Promise<void>
  /** To be written before the step's first statement, so that a crash leaves a trace (fault 72). */
  startStep(run: number, step: NewStep): Promise<void>
  finishStep(run: number, number: number, end: StepEnd): Promise<void>
  recordMeasurement(run: number, measurement: RecordedMeasurement): Promise<void>
  /** The speedup of a query in the latest run that built one of these indexes, and was not rolled back; null without one. */
  provenSpeedup(query: string, indexes: readonly string[]): Promise<ProvenSpeedup | null>
  /** What the latest runs wrote of the query or index of that name, of all without one; the oldest first. */
  points(name: string | null, runs: number): Promise<Points>
  /** Built by perfdb and not dropped, replaced or rolled back since. */
  ownedIndexes(): Promise<readonly OwnedIndex[]>
  /** Newest first. */
  runs(limit: number): Promise<readonly Run[]>
  run(id: number): Promise<RunWithSteps | null>
  /** Begun, not finished, not noted as interrupted yet, and the process that wrote it is gone; newest first. */
  interruptedRuns(): Promise<readonly Run[]>
  /** That step is as it was before it, by the run `by`; `outcome` says how. */
  markUndone(run: number, number: number, outcome: Outcome, by: number): Promise<void>
  /** All of its steps are. `by` is the run of the rollback. */
  markRolledBack(run: number, by: number): Promise<void>
  /** To be called before they are created. */
  recordExtensions(run: number, names: readonly string[]): Promise<void>
}

export interface NewRun {
  readonly command: 'apply' | 'rollback'
  readonly perfdbVersion: string
  readonly profiles: readonly string[]
  /** As the profiles call themselves, in the same order. */
  readonly profileNames: readonly string[]
  readonly fingerprint: string
  /** Of the session that builds. */
  readonly backendPid: number
  /** Of a run for many tenants. */
  readonly fleet?: FleetPart | undefined
}

export interface FleetPart {
  /** One name in the ledgers of all tenants. */
  readonly run: string
  readonly tenant: string
  /** From 1. */
  readonly wave: number
}

/** refused: a hazard was not allowed; failed: a step failed; interrupted: by a signal, or killed. */
export type RunOutcome = 'done' | 'failed' | 'refused' | 'interrupted'

export interface NewStep {
  readonly number: number
  readonly step: string
  readonly schema: string
  readonly index: string
  /** The name before a rename. */
  readonly indexBefore?: string | null
  readonly table: TableName
  /** Name of the profile that declares the index; null where none does, as of what is pruned. */
  readonly profile: string | null
  readonly tableOid: number | null
  /** The index that stands there before the step; null when none does. */
  readonly indexBeforeOid: number | null
  readonly canonicalBefore: CanonicalDefinition | null
  /** Its definition, as pg_get_indexdef prints it. */
  readonly ddlBefore: string | null
  /** What that statement leaves out, such as its comment; null when there is nothing. */
  readonly keptBefore?: object | null
  readonly ddlAfter: string | null
  readonly canonical: CanonicalDefinition | null
  readonly predictedBytes?: number | null
}

export interface StepEnd {
  readonly outcome: Outcome
  /** What stands there now; null when nothing does, or it was not looked at. */
  readonly index: Pick<ExistingIndex, 'oid' | 'tableOid'> | null
  readonly sizeBytes: number | null
  readonly durationMs: number
  readonly waitedMs: number
  /** code, message and more, as in the result; null when the step is done. */
  readonly error: object | null
}

export interface RecordedMeasurement {
  readonly query: string
  readonly parameterSet: string | null
  readonly side: 'before' | 'after'
  readonly verdict: string | null
  readonly document: object
}

export interface ProvenSpeedup {
  readonly run: number
  readonly speedup: { readonly median: number; readonly low: number; readonly high: number }
}

export interface Run {
  readonly run: number
  readonly command: string
  readonly startedAt: Date
  readonly finishedAt: Date | null
  /** null while it runs; of one that was killed until the next run notes it as interrupted. */
  readonly outcome: string | null
  readonly perfdbVersion: string
  /** The role in the database. */
  readonly user: string
  readonly clientHost: string
  readonly profiles: readonly string[]
  /** As the profiles called themselves; empty in records of versions before 0.2. */
  readonly profileNames: readonly string[]
  readonly fleet: Pick<FleetPart, 'run' | 'tenant'> | null
  /** Extensions that it created. */
  readonly extensions: readonly string[]
  readonly fingerprint: string
  readonly backendPid: number | null
  readonly rolledBackAt: Date | null
  readonly rolledBackBy: number | null
  /** Numbers of steps with that end. */
  readonly built: number
  readonly dropped: number
  readonly failed: number
  /** Steps that have something to undo and are not undone, renames too. */
  readonly changed: number
  /** Steps that did not come to their end: what they left only the catalog says. */
  readonly unfinished: number
  /** Steps that a rollback has undone; of a run that is not undone as a whole, the others are left. */
  readonly undone: number
}

export interface RecordedStep extends Required<Omit<NewStep, 'canonical' | 'canonicalBefore' | 'keptBefore'>> {
  readonly canonical: unknown
  readonly canonicalBefore: unknown
  /** What the step left; null in records of older versions. */
  readonly indexOid: number | null
  /** How a rollback ended for it; null when it is not undone. */
  readonly undone: string | null
  readonly keptBefore: unknown
  readonly state: 'started' | 'done' | 'failed'
  readonly outcome: string | null
  readonly sizeBytes: number | null
  readonly durationMs: number | null
  readonly waitedMs: number | null
  readonly error: unknown
  readonly startedAt: Date
  readonly finishedAt: Date | null
}

export interface RunWithSteps extends Run {
  /** By number. */
  readonly steps: readonly RecordedStep[]
}
