import type { TableName } from '../../definition/definition.js'
import { isImpossible, listed, stepKey } from '../../plan/match/needs.js'
import type { Hazard, Plan, Step } from '../../plan/plan.js'
import type { Session } from '../../server/session/session.js'
import type { BuildContext, StepError, StepResult } from '../context.js'
import { schedule } from './schedule.js'
import { perfdbError } from '../statement.js'
import { runStep, stepError } from './run-step.js'
import { stateOf } from '../check/verify.js'
import { begin, beginNext, isPlainBuild, type Begun } from './begin.js'
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
        const lastWal = context.watchdog.pid === ddl.pid ? {} : { lastWal: { position: undefined } }
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

/**
 * The lanes one after another. Where a build and then another one stand side by side, the second is sent while the first is still verified, on another session: whether that
 * failed is no matter to it. What is asked of one session waits behind a build, and so is awaited before it.
 */
async function takeLanes(context: BuildContext, lanes: (readonly Step[])[], progress: Progress): Promise<void> {
  for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) {
    let begun: Promise<Begun | null> | undefined
    const taken: Promise<void>[] = []
    for (const [at, step] of lane.entries()) {
      const ahead = (await begun) ?? null
      begun = undefined
      if (ahead === null) await Promise.all(taken)
      const next = lane[at + 1]
      const paired = next !== undefined && isPlainBuild(step) && isPlainBuild(next)
      let built = () => {}
      const building = new Promise<void>((resolve) => (built = resolve))
      const onBuilt = () => {
        begun = beginNext(context, next ?? step, progress.numbers.get(next ?? step) ?? 0)
        if (context.watchdog.pid !== context.ddl.pid) built()
      }
      const taking = takeStep({ ...context, ...(paired ? { onBuilt } : {}) }, step, progress, ahead, taken.at(-1)).then(
        (result) => {
          progress.results.set(step, result)
          progress.byName.set(stepKey(step), result)
        },
      )
      taken.push(taking)
      await Promise.race([taking, building])
    }
    await Promise.all(taken)
  }
}

/** `ahead`: what was sent of it while the step before it, `earlier`, was verified. */
async function takeStep(
  context: BuildContext,
  step: Step,
  progress: Progress,
  ahead: Begun | null,
  earlier: Promise<void> | undefined,
): Promise<StepResult> {
  const left = (why: StepError | null) => {
    const result = notReached(step, why)
    if (ahead !== null) progress.writing.push(closed(context, result, progress.numbers.get(step) ?? 0))
    return result
  }
  if (progress.stopped !== null || context.signal.aborted) return left(progress.stopped)
  const missed = missedNeeds(step, progress)
  if (missed !== null) return left(missed)
  const reason =
    ahead === null ? await context.mayStart?.().catch((error: unknown) => perfdbError(error).message) : undefined
  if (typeof reason === 'string')
    progress.stopped = {
      code: 'NOT_STARTED',
      message: reason,
      hint: 'run the same command again: it goes on from here',
    }
  if (progress.stopped !== null) return left(progress.stopped)
  const result = await recorded(context, step, progress, ahead, earlier)
  if (result.error !== null && fatal.has(result.error.code)) progress.stopped = result.error
  return result
}

/** The record of a step that was written ahead, and of which nothing was sent after all. Never rejects. */
async function closed({ recorder }: BuildContext, result: StepResult, number: number): Promise<void> {
  const error: StepError = result.error ?? { code: 'NOT_STARTED', message: 'the run ended before it' }
  await recorder.finished({ ...result, error }, number).catch(() => undefined)
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

async function recorded(
  context: BuildContext,
  step: Step,
  { numbers, writing }: Progress,
  ahead: Begun | null,
  earlier: Promise<void> | undefined,
): Promise<StepResult> {
  const { listener, recorder } = context
  const number = numbers.get(step) ?? 0
  const tell = () =>
    listener({
      type: 'step-started',
      step: step.step,
      index: step.index,
      table: `${step.table.schema}.${step.table.name}`,
      number,
      of: numbers.size,
    })
  // The end of the step before is told first.
  const told = ahead === null ? tell() : earlier?.then(tell)
  const { recording, looking } = ahead ?? begin(context, step, number)
  try {
    await recording
  } catch (error) {
    return { ...notReached(step, null), error: stepError(perfdbError(error)) }
  }
  const looked = await looking
  const result = await withWal(context, step, async (inner) => runStep(inner, step, looked))
  // The catalog is the truth: a ledger that cannot be written is told, and does not undo the index.
  const written = recorder.finished(result, number).catch((error: unknown) => {
    listener({ type: 'warning', message: `the ledger could not be written: ${perfdbError(error).message}` })
  })
  // It is on its way before the next build is.
  writing.push(written)
  if (result.error !== null) await written
  await told
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
