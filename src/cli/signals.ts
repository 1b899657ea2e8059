/** The signal that ended the run, and what aborts on it. */
export interface Signals {
  readonly signal: AbortSignal
  readonly name: () => 'SIGINT' | 'SIGTERM' | undefined
  /** Told to the user when a second signal ends perfdb at once: what may be left and how to mend it. */
  lastWords: string
  stop(): void
}

/**
 * The first SIGINT or SIGTERM aborts: the build is cancelled and cleaned up. The second ends perfdb at once, by the signal
 * itself, after saying what may be left.
 */
export function listenForSignals(say: (text: string) => void): Signals {
  const controller = new AbortController()
  let received: 'SIGINT' | 'SIGTERM' | undefined
  const signals: Signals = {
    signal: controller.signal,
    name: () => received,
    lastWords: '',
    stop: () => {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
    },
  }
  const take = (name: 'SIGINT' | 'SIGTERM') => {
    if (received === undefined) {
      received = name
      say('stopping: the statement that runs is cancelled and cleaned up (again: stop at once)')
      controller.abort(name)
      return
    }
    if (signals.lastWords !== '') say(signals.lastWords)
    signals.stop()
    process.kill(process.pid, name)
  }
  const onInterrupt = () => take('SIGINT')
  const onTerminate = () => take('SIGTERM')
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onTerminate)
  return signals
}
