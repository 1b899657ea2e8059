/** The signal that ended the run, and what aborts on it. */
export interface Signals {
  readonly signal: AbortSignal
  readonly name: () => 'SIGINT' | 'SIGTERM' | undefined
  /** The run ends in order after a signal: it cleans up itself, and no statement of a build is cancelled for it. */
  readonly cleansUp: boolean
  /** Told to the user when a second signal ends perfdb at once: what may be left and how to mend it. */
  lastWords: string
  stop(): void
}

/** What only looks has nothing to clean up: when its statement cannot be cancelled in this time, it ends all the same. */
const patienceMs = 1500

/**
 * The first SIGINT or SIGTERM aborts: the build is cancelled and cleaned up. The second ends perfdb at once, by the signal
 * itself, after saying what may be left; a run that cleans nothing up ends so by itself after a moment.
 */
export function listenForSignals(say: (text: string) => void, cleansUp: boolean): Signals {
  const controller = new AbortController()
  let received: 'SIGINT' | 'SIGTERM' | undefined
  let timer: NodeJS.Timeout | undefined
  const signals: Signals = {
    signal: controller.signal,
    name: () => received,
    cleansUp,
    lastWords: '',
    stop: () => {
      clearTimeout(timer)
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
    },
  }
  const take = (name: 'SIGINT' | 'SIGTERM') => {
    if (received === undefined) {
      received = name
      say(
        cleansUp
          ? 'stopping: the statement that runs is cancelled and cleaned up (again: stop at once)'
          : 'stopping: the statement that runs is cancelled',
      )
      controller.abort(name)
      if (!cleansUp) timer = setTimeout(() => endBy(name), patienceMs).unref()
      return
    }
    if (signals.lastWords !== '') say(signals.lastWords)
    endBy(name)
  }
  const endBy = (name: 'SIGINT' | 'SIGTERM') => {
    signals.stop()
    process.kill(process.pid, name)
  }
  const onInterrupt = () => take('SIGINT')
  const onTerminate = () => take('SIGTERM')
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onTerminate)
  return signals
}
