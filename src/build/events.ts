import type { Outcome } from '../result/documents/result.js'
import type { StepKind } from '../plan/plan.js'

/** What a run tells while it works; the command line draws it on stderr, nothing else depends on it. */
export type RunEvent =
  | {
      readonly type: 'stage'
      readonly stage:
        | 'connect'
        | 'plan'
        | 'measure-before'
        | 'build'
        | 'analyze'
        | 'measure-after'
        | 'clean-up'
        | 'check'
      readonly message: string
    }
  | {
      readonly type: 'step-started'
      readonly step: StepKind
      readonly index: string
      readonly table: string
      readonly number: number
      readonly of: number
    }
  | {
      readonly type: 'step-progress'
      readonly index: string
      readonly phase: string
      /** Of the phase, 0 to 100; null when it counts nothing. */
      readonly percent: number | null
      readonly etaMs: number | null
      readonly elapsedMs: number
      /** pid, application, user, age and query of whoever the build waits for now. */
      readonly blocker: string | null
    }
  | {
      readonly type: 'step-done'
      readonly index: string
      readonly outcome: Outcome
      readonly durationMs: number
      readonly sizeBytes: number | null
      readonly message: string | null
    }
  | {
      readonly type: 'measured'
      readonly query: string
      readonly number: number
      readonly of: number
      readonly executionMs: number | null
    }
  | {
      /** Of a run for many tenants: one of them has ended. */
      readonly type: 'tenant-done'
      readonly tenant: string
      readonly outcome: string
      readonly durationMs: number
      /** How many have ended, of how many; null where nobody knows, as for a worker. */
      readonly number: number
      readonly of: number | null
      readonly message: string
    }
  | { readonly type: 'warning'; readonly message: string }

export type Listener = (event: RunEvent) => void
