import type { Listener, RunEvent } from '../../build/events.js'
import type { Signals } from '../../settings/signals.js'

/** A build that takes longer than this is told of while it lasts. */
const longMs = 5000

/** The signals of one tenant's run: what listens to them goes with it, however many tenants there are. */
export function signalsFor(signals: Signals, id: string): { readonly signals: Signals; readonly end: () => void } {
  const controller = new AbortController()
  const abort = () => controller.abort(signals.signal.reason)
  if (signals.signal.aborted) abort()
  else signals.signal.addEventListener('abort', abort, { once: true })
  const own: Signals = {
    signal: controller.signal,
    name: signals.name,
    cleansUp: signals.cleansUp,
    get lastWords() {
      return ''
    },
    set lastWords(words) {
      signals.lastWords = words === '' ? '' : `${id}: ${words}`
    },
    stop: () => undefined,
  }
  return { signals: own, end: () => signals.signal.removeEventListener('abort', abort) }
}

/** Of a tenant's progress: warnings, and builds that take long, under its name. */
export function quietly(id: string, listener: Listener): Listener {
  const held = new Map<string, Extract<RunEvent, { type: 'step-started' }>>()
  const shown = new Set<string>()
  return (event) => {
    switch (event.type) {
      case 'warning':
        return listener({ ...event, message: `${id}: ${event.message}` })
      case 'step-started':
        held.set(event.index, event)
        return
      case 'step-progress': {
        const started = held.get(event.index)
        if (started === undefined || (event.elapsedMs < longMs && event.blocker === null)) return
        if (!shown.has(event.index)) listener({ ...started, index: `${id} ${event.index}` })
        shown.add(event.index)
        return listener({ ...event, index: `${id} ${event.index}` })
      }
      case 'step-done':
        held.delete(event.index)
        if (shown.delete(event.index)) listener({ ...event, index: `${id} ${event.index}` })
        return
      case 'stage':
      case 'measured':
      case 'tenant-done':
        return
    }
  }
}
