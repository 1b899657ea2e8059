import type { SignalName } from '../../result/exit-code.js'
import type { Outside } from '../../settings/outside.js'
import type { Signals } from '../../settings/signals.js'

/** What only looks has nothing to clean up: when its statement cannot be cancelled in this time, it ends all the same. */
const patienceMs = 1500

/** A shell that passes a signal on that its whole process group got sends it twice: that is one signal. */
const echoMs = 50

const orphanedEveryMs = 200

const names: readonly SignalName[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** What a command does after the first signal; one that only looks ends at once. */
export type Ending = 'cleans-up' | 'finishes'

const stopping: Readonly<Record<Ending, string>> = {
  'cleans-up': 'stopping: the statement that runs is cancelled and cleaned up (again: stop at once)',
  finishes: 'stopping: what is being worked on is finished first (again: stop at once)',
}

/**
 * The first SIGINT, SIGTERM or SIGHUP aborts: the build is cancelled and cleaned up. The second ends perfdb at once, by the signal
 * itself, after saying what may be left; a run that cleans nothing up ends so by itself after a moment. A closing terminal
 * sends SIGHUP more than once: it never ends the clean-up. With `CI` set, the end of the process that started perfdb is SIGTERM: npx and
 * npm run end on a signal without passing it on, and the job that was cancelled would build on.
 */
export function listenForSignals(
  { environment, signalSource }: Pick<Outside, 'environment' | 'signalSource'>,
  say: (text: string) => void,
  ending: Ending | undefined,
): Signals {
  const controller = new AbortController()
  const parent = signalSource.ppid
  const cleansUp = ending !== undefined
  let received: SignalName | undefined
  let receivedAt = 0
  let timer: NodeJS.Timeout | undefined
  let orphaned: NodeJS.Timeout | undefined
  const signals: Signals = {
    signal: controller.signal,
    name: () => received,
    cleansUp,
    lastWords: '',
    stop: () => {
      clearTimeout(timer)
      clearInterval(orphaned)
      for (const name of names) signalSource.off(name, take)
    },
  }
  const take = (name: SignalName) => {
    if (received === undefined) {
      received = name
      receivedAt = performance.now()
      say(ending === undefined ? 'stopping: the statement that runs is cancelled' : stopping[ending])
      controller.abort(name)
      if (!cleansUp) timer = setTimeout(() => endBy(name), patienceMs).unref()
      return
    }
    if (name === 'SIGHUP' || (name === received && performance.now() - receivedAt < echoMs)) return
    if (signals.lastWords !== '') say(signals.lastWords)
    endBy(name)
  }
  const endBy = (name: SignalName) => {
    signals.stop()
    signalSource.kill(signalSource.pid, name)
  }
  for (const name of names) signalSource.on(name, take)
  const ci = environment['CI'] ?? ''
  if (ci !== '' && ci !== 'false' && ci !== '0')
    orphaned = setInterval(() => {
      if (signalSource.ppid === parent || received !== undefined) return
      say('the process that started perfdb is gone')
      take('SIGTERM')
    }, orphanedEveryMs).unref()
  return signals
}
