import type { Options } from '../options/values.js'
import type { Listener } from '../build/events.js'
import type { ApplyResult } from '../result/result.js'
import type { Config } from './config.js'
import type { Signals } from './signals.js'

/** Everything that a command gets from outside: options, environment, folder, signals, and who listens to progress. */
export interface Invocation {
  readonly options: Options
  readonly signals: Signals
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly listener: Listener
  /** What perfdb.yaml says; read by the action where nobody did before. */
  readonly config?: Config
  /** What stood on the command line itself, for `perfdb config`, which tells where each value comes from. */
  readonly flags?: ReadonlyMap<string, unknown>
  /** Asks a question; absent where nobody can answer. */
  readonly ask?: (question: string) => Promise<boolean>
  /** Shows what would be done and asks; absent where nobody can answer. */
  readonly confirm?: (shown: ApplyResult) => Promise<boolean>
  /** Of a plan that the caller keeps, where --plan names no file. */
  readonly fingerprint?: string
}
