import type { ApplyResult } from '../../result/documents/result.js'
import type { Outside } from '../../settings/outside.js'
import { layoutOf, type OutputOptions } from './streams.js'

/**
 * On a terminal: shows on stderr what would be done, and asks; anything but y or yes is no, and so is a signal. undefined without a
 * terminal on both sides: in a pipeline nobody can answer.
 */
export function confirmOnTerminal(
  outside: Outside,
  output: OutputOptions,
  signal: AbortSignal,
): ((shown: ApplyResult) => Promise<boolean>) | undefined {
  const ask = askOnTerminal(outside, signal)
  if (ask === undefined) return undefined
  return async (shown) => {
    const { render } = await import('../../report/render.js')
    outside.streams.stderr.write(await render(shown, 'text', layoutOf(outside, 'stderr', output)))
    return ask('Do this?')
  }
}

/** Asks a question on a terminal; anything but y or yes is no, and so is a signal. undefined without a terminal on both sides. */
export function askOnTerminal(
  { streams, signalSource }: Outside,
  signal: AbortSignal,
): ((question: string) => Promise<boolean>) | undefined {
  if (streams.stdin.isTTY !== true || streams.stderr.isTTY !== true) return undefined
  return async (question) => {
    const { createInterface } = await import('node:readline/promises')
    const asking = createInterface({ input: streams.stdin, output: streams.stderr })
    // readline takes Ctrl-C for itself: it is the signal that it would have been.
    asking.on('SIGINT', () => signalSource.kill(signalSource.pid, 'SIGINT'))
    try {
      const answer = await asking.question(`${question} [y/N] `, { signal })
      return /^y(es)?$/i.test(answer.trim())
    } catch {
      return false
    } finally {
      asking.close()
    }
  }
}
