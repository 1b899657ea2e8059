import { resolve } from 'node:path'
import type { Listener } from '../build/events.js'
import type { Invocation } from '../settings/invocation.js'
import { theProcess } from '../settings/outside.js'
import type { Signals } from '../settings/signals.js'
import type { GivenFile, Named } from '../profile/files/files.js'
import { escapeEnvironment } from '../yaml/document/env.js'
import { commandNames, libraryNameOf, rowsFor, type Command } from './known-options.js'
import type {
  AdviseOptions,
  ApplyOptions,
  CheckPoolOptions,
  CommonOptions,
  ExplainOptions,
  RollbackOptions,
  StatusOptions,
} from './options.js'
import { attributeOf } from '../options/table.js'
import type { OptionRow } from '../options/rows/row.js'
import { parseWindow } from '../options/window.js'

/** The options of every function together. */
export interface AnyOptions
  extends
    ApplyOptions,
    Omit<ExplainOptions, 'whatIf'>,
    Omit<AdviseOptions, keyof ExplainOptions>,
    Omit<CheckPoolOptions, 'whatIf'>,
    Omit<RollbackOptions, keyof ApplyOptions | 'run'>,
    Omit<StatusOptions, keyof CommonOptions> {
  /** Changes for checkPool. */
  readonly whatIf?: boolean | readonly string[] | undefined
  /** Of the ledger; of many tenants its name. */
  readonly run?: number | string | undefined
}

/**
 * What the command line makes of flags, here of options: PERFDB_ variables and perfdb.yaml say what they leave open. Throws BAD_OPTION for
 * a window, and what reading perfdb.yaml throws.
 */
export async function invocation(
  command: Command,
  options: AnyOptions,
  signals: Signals,
  listener: Listener,
): Promise<Invocation> {
  const { environment = process.env, plan } = options
  const cwd = resolve(options.cwd ?? process.cwd())
  const { resolveSettings } = await import('../settings/resolve.js')
  const resolved = await resolveSettings(commandNames[command], flagsOf(command, options, cwd), cwd, environment)
  return {
    ...resolved,
    signals,
    cwd,
    environment,
    home: theProcess.home,
    streams: theProcess.streams,
    listener,
    keepsPlan: command === 'plan',
    ...(typeof plan === 'object' && { keptPlan: plan }),
  }
}

/** Paths as they are; an object as the text of a file that is named by its place in the list, such as `profiles[0]`. */
export function namedFiles({ profiles, pools, plan }: AnyOptions): readonly Named[] {
  return [
    ...(profiles ?? (typeof plan === 'object' ? plan.profiles : [])).map((one, at) => named(one, `profiles[${at}]`)),
    ...(pools ?? []).map((one, at) => named(one, `pools[${at}]`)),
  ]
}

function named(one: string | object, file: string): string | GivenFile {
  if (typeof one === 'string') return one
  // JSON is YAML; a program has its own way to the environment, and `${NAME}` in its texts is what it means.
  const text = JSON.stringify(
    one,
    (_, value: unknown) => (typeof value === 'string' ? escapeEnvironment(value) : value),
    2,
  )
  return { file, text }
}

/** What the options say, as flags would: paths from `cwd` on, and only what is given. */
function flagsOf(command: Command, options: AnyOptions, cwd: string): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>(Object.entries(options))
  return new Map(
    rowsFor(command).flatMap((row) => {
      const value = flagOf(row, values.get(libraryNameOf(row)), cwd)
      return value === undefined ? [] : [[attributeOf(row), value] as const]
    }),
  )
}

function flagOf({ read, setting }: OptionRow, value: unknown, cwd: string): unknown {
  if (read === 'file' || read === 'folder') return typeof value === 'string' ? resolve(cwd, value) : undefined
  if (read === 'window') return typeof value === 'string' ? parseWindow(value) : undefined
  if (read === 'hazards') return Array.isArray(value) ? new Set(value) : undefined
  // As good as left out where perfdb.yaml has no say.
  return read === 'flag' && value === false && setting === undefined ? undefined : value
}
