import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '../../result/documents/result.js'
import { readIndex } from '../../catalog/read/read.js'
import type { ExistingIndex } from '../../catalog/snapshot.js'
import { PerfdbError } from '../../errors.js'
import type { Statement, Step } from '../../plan/plan.js'
import { sameDefinition } from '../../plan/match/same.js'
import { buildersSql } from '../../sql/catalog/progress.js'
import type { BeforeBuild } from '../check/before.js'
import type { BuildContext, StepError, StepResult } from '../context.js'
import { runPartitioned } from '../partitioned/partitioned.js'
import { repairIndex } from '../partitioned/partitioned-repair.js'
import { otherBuildsGone, runBuild } from '../steps/run-build.js'
import { runDrop } from '../steps/run-drop.js'
import { runSwap } from '../steps/run-swap.js'
import { perfdbError } from '../statement.js'
import { stateOf, verifyBuilt } from '../check/verify.js'

/** Runs one step to an outcome; a failing step is a value, not an exception. `looked` is what was seen a moment ago, of a step that only builds. */
export async function runStep(context: BuildContext, step: Step, looked?: BeforeBuild): Promise<StepResult> {
  const started = performance.now()
  const waited = { ms: 0 }
  const blockers = new Map<string, string>()
  const result = (
    outcome: Outcome,
    state: StepResult['state'],
    index: ExistingIndex | null,
    error: StepError | null,
  ): StepResult => ({
    step,
    outcome,
    durationMs: performance.now() - started,
    waitedMs: waited.ms,
    ...(blockers.size === 0 ? {} : { waitedFor: [...blockers.values()] }),
    sizeBytes: index?.sizeBytes ?? null,
    index,
    state,
    error,
  })
  try {
    const index = await perform(noting(context, blockers), step, waited, looked)
    return result(outcomeOf[step.step], index === null ? 'missing' : 'valid', index, null)
  } catch (error) {
    const failure = perfdbError(error)
    const left = await readIndex(context.watchdog, step.schema, step.index).catch(() => null)
    return result('failed', left === null ? null : stateOf(left), null, stepError(failure))
  }
}

/** Keeps who blocked the step: a blocker's text names it up to its first comma, and goes on with an age that grows. */
function noting(context: BuildContext, blockers: Map<string, string>): BuildContext {
  return {
    ...context,
    listener: (event) => {
      if (event.type === 'step-progress' && event.blocker !== null)
        blockers.set(event.blocker.split(',', 1).join(''), event.blocker)
      context.listener(event)
    },
  }
}

const outcomeOf = {
  keep: 'kept',
  create: 'built',
  rebuild: 'rebuilt',
  reindex: 'reindexed',
  building: 'waited',
  replace: 'replaced',
  adopt: 'renamed',
  drop: 'dropped',
} as const

export function stepError({ code, message, detail, hint, sqlstate }: PerfdbError): StepError {
  return { code, message, detail, hint, sqlstate }
}

/** The index that stands there afterwards; null after a drop. */
async function perform(
  context: BuildContext,
  step: Step,
  waited: { ms: number },
  looked: BeforeBuild | undefined,
): Promise<ExistingIndex | null> {
  if (step.step === 'keep') return step.existing
  if (step.step === 'building') return otherBuildDone(context, step)
  if (step.partitioned === true) return runPartitioned(context, step, waited)
  await stillAsPlanned(context, step)
  // What a build verified a moment ago need not be asked again; 4 ms each, a third of what a step costs besides its build.
  let verified: ExistingIndex | undefined
  for (const statement of step.statements) {
    verified = undefined
    switch (statement.kind) {
      case 'build': {
        const built = await runBuildOrRepair(context, step, statement, looked)
        waited.ms += built.waitedMs
        if (statement.index === step.index) verified = built.index
        break
      }
      case 'drop':
        waited.ms += await runDrop(context, step, statement)
        break
      case 'swap':
        waited.ms += await runSwap(context, step, statement)
        break
    }
  }
  if (step.step === 'drop') return null
  return verified ?? verifyBuilt(context.watchdog, step.schema, step.index, step.table.name, step.canonical)
}

async function runBuildOrRepair(
  context: BuildContext,
  step: Step,
  statement: Statement,
  looked: BeforeBuild | undefined,
): Promise<{ readonly waitedMs: number; readonly index?: ExistingIndex }> {
  if (statement.verb !== 'reindex') return runBuild(context, step, statement, looked)
  await otherBuildsGone(context, step)
  return { waitedMs: await repairIndex(context, step, statement) }
}

/** What the step rests on may have changed since the plan: the index that it replaces, renames or drops must be the very same. */
async function stillAsPlanned({ watchdog }: BuildContext, step: Step): Promise<void> {
  if (step.existing === null) return
  const now = await readIndex(watchdog, step.existing.schema, step.existing.name)
  if (now === undefined || now.oid !== step.existing.oid || now.valid !== step.existing.valid) {
    throw new PerfdbError(
      'CHANGED',
      `${step.existing.schema}.${step.existing.name} is not what it was when the plan was made`,
    )
  }
}

/** Another session builds what is declared: wait for it as long as it is there; never drop it. */
async function otherBuildDone(context: BuildContext, step: Step): Promise<ExistingIndex> {
  const { watchdog, signal, maxWaitMs } = context
  const started = performance.now()
  let looksInVain = 0
  while (!signal.aborted) {
    const index = await readIndex(watchdog, step.schema, step.index)
    if (index?.valid === true && index.ready && index.live) {
      if (step.canonical !== null && !sameDefinition(step.canonical, index.canonical))
        throw new PerfdbError('NOT_AS_DECLARED', `${step.index} was built by another session with another definition`, {
          detail: index.indexdef,
        })
      return index
    }
    const builds = await watchdog.query<{ pid: number; phase: string }>(buildersSql, [
      index?.oid ?? 0,
      index?.tableOid ?? 0,
      context.ddl.pid,
    ])
    const [build] = builds
    if (build === undefined) {
      // Its row in the progress view goes a moment before its last transaction is seen.
      if ((looksInVain += 1) > 5)
        throw new PerfdbError('CHANGED', `the other session's build of ${step.index} ended without a valid index`)
      await sleep(300)
      continue
    }
    const elapsedMs = performance.now() - started
    context.listener({
      type: 'step-progress',
      index: step.index,
      phase: `built by pid ${build.pid}: ${build.phase}`,
      percent: null,
      etaMs: null,
      elapsedMs,
      blocker: null,
    })
    if (elapsedMs > maxWaitMs) throw new PerfdbError('BLOCKED', `pid ${build.pid} is still building ${step.index}`)
    await sleep(500)
  }
  throw new PerfdbError('INTERRUPTED', 'ended by a signal')
}
