import { resolve } from 'node:path'
import type { Command } from 'commander'
import { exitCode, outputLost } from '../result/exit-code.js'
import { PerfdbError } from '../errors.js'
import { pathFrom } from '../profile/files/text-file.js'
import { askOnTerminal, confirmOnTerminal } from './terminal/confirm.js'
import { resolveSettings, type Flags, type ResolvedSettings } from '../settings/resolve.js'
import type { Options } from '../options/values.js'
import type { Invocation } from '../settings/invocation.js'
import { asksForTenants } from '../actions/fleet/over-tenants.js'
import { checkWritable } from '../actions/files/files.js'
import type { Report } from '../options/readers.js'
import { flagsOf } from './options.js'
import { drawProgress } from './terminal/progress.js'
import { listenForSignals, type Ending } from './terminal/signals.js'
import type { Outside } from '../settings/outside.js'
import type { Signals } from '../settings/signals.js'
import { layoutOf, printError, printLost, printResult, writeResult, type OutputOptions } from './terminal/streams.js'
import type { Result } from '../result/results.js'

export type Action = (invocation: Invocation, args: readonly string[]) => Promise<Result>

/** One action to its exit code: report files are checked first, signals abort, errors are printed as the format wants. */
export async function runAction(
  outside: Outside,
  command: Command,
  args: readonly string[],
  action: Action,
): Promise<number> {
  const { cwd, environment, streams } = outside
  const name = command.name()
  const flags = flagsOf(command)
  const resolved = await resolveSettings(name, flags, cwd, environment).catch(perfdbError)
  // Where they could not be resolved, the error is printed as the flags want it.
  const options = resolved instanceof PerfdbError ? command.opts<Options>() : resolved.options
  const output: OutputOptions = {
    format: options.format,
    reports: options.report ?? [],
    color: options.color,
    verbose: options.verbose ?? false,
  }
  const { color, unicode } = layoutOf(outside, 'stderr', output)
  const dumb = environment['TERM'] === 'dumb'
  const progress = drawProgress(streams.stderr, { quiet: options.quiet === true, color, unicode, dumb })
  const signals = listenForSignals(
    outside,
    (text) => {
      if (options.quiet === true) streams.stderr.write(`${text}\n`)
      else progress.listener({ type: 'warning', message: text })
    },
    options.prove === true ? 'cleans-up' : endings[name],
  )
  try {
    if (resolved instanceof PerfdbError) throw resolved
    if (output.format === 'sql' && name !== 'plan') throw new PerfdbError('BAD_FORMAT', `${name} has no format sql`)
    if (
      output.format === 'prometheus' &&
      name !== 'check-pool' &&
      name !== 'worker' &&
      !asksForTenants(resolved.options)
    )
      throw new PerfdbError('BAD_FORMAT', `${name} has no format prometheus`)
    assertOneEach(output.reports, cwd)
    await checkWritable(
      output.reports.map(({ file }) => file),
      cwd,
    )
    await removeStale(output.reports, cwd)
    const listener =
      output.format === 'jsonl' ? await withJsonLines(outside, progress.listener, options) : progress.listener
    const confirm = confirmOnTerminal(outside, output, signals.signal)
    const ask = askOnTerminal(outside, signals.signal)
    const given = { ...invocation(outside, resolved, signals, listener, flags), ...(ask === undefined ? {} : { ask }) }
    const result = await action(confirm === undefined ? given : { ...given, confirm }, args)
    progress.close()
    const lost = await printResult(outside, result, output)
    const code = lost.length === 0 ? result.exit_code : outputLost(result.exit_code)
    for (const error of lost) await printLost(outside, error, name, code)
    return code
  } catch (error) {
    progress.close()
    const known = interrupted(perfdbError(error), signals)
    const code = exitCode({ error: known, signal: signals.name() })
    await printError(outside, known, name, code, output)
    if (known.code === 'INTERNAL' && output.verbose && error instanceof Error)
      streams.stderr.write(`${error.stack ?? ''}\n`)
    return code
  } finally {
    signals.stop()
  }
}

/** What an earlier command left there must not be taken for this one's, should this one be killed. */
async function removeStale(reports: readonly Report[], cwd: string): Promise<void> {
  const { lstat, rm } = await import('node:fs/promises')
  for (const file of reports.map((report) => pathFrom(cwd, report.file))) {
    const status = await lstat(file).catch(() => undefined)
    if (status?.isFile() === true) await rm(file, { force: true }).catch(() => undefined)
  }
}

/** Of two reports to one file the first would be gone. */
function assertOneEach(reports: readonly Report[], cwd: string): void {
  const files = reports.map(({ file }) => resolve(cwd, file))
  const twice = reports.find((_, at) => files.indexOf(files[at] ?? '') !== at)
  if (twice !== undefined)
    throw new PerfdbError('BAD_OPTION', `two reports go to ${twice.file}`, {
      hint: 'give each report a file of its own',
    })
}

/** With jsonl on stdout each event is a line there as it happens, above those of the result; not when quiet. */
async function withJsonLines(
  { streams }: Outside,
  listener: Invocation['listener'],
  { quiet = false }: Options,
): Promise<Invocation['listener']> {
  if (quiet) return listener
  const { progressLine } = await import('../report/machine/jsonl.js')
  return (event) => {
    listener(event)
    writeResult(streams.stdout, progressLine(event, new Date()))
  }
}

/** Commands that a signal makes end in order, however long that takes; all others end at once. */
const endings: Readonly<Record<string, Ending>> = {
  apply: 'cleans-up',
  rollback: 'cleans-up',
  demo: 'cleans-up',
  load: 'cleans-up',
  worker: 'finishes',
}

/** After a signal a statement that was cancelled or a server that is gone is no failure, but what was asked for. */
function interrupted(error: PerfdbError, signals: Signals): PerfdbError {
  const name = signals.name()
  if (name === undefined || error.code === 'INTERRUPTED') return error
  return new PerfdbError('INTERRUPTED', `ended by ${name}`, { detail: error.message, cause: error })
}

function perfdbError(error: unknown): PerfdbError {
  if (error instanceof PerfdbError) return error
  return new PerfdbError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error })
}

function invocation(
  { argv, cwd, environment, home, streams }: Outside,
  resolved: ResolvedSettings,
  signals: Signals,
  listener: Invocation['listener'],
  flags: Flags,
): Invocation {
  return { ...resolved, argv, signals, cwd, environment, home, streams, listener, flags }
}
