import type { PlanOptions } from '../plan/options.js'
import type { Profile } from '../profile/profile.js'
import type { Session } from '../server/session.js'
import { about, findingDocument, stepDocument } from './documents.js'
import { exitCode } from './exit-code.js'
import { makePlan } from './make-plan.js'
import type { PlanResult, VerifyResult } from './result.js'

export interface PlanCommandOptions extends PlanOptions {
  /** Exit 1 when there is something to do. */
  readonly exitCode: boolean
}

/** What apply would do, and why. Never writes. */
export async function runPlanCommand(
  session: Session,
  profiles: readonly Profile[],
  options: PlanCommandOptions,
): Promise<PlanResult> {
  const startedAt = new Date()
  const { plan, snapshot } = await makePlan(session, profiles, options)
  const work = plan.steps.filter((step) => step.step !== 'keep').length + plan.extensions.length
  return {
    ...about(exitCode({ refusals: options.exitCode ? work : 0 }), snapshot.server, startedAt),
    command: 'plan',
    profiles: profiles.map((profile) => profile.file),
    steps: plan.steps.map((step) => stepDocument(step, snapshot)),
    extensions: [...plan.extensions],
    // Drift is what the steps say already; verify reports it as findings.
    findings: plan.findings
      .filter((finding) => finding.severity !== 'info' && !driftCodes.has(finding.code))
      .map(findingDocument),
    fingerprint: plan.fingerprint,
  }
}

const driftCodes = new Set(['MISSING', 'DIFFERS', 'RENAMED', 'UNWANTED'])

/** Declared against existing, by canonical definition and by the flags of pg_index; anything but keep fails. Never writes. */
export async function runVerify(
  session: Session,
  profiles: readonly Profile[],
  options: PlanOptions,
): Promise<VerifyResult> {
  const startedAt = new Date()
  const { plan, snapshot } = await makePlan(session, profiles, options)
  const errors = plan.findings.filter((finding) => finding.severity === 'error').length
  const drifted = plan.steps.filter((step) => step.step !== 'keep').length
  return {
    ...about(exitCode({ refusals: errors + drifted }), snapshot.server, startedAt),
    command: 'verify',
    profiles: profiles.map((profile) => profile.file),
    steps: plan.steps.map((step) => stepDocument(step, snapshot)),
    findings: plan.findings.map(findingDocument),
  }
}
