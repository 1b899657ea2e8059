import type { PlanOptions } from '../../plan/inputs.js'
import { isImpossible } from '../../plan/match/needs.js'
import type { SavedPart } from '../../result/parts/saved-part.js'
import { hazardGate } from './gate.js'
import { savedPartOf } from './saved.js'
import type { Plan } from '../../plan/plan.js'
import type { Profile } from '../../profile/profile.js'
import { endedNote } from '../../server/session/version.js'
import type { Session } from '../../server/session/session.js'
import { about, findingDocument, stepDocument } from '../shared/documents.js'
import { exitCode } from '../../result/exit-code.js'
import { makePlan } from './make-plan.js'
import { deepFindings, type DeepOptions } from './verify-deep.js'
import type { PlanResult, VerifyResult } from '../../result/documents/result.js'
import type { Planned, Supposed } from '../shared/planned.js'
import type { WhatIfEngine } from '../explain/what-if.js'

export interface PlanCommandOptions extends PlanOptions {
  /** Exit 1 when there is something to do. */
  readonly exitCode: boolean
  /** refused: exit 1 only when apply would refuse the plan, or fail for certain; work: as exitCode. */
  readonly failOn?: 'refused' | 'work' | undefined
  /** Is given what `plan --out` saves. */
  readonly save?: ((saved: SavedPart) => void) | undefined
  /** Writes the plan in another form, and says into which files. */
  readonly export?: ((plan: Plan) => Promise<readonly string[]>) | undefined
  /** --what-if: opens the session of the role `measure` on which HypoPG is asked about the profiles' queries. */
  readonly whatIf?: WhatIfOptions | undefined
}

export interface WhatIfOptions extends WhatIfEngine {
  readonly connect: () => Promise<Session>
  readonly signal?: AbortSignal
}

/** What apply would do, and why. Never writes. */
export async function runPlanCommand(
  session: Session,
  profiles: readonly Profile[],
  options: PlanCommandOptions,
): Promise<PlanResult> {
  const startedAt = new Date()
  const made = await makePlan(session, profiles, options)
  const planned = { ...made, plan: await lookedAt(session, made) }
  const { plan, snapshot } = planned
  const supposed = options.whatIf === undefined ? null : await whatIf(options.whatIf, planned, profiles)
  options.save?.(await savedPartOf(session, plan))
  const refused = refusedBy(plan, options.allow)
  const work = plan.steps.filter((step) => step.step !== 'keep').length + plan.extensions.length + refused
  const refusals = options.exitCode || options.failOn === 'work' ? work : options.failOn === 'refused' ? refused : 0
  const exported = await options.export?.(plan)
  const notes = [...plan.notes, ...endedNote(session.versionNum, startedAt)]
  return {
    ...about(exitCode({ refusals }), snapshot.server, startedAt),
    command: 'plan',
    profiles: profiles.map((profile) => profile.file),
    steps: plan.steps.map((step) => stepDocument(step, snapshot)),
    extensions: [...plan.extensions],
    // Drift is what the steps say already; verify reports it as findings.
    findings: [
      ...plan.findings.filter((finding) => finding.severity !== 'info' && !driftCodes.has(finding.code)),
      ...(supposed?.findings ?? []),
    ].map(findingDocument),
    ...(notes.length === 0 ? {} : { notes }),
    fingerprint: plan.fingerprint,
    ...(supposed === null ? {} : { what_if: supposed.document }),
    ...(exported === undefined ? {} : { exported: [...exported] }),
  }
}

/** With what a look at the rows says. Its module is loaded where there is something to build. */
async function lookedAt(session: Session, { plan, snapshot }: Planned): Promise<Plan> {
  if (plan.steps.every(({ step }) => step === 'keep')) return plan
  const { plannedWithDuplicates } = await import('../../build/check/duplicates.js')
  return plannedWithDuplicates(session, plan, snapshot.statistics)
}

/** How many reasons apply would have to refuse the plan, or to fail for certain. */
function refusedBy(plan: Plan, allow: PlanOptions['allow']): number {
  const impossible = plan.steps.filter((step) => isImpossible(step) || step.duplicates === 'some').length
  const drops = plan.findings.filter(({ code }) => code === 'DROP_REFUSED').length
  return hazardGate(plan, allow).refused.length + impossible + drops
}

async function whatIf(
  { connect, signal, ...options }: WhatIfOptions,
  planned: Planned,
  profiles: readonly Profile[],
): Promise<Supposed> {
  const { keptEngine, runWhatIf } = await import('../explain/what-if.js')
  const queries = profiles.flatMap((profile) => profile.queries)
  await using session = await connect()
  await using engine = keptEngine(options)
  return await runWhatIf(session, planned, queries, { signal, ...engine })
}

const driftCodes = new Set(['MISSING', 'DIFFERS', 'RENAMED', 'UNWANTED', 'REINDEX_DUE'])

/** Declared against existing, by canonical definition and by the flags of pg_index; anything but keep fails. Never writes. */
export async function runVerify(
  session: Session,
  profiles: readonly Profile[],
  options: VerifyOptions,
): Promise<VerifyResult> {
  const startedAt = new Date()
  const { plan, snapshot } = await makePlan(session, profiles, options)
  const deep = options.deep === undefined ? [] : await deepFindings(session, plan, snapshot, options.deep)
  const findings = [...plan.findings, ...deep]
  const errors = findings.filter((finding) => finding.severity === 'error').length
  const drifted = plan.steps.filter((step) => step.step !== 'keep').length
  return {
    ...about(exitCode({ refusals: errors + drifted }), snapshot.server, startedAt),
    command: 'verify',
    profiles: profiles.map((profile) => profile.file),
    steps: plan.steps.map((step) => stepDocument(step, snapshot)),
    findings: findings.map(findingDocument),
  }
}

export interface VerifyOptions extends PlanOptions {
  /** --deep */
  readonly deep?: DeepOptions | undefined
}
