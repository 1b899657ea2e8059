import type { Listener, RunEvent } from '../../build/events.js'
import type { Signals } from '../../settings/signals.js'

/** A build that takes longer than this is told of while it lasts. */
const longMs = 5000

export interface TenantSignals {
  /** Those of one tenant's run, until `end` is called: what listens to them goes with it, however many tenants there are. */
  begin(id: string): { readonly signals: Signals; readonly end: () => void }
}

/** One listener on the signals of the run for all tenants that run at once: Node warns of more than ten. */
export function tenantSignals(signals: Signals): TenantSignals {
  const running = new Set<AbortController>()
  const words = new Map<string, string>()
  signals.signal.addEventListener(
    'abort',
    () => {
      for (const controller of running) controller.abort(signals.signal.reason)
    },
    { once: true },
  )
  return {
    begin(id) {
      const controller = new AbortController()
      if (signals.signal.aborted) controller.abort(signals.signal.reason)
      running.add(controller)
      const own: Signals = {
        signal: controller.signal,
        name: signals.name,
        cleansUp: signals.cleansUp,
        get lastWords() {
          return ''
        },
        set lastWords(text) {
          words.set(id, text === '' ? '' : `${id}: ${text}`)
          signals.lastWords = [...words.values()].filter((one) => one !== '').join('\n')
        },
        stop: () => undefined,
      }
      const end = () => {
        running.delete(controller)
        words.delete(id)
      }
      return { signals: own, end }
    },
  }
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
