import type { Snapshot } from '../../catalog/snapshot.js'
import type { Finding, Step } from '../plan.js'

/** Where something is to be done: the event triggers that may end it, a build at its very end even (fault 15). */
export function eventTriggerFindings(steps: readonly Step[], { eventTriggers }: Snapshot): readonly Finding[] {
  if (eventTriggers.length === 0 || steps.every(({ step }) => step === 'keep')) return []
  return [
    {
      code: 'EVENT_TRIGGER',
      severity: 'warning',
      message: `event triggers run with each statement, and one that raises ends a build at its end: ${eventTriggers.join(', ')}`,
      hint: 'select evtname, evtfoid::regprocedure from pg_event_trigger',
    },
  ]
}
