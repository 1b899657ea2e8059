import type { FleetResult } from '../../result/documents/fleet-result.js'
import { tenantOutcomes } from '../../result/documents/fleet-result.js'
import { metric, type Sample } from './prometheus.js'

/** Tenants by outcome, and those that are not in order by name: thousands that are would be a label each. */
export function fleetMetrics({ command, tenants, counts, duration_ms: ms, exit_code: code }: FleetResult): string {
  const wrong = tenants.filter((tenant) => tenant.outcome !== 'in_order' && tenant.outcome !== 'done')
  return [
    metric(
      'perfdb_fleet_tenants',
      'Tenants by outcome.',
      tenantOutcomes.map((outcome): Sample => [{ command, outcome }, counts[outcome] ?? 0]),
    ),
    metric(
      'perfdb_fleet_tenant_not_in_order',
      '1 for each tenant that is not in order.',
      wrong.map(({ id, server, outcome }): Sample => [{ command, tenant: id, server, outcome }, 1]),
    ),
    metric('perfdb_fleet_duration_seconds', 'How long the run took.', [[{ command }, ms / 1000]]),
    metric('perfdb_fleet_exit_code', 'Exit code: 3, 2 and 1 are the worst of all tenants.', [[{ command }, code]]),
  ].join('')
}
