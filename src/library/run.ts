import type { Listener, RunEvent } from '../build/events.js'
import type { Invocation } from '../settings/invocation.js'
import { PerfdbError } from '../errors.js'
import type { Named } from '../profile/files/files.js'
import type { CommonOptions } from './options.js'
import { invocation, namedFiles, type AnyOptions } from './invocation.js'
import { checkOptions, type Command } from './known-options.js'

/** As long as the command line waits for a statement to be cancelled before it ends all the same; apply and rollback always clean up. */
const patienceMs = 1500
const cleaningUp: ReadonlySet<Command> = new Set(['apply', 'rollback', 'fleet apply', 'fleet rollback'])

/**
 * One action of the command line with the options of a caller. Throws PerfdbError alone: INTERRUPTED after an abort, INTERNAL for what
 * is a defect.
 */
export async function run<R>(
  command: Command,
  options: AnyOptions,
  action: (invocation: Invocation, files: readonly Named[]) => Promise<R>,
  failure: PerfdbError,
): Promise<R> {
  return ran(command, options, action).catch((error: unknown) => {
    throw atCaller(known(error), failure)
  })
}

/** The error at the place that `failure` was made at; one that is a defect keeps its own stack as its cause. */
function atCaller(error: PerfdbError, failure: PerfdbError): PerfdbError {
  const frames = (failure.stack ?? '').replace(/^.*?(?=\n\s+at |$)/s, '')
  const { stack: _, ...members } = Object.getOwnPropertyDescriptors(error)
  Object.defineProperties(failure, members)
  failure.stack = `${error.name}: ${error.message}${frames}`
  return failure
}

async function ran<R>(
  command: Command,
  options: AnyOptions,
  action: (invocation: Invocation, files: readonly Named[]) => Promise<R>,
): Promise<R> {
  checkOptions(command, options)
  if (options.signal?.aborted === true) throw interrupted()
  // The caller's signal may live long: one listener, taken off at the end.
  const controller = new AbortController()
  const abort = () => controller.abort('SIGINT')
  options.signal?.addEventListener('abort', abort, { once: true })
  const cleansUp = cleaningUp.has(command)
  const signals = {
    signal: controller.signal,
    name: () => (controller.signal.aborted ? ('SIGINT' as const) : undefined),
    cleansUp,
    lastWords: '',
    stop: () => undefined,
  }
  try {
    const given = await invocation(command, options, signals, listenerOf(options))
    const work = action(given, namedFiles(options))
    return await (cleansUp ? work : Promise.race([work, givenUp(work, controller.signal)]))
  } catch (error) {
    if (!controller.signal.aborted || (error instanceof PerfdbError && error.code === 'INTERRUPTED')) throw known(error)
    throw interrupted(known(error))
  } finally {
    options.signal?.removeEventListener('abort', abort)
  }
}

/** Rejects a moment after the abort, which may have been already, unless the work ended before. */
async function givenUp(work: Promise<unknown>, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const wait = () => {
      const timer = setTimeout(() => reject(interrupted()), patienceMs)
      const stop = () => clearTimeout(timer)
      work.then(stop, stop)
    }
    if (signal.aborted) wait()
    else signal.addEventListener('abort', wait, { once: true })
  })
}

/** A listener that throws must not end a build half-way: Node prints what it threw as a warning. */
function listenerOf({ onEvent }: CommonOptions): Listener {
  return (event: RunEvent) => {
    try {
      onEvent?.(event)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error))
    }
  }
}

function interrupted(cause?: PerfdbError): PerfdbError {
  return new PerfdbError('INTERRUPTED', 'ended by the abort signal', {
    ...(cause === undefined ? {} : { detail: cause.message, cause }),
    hint: 'call it again: it starts from what the catalog says',
  })
}

function known(error: unknown): PerfdbError {
  if (error instanceof PerfdbError) return error
  return new PerfdbError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error })
}
