import type { Folded } from '../../commands/fleet/fold.js'
import { workerMetrics } from '../../report/machine/prometheus-worker.js'
import { tenantOutcomes, type FleetResult } from '../../result/documents/fleet-result.js'
import { headOf, timesOf } from '../../result/head.js'

/** What a worker did since it began: numbers alone, as it may go on for months. */
export interface WorkerTally {
  begin(): void
  /** undefined for a tenant that somebody else has by now. */
  end(one: Folded | undefined): void
  total(): number
  metrics(): string
  document(): FleetResult
}

export function workerTally(answers: () => boolean): WorkerTally {
  const startedAt = new Date()
  const counts = new Map<string, number>()
  let busy = 0
  let lost = 0
  const total = () => [...counts.values()].reduce((sum, one) => sum + one, 0)
  return {
    begin() {
      busy += 1
    },
    end(one) {
      busy -= 1
      if (one === undefined) lost += 1
      else counts.set(one.outcome, (counts.get(one.outcome) ?? 0) + 1)
    },
    total,
    metrics: () => workerMetrics({ counts, busy, lost, queueAnswers: answers(), seconds: secondsSince(startedAt) }),
    document: () => ({
      ...headOf(0),
      command: 'worker',
      ...timesOf(startedAt),
      tenants: [],
      groups: [],
      waves: [],
      counts: {
        total: total(),
        ...Object.fromEntries(tenantOutcomes.flatMap((name) => (counts.has(name) ? [[name, counts.get(name)]] : []))),
      },
      findings: [],
    }),
  }
}

function secondsSince(start: Date): number {
  return Math.round((Date.now() - start.getTime()) / 1000)
}
