import type { Step } from '../../plan/plan.js'
import { lookBefore, type BeforeBuild } from '../check/before.js'
import type { BuildContext } from '../context.js'

/** A step whose record is on its way into the ledger, and with it what a build asks first. */
export interface Begun {
  /** Rejects when the ledger cannot be written: then nothing of the step may be sent. */
  readonly recording: Promise<void>
  /** undefined where a build has to look for itself. Never rejects. */
  readonly looking: Promise<BeforeBuild | undefined>
}

/** Sends both at once: no statement that changes anything is sent before the record of it is written. */
export function begin(context: BuildContext, step: Step, number: number): Begun {
  const looks = isPlainBuild(step) ? lookBefore(context, step.schema, step.index).catch(() => undefined) : undefined
  const recording = context.recorder.started(step, number)
  // Whoever takes the step hears of it, maybe a moment later.
  recording.catch(() => undefined)
  return { recording, looking: Promise.resolve(looks) }
}

/**
 * The same for the step after one whose build has just ended: it travels with the verification of that, and so costs no round trip. null where it may not be started
 * now, or nobody knows. Never rejects.
 */
export async function beginNext(context: BuildContext, next: Step, number: number): Promise<Begun | null> {
  const { mayStart, signal } = context
  const refusal = signal.aborted ? '' : mayStart === undefined ? null : await mayStart().catch(() => '')
  return refusal === null ? begin(context, next, number) : null
}

/** One statement that builds what the step is named for, whatever becomes of the others. */
export function isPlainBuild({ statements, partitioned, existing, index, needs = [] }: Step): boolean {
  const [only, ...more] = statements
  const builds = only?.kind === 'build' && only.verb !== 'reindex' && only.index === index
  return builds && more.length === 0 && partitioned !== true && existing === null && needs.length === 0
}
