import { tenantOutcomes } from '../../result/documents/fleet-result.js'
import { metric, type Sample } from './prometheus.js'

/** What a worker tells of itself. */
export interface WorkerNumbers {
  /** Tenants by outcome. */
  readonly counts: ReadonlyMap<string, number>
  /** Tenants that it works on. */
  readonly busy: number
  /** Tenants that another worker had taken when it was done with them. */
  readonly lost: number
  readonly queueAnswers: boolean
  /** Since it began. */
  readonly seconds: number
}

/** Tenants without their names: a worker goes through thousands, and each would be a series. */
export function workerMetrics({ counts, busy, lost, queueAnswers, seconds }: WorkerNumbers): string {
  return [
    metric(
      'perfdb_worker_tenants',
      'Tenants since the worker began, by outcome.',
      tenantOutcomes.map((outcome): Sample => [{ outcome }, counts.get(outcome) ?? 0]),
    ),
    metric('perfdb_worker_tenants_lost', 'Tenants that another worker had taken by the end.', [[{}, lost]]),
    metric('perfdb_worker_busy', 'Tenants that are worked on.', [[{}, busy]]),
    metric('perfdb_worker_queue_up', '1 when the queue answered the last time.', [[{}, queueAnswers ? 1 : 0]]),
    metric('perfdb_worker_uptime_seconds', 'Since the worker began.', [[{}, seconds]]),
  ].join('')
}
