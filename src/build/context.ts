import type { FindingCode } from '../codes/codes.js'
import type { Outcome } from '../result/documents/result.js'
import type { ErrorFields } from '../errors.js'
import type { Step } from '../plan/plan.js'
import type { Session } from '../server/session/session.js'
import type { Listener } from './events.js'
import type { ExistingIndex } from '../catalog/snapshot.js'

/** Everything that a run needs: two sessions (facts 4 and 13), patience, and someone who keeps the record. */
export interface BuildContext {
  /** Runs every statement that changes something; of several workers each has its own. */
  readonly ddl: Session
  /** pg_backend_pid() of the session that holds the run lock: the first worker's. */
  readonly lockPid: number
  /** Where the WAL that this session writes stood behind its last step, where nothing else runs on it between two of them: there the next one begins. */
  readonly lastWal?: { position: WalPosition | null }
  /** Asked between two statements. */
  readonly watchdog: Session
  /** Looks on while one runs. */
  readonly eyes: Eyes
  /** A new session after one was lost; throws while the server is away. */
  readonly reconnect: () => Promise<Session>
  readonly maxWaitMs: number
  /** How often a step is tried again after an error that passes by itself (deadlock, lock timeout). */
  readonly retries: number
  /** What to do about a statement that is queued behind a build and would end it with a deadlock (fault 21). */
  readonly onQueue: QueuePolicy
  /** Why no build may be started now, such as a closed window; null when one may. Asked before each step. */
  readonly mayStart: () => Promise<string | null>
  /** false where nobody is told what a build wrote. */
  readonly wal?: boolean
  readonly signal: AbortSignal
  readonly listener: Listener
  readonly recorder: Recorder
  /** What is asked on the ddl session right behind a long statement, and answered right after it. */
  readonly behind?: Behind
}

export interface Behind {
  /** An expression to be computed in a statement of its own before, which may be another one's; null without one. */
  readonly first: string | null
  /** Sends it; `done` where the first was sent. */
  send(done: boolean): void
}

/** A session that is there by the first look, however late it is opened. */
export interface Eyes extends Pick<Session, 'query'> {
  /** Throws what opening it throws: nobody can look. */
  opened(): Promise<void>
}

export const queuePolicies = ['report', 'cancel-build', 'cancel-waiter'] as const
export type QueuePolicy = (typeof queuePolicies)[number]

/** The ledger, or nothing with --no-ledger. */
export interface Recorder {
  started(step: Step, number: number): Promise<void>
  finished(result: StepResult, number: number): Promise<void>
}

export interface StepError extends Omit<ErrorFields, 'cause' | 'place'> {
  readonly code: FindingCode
  readonly message: string
}

export interface StepResult {
  readonly step: Step
  readonly outcome: Outcome
  readonly durationMs: number
  readonly waitedMs: number
  /** Whom it waited for, as last seen; absent when nobody was seen. */
  readonly waitedFor?: readonly string[]
  readonly sizeBytes: number | null
  /** The index that stands there afterwards, of a step that was done; null after a drop. */
  readonly index: Pick<ExistingIndex, 'oid' | 'tableOid'> | null
  /** What the catalog says of the index after the step; null when it was not asked. */
  readonly state: 'valid' | 'invalid' | 'missing' | 'building' | null
  readonly error: StepError | null
  /** Of a step that built something; absent where the server does not tell. */
  readonly wal?: WrittenWal
}

export interface WalPosition {
  readonly bytes: number
  /** The next transaction id; null where `bytes` are the backend's own, as the server counts them. */
  readonly next_id: number | null
}

export interface WrittenWal {
  readonly bytes: number
  /** Other sessions wrote meanwhile, and theirs is in it. */
  readonly shared: boolean
}

/** A build that ended well. */
export interface Built {
  readonly index: ExistingIndex
  readonly waitedMs: number
}
