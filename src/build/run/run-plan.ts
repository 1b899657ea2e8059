import type { TableName } from '../../definition/definition.js'
import { isImpossible, listed, stepKey } from '../../plan/match/needs.js'
import type { Hazard, Plan, Step } from '../../plan/plan.js'
import type { Session } from '../../server/session/session.js'
import type { BuildContext, StepError, StepResult } from '../context.js'
import { schedule } from './schedule.js'
import { perfdbError } from '../statement.js'
import { runStep, stepError } from './run-step.js'
import { stateOf } from '../check/verify.js'
import { lookBefore } from '../check/before.js'
import { withWal } from './wal.js'

/**
 * Runs the steps of a plan, each to its outcome. One worker takes them in their order; several take the lanes of a stage side
 * by side. A failed step does not stop the others; a signal, a lost connection or a lost run lock does, and a closed
 * window: the rest is `not_reached`. Never throws.
 */
export async function runPlan(
  context: BuildContext,
  plan: Plan,
  parallel: Parallel = { workers: [], bytesOf: () => 0 },
): Promise<readonly StepResult[]> {
  const work = plan.steps.filter((step) => step.step !== 'keep' && !isImpossible(step))
  const withoutWork = plan.steps.filter((step) => step.step === 'keep' || isImpossible(step)).map(resultWithoutWork)
  const progress: Progress = {
    results: new Map(),
    byName: new Map(withoutWork.map((result) => [stepKey(result.step), result])),
    stopped: null,
    writing: [],
    numbers: new Map(work.map((step, at) => [step, at + 1])),
  }
  const stages = parallel.workers.length === 0 ? [[work]] : schedule(work, parallel.bytesOf)
  for (const stage of stages) {
    const lanes = [...stage]
    const sessions = [context.ddl, ...parallel.workers]
    await Promise.all(
      sessions.map((ddl) => {
        // Where one session does it all, the ledger's WAL is its own too.
        const lastWal = context.watchdog.pid === ddl.pid ? {} : { lastWal: { position: null } }
        return takeLanes({ ...context, ddl, ...lastWal }, lanes, progress)
      }),
    )
  }
  await Promise.all(progress.writing)
  return plan.steps.map((step) => progress.results.get(step) ?? resultWithoutWork(step))
}

/** More workers: each a ddl session of its own. */
export interface Parallel {
  readonly workers: readonly Session[]
  readonly bytesOf: (table: TableName) => number
}

interface Progress {
  readonly results: Map<Step, StepResult>
  /** The same by index, for the steps that wait for it. */
  readonly byName: Map<string, StepResult>
  readonly numbers: ReadonlyMap<Step, number>
  /** Why nothing more is started; null while all is well. */
  stopped: StepError | null
  /** Ends of steps on their way into the ledger. Never rejects. */
  readonly writing: Promise<void>[]
}

async function takeLanes(context: BuildContext, lanes: (readonly Step[])[], progress: Progress): Promise<void> {
  for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) {
    for (const step of lane) {
      const result = await takeStep(context, step, progress)
      progress.results.set(step, result)
      progress.byName.set(stepKey(step), result)
    }
  }
}

async function takeStep(context: BuildContext, step: Step, progress: Progress): Promise<StepResult> {
  if (progress.stopped !== null || context.signal.aborted) return notReached(step, progress.stopped)
  const missed = missedNeeds(step, progress)
  if (missed !== null) return notReached(step, missed)
  const reason = await context.mayStart().catch((error: unknown) => perfdbError(error).message)
  if (reason !== null)
    progress.stopped = {
      code: 'NOT_STARTED',
      message: reason,
      hint: 'run the same command again: it goes on from here',
    }
  if (progress.stopped !== null) return notReached(step, progress.stopped)
  const result = await recorded(context, step, progress)
  if (result.error !== null && fatal.has(result.error.code)) progress.stopped = result.error
  return result
}

/** What replaces comes before what it replaces: while one of these is not there, the index is kept. */
function missedNeeds({ needs = [] }: Step, { byName }: Progress): StepError | null {
  const missed = needs.flatMap((need) => {
    const result = byName.get(stepKey(need))
    return result !== undefined && succeeded.has(result.outcome) ? [] : [`${need.index} ${whatIsMissing(result)}`]
  })
  if (missed.length === 0) return null
  const hint = 'once these are there, the same command drops it'
  return { code: 'NOT_STARTED', message: `kept: ${listed(missed)}`, hint }
}

function whatIsMissing(result: StepResult | undefined): string {
  if (result?.state === 'invalid') return 'is not valid'
  return result?.step.step === 'replace' ? 'is not replaced' : 'is not there'
}

const succeeded: ReadonlySet<string> = new Set(['built', 'rebuilt', 'reindexed', 'replaced', 'waited'])

const fatal = new Set(['CONNECTION_LOST', 'INTERRUPTED', 'INTERNAL'])

async function recorded(context: BuildContext, step: Step, { numbers, writing }: Progress): Promise<StepResult> {
  const { listener, recorder } = context
  const number = numbers.get(step) ?? 0
  listener({
    type: 'step-started',
    step: step.step,
    index: step.index,
    table: `${step.table.schema}.${step.table.name}`,
    number,
    of: numbers.size,
  })
  // What a build asks first travels along: no statement that changes anything is sent before the record of it is written.
  const looking = isPlainBuild(step) ? lookBefore(context, step.schema, step.index).catch(() => undefined) : undefined
  try {
    await recorder.started(step, number)
  } catch (error) {
    return { ...notReached(step, null), error: stepError(perfdbError(error)) }
  }
  const looked = await looking
  const result = await withWal(context, step, async (inner) => runStep(inner, step, looked))
  // The catalog is the truth: a ledger that cannot be written is told, and does not undo the index.
  const written = recorder.finished(result, number).catch((error: unknown) => {
    listener({ type: 'warning', message: `the ledger could not be written: ${perfdbError(error).message}` })
  })
  // On one connection it is there before the record of the next step, which is waited for.
  writing.push(written)
  if (result.error !== null) await written
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

/** One statement that builds what the step is named for. */
function isPlainBuild({ statements, partitioned, existing, index }: Step): boolean {
  const [only, ...more] = statements
  const builds = only?.kind === 'build' && only.verb !== 'reindex' && only.index === index
  return builds && more.length === 0 && partitioned !== true && existing === null
}

/** The result of a step that had nothing to do, or that cannot be done. */
export function resultWithoutWork(step: Step): StepResult {
  const refusal = step.hazards.find(({ refused }) => refused === true)
  return {
    step,
    outcome: refusal !== undefined ? 'refused' : step.step === 'keep' ? 'kept' : 'not_reached',
    durationMs: 0,
    waitedMs: 0,
    sizeBytes: step.existing?.sizeBytes ?? null,
    index: step.existing,
    state: step.existing === null ? null : stateOf(step.existing),
    error: refusal === undefined ? null : refusedError(step, refusal),
  }
}

function refusedError({ existing }: Step, { message, hint = '' }: Hazard): StepError {
  return { code: 'NOT_INDEXABLE', message, detail: existing?.indexdef, hint }
}

/** Only a reason that is the step's own is told at the step: what stopped another step is told there. */
function notReached(step: Step, stopped: StepError | null): StepResult {
  const error = stopped?.code === 'NOT_STARTED' ? stopped : null
  return { step, outcome: 'not_reached', durationMs: 0, waitedMs: 0, sizeBytes: null, index: null, state: null, error }
}
