import type { Options } from '../options/values.js'
import type { Listener } from '../build/events.js'
import type { ApplyResult, PlanResult } from '../result/documents/result.js'
import type { SharedAnswers } from '../catalog/shared.js'
import type { FleetPart } from '../ledger/ledger.js'
import type { Profile } from '../profile/profile.js'
import type { Session } from '../server/session/session.js'
import type { ListedTenants } from '../tenants/read.js'
import type { Config } from './config.js'
import type { Outside } from './outside.js'
import type { Signals } from './signals.js'

/** Everything that a command gets from outside: options, environment, folder, streams, signals, and who listens to progress. */
export interface Invocation extends Pick<Outside, 'cwd' | 'environment' | 'home' | 'streams'> {
  readonly options: Options
  readonly signals: Signals
  readonly listener: Listener
  /** What perfdb.yaml says; read by the action where nobody did before. */
  readonly config?: Config
  /** Read by the caller, who runs the command for many databases. */
  readonly profiles?: readonly Profile[]
  /** A tenant's part of a run for many; of a rollback the part that it undoes. */
  readonly fleet?: FleetPart
  /** What the tenants of a run for many share. */
  readonly shared?: SharedAnswers
  /** Of a list of their own, for a command that judges them together. */
  readonly tenants?: ListedTenants
  /** Is asked of each session before it is used, and throws where it must not be. */
  readonly admit?: (session: Session) => Promise<void>
  /** What stood on the command line itself, for `perfdb config`, which tells where each value comes from. */
  readonly flags?: ReadonlyMap<string, unknown>
  readonly argv?: Outside['argv']
  /** Asks a question; absent where nobody can answer. */
  readonly ask?: (question: string) => Promise<boolean>
  /** Shows what would be done and asks; absent where nobody can answer. */
  readonly confirm?: (shown: ApplyResult) => Promise<boolean>
  /** The plan goes to a caller, who may keep it. */
  readonly keepsPlan?: boolean
  /** A plan that the caller kept, where --plan names no file. */
  readonly keptPlan?: Pick<PlanResult, 'fingerprint' | 'saved'>
}
