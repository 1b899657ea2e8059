import type { QueuePolicy } from '../build/context.js'
import type { Listener } from '../build/events.js'
import type { ApplyResult } from '../result/result.js'
import type { HazardCode } from '../codes/hazard-codes.js'
import type { Config } from './config.js'
import type { Report } from '../options/readers.js'
import type { Signals } from './signals.js'
import type { ExportTool } from '../report/export/export-sql.js'
import type { Window } from '../options/window.js'
import type { Format } from '../options/formats.js'

/** The values of options/table.ts, by their attribute; which of them a command has, its rows say. */
export interface Options {
  readonly url?: string
  readonly passwordCommand?: string
  readonly config?: string
  readonly env?: string
  readonly load?: string
  readonly format: Format
  readonly report?: readonly Report[]
  readonly color: 'auto' | 'always' | 'never'
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly allow?: ReadonlySet<HazardCode>
  readonly prune?: boolean
  readonly maxWait: number
  readonly maxSize: number
  readonly lockWait: number
  readonly exitCode?: boolean
  readonly out?: string
  readonly force?: boolean
  readonly export?: ExportTool
  readonly outDir?: string
  readonly plan?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly retries: number
  readonly jobs: number
  readonly onQueue: QueuePolicy
  readonly onDisconnect: 'cancel' | 'finish'
  readonly window?: Window
  readonly maxLag?: number
  readonly measure: boolean
  readonly ledger: boolean
  readonly samples?: number
  readonly timeBudget?: number
  /** true and false are of perfdb.yaml. */
  readonly counterfactual?: 'auto' | 'on' | 'off' | 'true' | 'false'
  readonly measureUrl?: string
  readonly replicas?: readonly string[]
  readonly query?: string
  readonly param?: readonly string[]
  readonly top?: number
  readonly by?: 'total' | 'mean' | 'calls' | 'io'
  readonly since?: string
  readonly saveSnapshot?: string
  readonly baseline?: string
  readonly saveBaseline?: string
  readonly statementTimeout?: number
  readonly schema?: readonly string[]
  readonly table?: readonly string[]
  readonly index?: readonly string[]
  readonly offline?: boolean
  readonly failOn?: 'fail' | 'warn' | 'refused' | 'work'
  /** Changes for check-pool; true for plan and explain. */
  readonly whatIf?: readonly string[] | true
  readonly suggest?: boolean
  /** Milliseconds between two looks; true is the usual. */
  readonly watch?: number | true
  readonly count?: number
  readonly runs: number
  readonly scale: number
}

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
