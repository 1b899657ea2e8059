import type { SignalName } from '../result/exit-code.js'

/** The signal that ended the run, and what aborts on it. */
export interface Signals {
  readonly signal: AbortSignal
  readonly name: () => SignalName | undefined
  /** The run ends in order after a signal: it cleans up itself, and no statement of a build is cancelled for it. */
  readonly cleansUp: boolean
  /** Told to the user when a second signal ends perfdb at once: what may be left and how to fix it. */
  lastWords: string
  stop(): void
}
