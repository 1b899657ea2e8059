import type { Command as ParsedCommand } from 'commander'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { Listener } from '../build/events.js'
import type { Invocation, Options } from '../cli/invocation.js'
import type { Signals } from '../cli/signals.js'
import { parseWindow } from '../commands/apply/window.js'
import { PerfdbError } from '../errors.js'
import type { GivenFile, Named } from '../profile/files.js'
import { escapeEnvironment } from '../yaml/env.js'
import type { Command } from './known-options.js'
import type {
  ApplyOptions,
  CheckPoolOptions,
  CommonOptions,
  ExplainOptions,
  RollbackOptions,
  StatusOptions,
} from './options.js'

/** The options of every function together. */
export interface AnyOptions
  extends
    ApplyOptions,
    Omit<ExplainOptions, 'whatIf'>,
    Omit<CheckPoolOptions, 'whatIf'>,
    Omit<RollbackOptions, keyof ApplyOptions>,
    Omit<StatusOptions, keyof CommonOptions> {
  /** Changes for checkPool. */
  readonly whatIf?: boolean | readonly string[] | undefined
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
  const parsed = await commandWith(command, options, cwd)
  const { settle } = await import('../cli/config-settle.js')
  const config = await settle(parsed, cwd, environment)
  return {
    options: parsed.opts<Options>(),
    config,
    signals,
    cwd,
    environment,
    home: homedir(),
    listener,
    ...(typeof plan === 'object' && { fingerprint: plan.fingerprint }),
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

/** The command as if these options were its flags: what they leave open has the command line's own defaults. */
async function commandWith(command: Command, options: AnyOptions, cwd: string): Promise<ParsedCommand> {
  const { buildProgram } = await import('../cli/program.js')
  const parsed = buildProgram().commands.find((one) => one.name() === commandNames[command])
  if (parsed === undefined) throw new PerfdbError('INTERNAL', `there is no command ${commandNames[command]}`)
  const path = (name: string | undefined) => (name === undefined ? undefined : resolve(cwd, name))
  const { allow, plan, window } = options
  const flags: Partial<Record<keyof Options, unknown>> = {
    format: 'json',
    ...Object.fromEntries(sameNames.map((name) => [name, options[name]])),
    load: path(options.load),
    allow: allow === undefined ? undefined : new Set(allow),
    window: window === undefined ? undefined : parseWindow(window),
    maxWait: options.maxWaitMs,
    maxSize: options.maxSizeBytes,
    maxLag: options.maxLagMs,
    lockWait: options.lockWaitMs,
    timeBudget: options.timeBudgetMs,
    statementTimeout: options.statementTimeoutMs,
    baseline: path(options.baseline),
    saveBaseline: path(options.saveBaseline),
    since: path(options.since),
    saveSnapshot: path(options.saveSnapshot),
    whatIf: options.whatIf === false ? undefined : options.whatIf,
    plan: typeof plan === 'string' ? path(plan) : undefined,
  }
  for (const [name, value] of Object.entries(flags))
    if (value !== undefined) parsed.setOptionValueWithSource(name, value, 'cli')
  return parsed
}

const sameNames = [
  'url',
  'config',
  'env',
  'prune',
  'jobs',
  'retries',
  'onQueue',
  'onDisconnect',
  'ledger',
  'measure',
  'samples',
  'query',
  'top',
  'by',
  'offline',
  'failOn',
  'runs',
] as const

const commandNames: Readonly<Record<Command, string>> = {
  plan: 'plan',
  verify: 'verify',
  apply: 'apply',
  explain: 'explain',
  checkPool: 'check-pool',
  rollback: 'rollback',
  status: 'status',
}
