import { homedir } from 'node:os'
import { exitCode } from '../commands/exit-code.js'
import { PerfdbError } from '../errors.js'
import type { Result } from '../report/render.js'
import type { Invocation, Options } from './invocation.js'
import { checkWritable } from './files.js'
import { drawProgress } from './progress.js'
import { listenForSignals, type Signals } from './signals.js'
import { layoutOf, printError, printResult, type OutputOptions } from './streams.js'

export type Action = (invocation: Invocation, args: readonly string[]) => Promise<Result>

/** One action to its exit code: report files are checked first, signals abort, errors are printed as the format wants. */
export async function runAction(
  name: string,
  options: Options,
  args: readonly string[],
  action: Action,
): Promise<number> {
  const output: OutputOptions = {
    format: options.format,
    reports: options.report ?? [],
    color: options.color,
    verbose: options.verbose ?? false,
  }
  const { color, unicode } = layoutOf(process.stderr, output)
  const progress = drawProgress(process.stderr, { quiet: options.quiet === true, color, unicode })
  const signals = listenForSignals((text) => {
    if (options.quiet === true) process.stderr.write(`${text}\n`)
    else progress.listener({ type: 'warning', message: text })
  }, building.has(name))
  try {
    if (output.format === 'sql' && name !== 'plan') throw new PerfdbError('BAD_FORMAT', `${name} has no format sql`)
    if (output.format === 'prometheus' && name !== 'check-pool')
      throw new PerfdbError('BAD_FORMAT', `${name} has no format prometheus`)
    await checkWritable(output.reports.map(({ file }) => file))
    const result = await action(invocation(options, signals, progress.listener), args)
    progress.close()
    await printResult(result, output)
    return result.exit_code
  } catch (error) {
    progress.close()
    const known = interrupted(error instanceof PerfdbError ? error : internal(error), signals)
    const code = exitCode({ error: known, signal: signals.name() })
    await printError(known, name, code, output)
    if (known.code === 'INTERNAL' && output.verbose && error instanceof Error)
      process.stderr.write(`${error.stack ?? ''}\n`)
    return code
  } finally {
    signals.stop()
  }
}

/** Commands that have something to clean up: a signal makes them end in order, however long that takes. */
const building: ReadonlySet<string> = new Set(['apply', 'rollback', 'demo'])

/** After a signal a statement that was cancelled or a server that is gone is no failure, but what was asked for. */
function interrupted(error: PerfdbError, signals: Signals): PerfdbError {
  const name = signals.name()
  if (name === undefined || error.code === 'INTERRUPTED') return error
  return new PerfdbError('INTERRUPTED', `ended by ${name}`, { detail: error.message, cause: error })
}

function internal(error: unknown): PerfdbError {
  return new PerfdbError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error })
}

function invocation(options: Options, signals: Signals, listener: Invocation['listener']): Invocation {
  return { options, signals, cwd: process.cwd(), environment: process.env, home: homedir(), listener }
}
