import type { BuildContext, StepResult } from '../../build/context.js'
import { runPlan } from '../../build/run/run-plan.js'
import type { RunWithSteps } from '../../ledger/ledger.js'
import { fingerprint } from '../../plan/make/fingerprint.js'
import { withNeeds } from '../../plan/match/needs.js'
import type { PlanOptions } from '../../plan/inputs.js'
import type { Finding, Plan, Step } from '../../plan/plan.js'
import type { Outcome } from '../../result/documents/result.js'
import type { Session } from '../../server/session/session.js'
import { notAsBefore, planUndo, type Entry } from './undo-plan.js'

/** The steps of a run that are undone, and the plan of that. */
export interface Undoing {
  readonly wanted: RunWithSteps
  readonly entries: readonly Entry[]
  readonly plan: Plan
}

/** What undoing these steps takes, in the order in which it is safe. Throws the server's errors. */
export async function undoing(
  session: Session,
  wanted: RunWithSteps,
  { allow }: Pick<PlanOptions, 'allow'>,
): Promise<Undoing> {
  const entries = await planUndo(session, wanted, allow.has('DROP'))
  const found = entries.flatMap(({ undo }) => ('step' in undo ? [undo.step] : []))
  // What is built again comes first: while it is not there, nothing is dropped on its table.
  const builds = found.filter(({ step }) => step === 'create' || step === 'replace')
  const inOrder = [...builds, ...found.filter((step) => !builds.includes(step))]
  const steps = withNeeds(inOrder, { partitionTrees: [] })
  const needing = new Map(inOrder.map((step, at) => [step, steps[at] ?? step]))
  return {
    wanted,
    entries: entries.map(({ done, undo }) => ({
      done,
      undo: 'step' in undo ? { step: needing.get(undo.step) ?? undo.step } : undo,
    })),
    plan: { steps, extensions: [], findings: [], notes: [], fingerprint: fingerprint(steps, []) },
  }
}

export interface Undone {
  readonly results: ReadonlyMap<Step, StepResult>
  readonly findings: readonly Finding[]
  /** Steps that are not undone. */
  readonly left: number
}

/** Undoes them, each looked at afterwards; `mark` is told of each that is undone, by its number in the run. Throws what `mark` and the server throw. */
export async function carryOut(
  context: BuildContext,
  session: Session,
  { entries, plan }: Undoing,
  mark: (number: number, outcome: Outcome) => Promise<void>,
): Promise<Undone> {
  const results = new Map((await runPlan(context, plan)).map((result) => [result.step, result]))
  const findings: Finding[] = []
  let left = 0
  for (const entry of entries) {
    const end = await endOf(session, entry, results)
    findings.push(...end.findings)
    if (end.outcome === null) left += 1
    else await mark(entry.done.number, end.outcome)
  }
  return { results, findings, left }
}

/** `outcome` is null when the step is not undone. */
async function endOf(session: Session, entry: Entry, results: ReadonlyMap<Step, StepResult>) {
  const { undo } = entry
  const done = 'step' in undo ? results.get(undo.step) : undefined
  if ('step' in undo && done?.error !== null) return { outcome: null, findings: [] }
  if ('ended' in undo && !undo.ended.undone)
    return { outcome: null, findings: undo.ended.finding === null ? [] : [undo.ended.finding] }
  if (done?.outcome === 'not_reached') return { outcome: null, findings: [] }
  const different = await notAsBefore(session, entry)
  if (different !== null) return { outcome: null, findings: [different] }
  return { outcome: 'ended' in undo ? undo.ended.outcome : (done?.outcome ?? 'undone'), findings: [] }
}
