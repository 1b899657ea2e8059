import type { FleetResult, TenantResult } from '../../result/documents/fleet-result.js'
import { several } from '../../text/amounts.js'
import { fleetVerdict, stateText, tenantWords } from '../blocks/fleet.js'
import type { Case, Suite } from './junit-xml.js'

/** A suite for the run with a case a group that is in order, and one for each tenant that is not. */
export function fleetSuites(result: FleetResult): readonly Suite[] {
  const { command, groups, tenants, started_at: startedAt, duration_ms: durationMs } = result
  const wrong = tenants.filter(isWrong)
  const cases = groups
    .filter((group) => !isWrong(group))
    .map(({ tenants: number, first, outcome, reason }): Case => ({
      group: 'tenants',
      name: `${several(number, 'tenant')} as ${first}`,
      outcome: 'passed',
      message: `${tenantWords[outcome]}: ${reason}`,
    }))
  const verdict: Case = {
    group: 'tenants',
    name: `exit code ${result.exit_code}`,
    outcome: result.ok || wrong.length > 0 ? 'passed' : 'failure',
    message: fleetVerdict(result),
  }
  return [
    { name: `perfdb ${command}`, group: `perfdb.${command}`, cases: [...cases, verdict], startedAt, durationMs },
    ...wrong.map((tenant) => ({
      name: `perfdb ${command} ${tenant.id}`,
      group: `perfdb.${command}.${tenant.id}`,
      cases: casesOf(tenant, groups[tenant.group]?.reason ?? ''),
      durationMs: tenant.duration_ms,
    })),
  ]
}

function isWrong({ outcome }: Pick<TenantResult, 'outcome'>): boolean {
  return outcome !== 'in_order' && outcome !== 'done'
}

function casesOf(
  { outcome, exit_code: code, steps = [], error, findings = [] }: TenantResult,
  reason: string,
): readonly Case[] {
  const bad = code !== 0
  const own = steps.map((step): Case => ({
    group: 'steps',
    name: `${step.schema}.${step.index} on ${step.table}`,
    outcome:
      step.error !== undefined || (bad && step.outcome === undefined)
        ? 'failure'
        : step.outcome === 'not_reached'
          ? 'skipped'
          : 'passed',
    message: `${stateText(step)}${step.error === undefined ? '' : `: ${step.error.message}`}`,
    ...(step.error !== undefined && { code: step.error.code }),
    ...(step.duration_ms !== undefined && { durationMs: step.duration_ms }),
  }))
  const told = findings
    .filter(({ severity, index }) => severity === 'error' && !steps.some((step) => step.index === index))
    .map(({ code: name, index, table, message }): Case => ({
      group: 'findings',
      name: [name, index ?? table ?? ''].filter((part) => part !== '').join(' '),
      outcome: 'failure',
      message,
      code: name,
    }))
  const failing = [...own, ...told].some((each) => each.outcome === 'failure')
  const whole: Case = {
    group: 'tenants',
    name: tenantWords[outcome],
    outcome:
      error !== undefined ? 'error' : bad && !failing ? 'failure' : outcome === 'not_reached' ? 'skipped' : 'passed',
    message: error?.message ?? reason,
    ...(error !== undefined && {
      code: error.code,
      text: [error.message, error.detail ?? '', error.hint ?? ''].filter((line) => line !== '').join('\n'),
    }),
  }
  return [whole, ...own, ...told]
}
