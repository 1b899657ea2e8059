import type { Plan, Step } from '../plan/plan.js'
import type { BuildContext, StepResult } from './context.js'
import { perfdbError } from './statement.js'
import { runStep, stepError } from './run-step.js'

/**
 * Runs the steps of a plan one after another, each to its outcome. A failed step does not stop the others; a signal, a
 * lost connection or a lost run lock does: the rest is `not_reached`. Never throws.
 */
export async function runPlan(context: BuildContext, plan: Plan): Promise<readonly StepResult[]> {
  const work = plan.steps.filter((step) => step.step !== 'keep')
  const results = new Map<Step, StepResult>()
  let stopped = false
  for (const [position, step] of work.entries()) {
    if (stopped || context.signal.aborted) {
      results.set(step, notReached(step))
      continue
    }
    const result = await recorded(context, step, position + 1, work.length)
    results.set(step, result)
    stopped =
      result.error !== null &&
      (result.error.code === 'CONNECTION_LOST' ||
        result.error.code === 'INTERRUPTED' ||
        result.error.code === 'INTERNAL')
  }
  return plan.steps.map((step) => results.get(step) ?? kept(step))
}

async function recorded(context: BuildContext, step: Step, number: number, of: number): Promise<StepResult> {
  const { listener, recorder } = context
  listener({
    type: 'step-started',
    step: step.step,
    index: step.index,
    table: `${step.table.schema}.${step.table.name}`,
    number,
    of,
  })
  try {
    await recorder.started(step, number)
  } catch (error) {
    return { ...notReached(step), outcome: 'failed', error: stepError(perfdbError(error)) }
  }
  const result = await runStep(context, step)
  // The catalog is the truth: a ledger that cannot be written is told, and does not undo the index.
  await recorder.finished(result, number).catch((error: unknown) => {
    listener({ type: 'warning', message: `the ledger could not be written: ${perfdbError(error).message}` })
  })
  listener({
    type: 'step-done',
    index: step.index,
    outcome: result.outcome,
    durationMs: result.durationMs,
    sizeBytes: result.sizeBytes,
    message: result.error?.message ?? null,
  })
  return result
}

function kept(step: Step): StepResult {
  return {
    step,
    outcome: 'kept',
    durationMs: 0,
    waitedMs: 0,
    sizeBytes: step.existing?.sizeBytes ?? null,
    state: 'valid',
    error: null,
  }
}

function notReached(step: Step): StepResult {
  return { step, outcome: 'not_reached', durationMs: 0, waitedMs: 0, sizeBytes: null, state: null, error: null }
}
