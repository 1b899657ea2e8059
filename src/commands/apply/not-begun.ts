import { resultWithoutWork } from '../../build/run/run-plan.js'
import type { ServerFacts } from '../../catalog/snapshot.js'
import type { HazardCode } from '../../codes/hazard-codes.js'
import type { Step } from '../../plan/plan.js'
import { exitCode } from '../../result/exit-code.js'
import type { ApplyResult } from '../../result/documents/result.js'
import { about, findingDocument, stepDocument } from '../shared/documents.js'
import type { Gate } from './gate.js'
import type { Planned } from '../shared/planned.js'

/** A run that may not begin now, such as outside its window: exit 1, and nothing was looked at but the clock. */
export function notBegun(
  server: ServerFacts,
  { command, profiles }: Pick<ApplyResult, 'command' | 'profiles'>,
  startedAt: Date,
  reason: string,
): ApplyResult {
  return {
    ...about(exitCode({ refusals: 1 }), server, startedAt),
    ...nothingDone,
    command,
    profiles,
    steps: [],
    findings: [],
    error: { code: 'NOT_STARTED', message: `nothing was changed: ${reason}` },
  }
}

/** A run whose plan has hazards that nobody allowed: exit 1, and nothing was changed. */
export function refused(
  { plan, snapshot }: Planned,
  files: readonly string[],
  startedAt: Date,
  gate: Gate,
): ApplyResult {
  return {
    ...about(exitCode({ refusals: gate.refused.length }), snapshot.server, startedAt),
    ...nothingDone,
    command: 'apply',
    profiles: [...files],
    steps: plan.steps.map((step) => ({
      ...stepDocument(step, snapshot),
      outcome: isRefused(step, gate.refused) ? 'refused' : resultWithoutWork(step).outcome,
    })),
    findings: plan.findings
      .filter((finding) => finding.severity !== 'info' && finding.code !== 'MISSING')
      .map(findingDocument),
    error: {
      code: 'HAZARD',
      message: `nothing was changed: the plan has hazards that are not allowed (${gate.refused.join(', ')})`,
      detail: gate.messages.join('\n'),
      hint: `perfdb apply ${files.join(' ')} --allow ${gate.refused.join(',')}`,
    },
  }
}

const nothingDone: Pick<ApplyResult, 'run' | 'analyzed' | 'queries' | 'comparisons'> = {
  run: null,
  analyzed: [],
  queries: [],
  comparisons: [],
}

function isRefused({ hazards }: Step, refused: readonly HazardCode[]): boolean {
  return hazards.some(
    (hazard) => hazard.refused === true || (hazard.advisory !== true && refused.includes(hazard.code)),
  )
}
