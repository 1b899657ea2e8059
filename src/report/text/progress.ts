import type { RunEvent } from '../../build/events.js'
import type { Outcome } from '../../result/documents/result.js'
import { bytes, duration, withThousands, several } from '../../text/amounts.js'
import { visible } from './width.js'
import { outcomeWords } from '../block/outcomes.js'

/** A build under way, as its last event told. */
export interface Running {
  readonly index: string
  readonly number: number
  readonly of: number
  readonly phase: string
  readonly percent: number | null
  readonly etaMs: number | null
  readonly elapsedMs: number
  readonly blocker: string | null
  /** Elapsed time at which this phase was first seen, and at which waiting was last told in plain lines. */
  readonly phaseSinceMs: number
  readonly toldMs: number | null
}

/** A build that has ended. */
export interface Finished {
  readonly index: string
  readonly number: number
  readonly of: number
  readonly outcome: Outcome
  /** `built in 1.2 s, 12.3 MB` */
  readonly text: string
}

/** All that a drawing of progress needs; made by `advance` from the events so far. */
export interface Progress {
  readonly stage: string
  readonly running: readonly Running[]
  /** The newest last, of thousands as many as a window may show. */
  readonly finished: readonly Finished[]
  readonly done: number
  readonly failed: number
  readonly of: number
  readonly measured: { readonly query: string; readonly number: number; readonly of: number } | null
}

export const noProgress: Progress = {
  stage: '',
  running: [],
  finished: [],
  done: 0,
  failed: 0,
  of: 0,
  measured: null,
}

const mostFinished = 200

// No spam in the log of a pipeline: waiting is told at once when someone blocks, else after 5 s, then every 30 s.
const tellAfterMs = 5_000
const tellEveryMs = 30_000

/** The progress after one more event. Kept indexes are no builds: they only count as done. */
export function advance(progress: Progress, event: RunEvent): Progress {
  switch (event.type) {
    case 'stage':
      return { ...progress, stage: event.message, measured: null }
    case 'step-started':
      if (event.step === 'keep') return { ...progress, of: event.of }
      // A run need not tell that it builds now: what it did before would stand there all the while.
      return {
        ...progress,
        stage: progress.stage.startsWith('building') ? progress.stage : 'building',
        measured: null,
        of: event.of,
        running: [...progress.running, started(event)],
      }
    case 'step-progress':
      return {
        ...progress,
        running: progress.running.map((each) => (each.index === event.index ? moved(each, event) : each)),
      }
    case 'step-done': {
      const failed = event.outcome === 'failed' ? 1 : 0
      const ended = progress.running.filter((each) => each.index === event.index)
      const { outcome } = event
      return {
        ...progress,
        running: progress.running.filter((each) => !ended.includes(each)),
        finished: [
          ...progress.finished.slice(1 - mostFinished),
          ...ended.map(({ index, number, of }) => ({ index, number, of, outcome, text: outcomeText(event) })),
        ],
        done: progress.done + 1 - failed,
        failed: progress.failed + failed,
      }
    }
    case 'measured':
      return { ...progress, measured: { query: event.query, number: event.number, of: event.of } }
    case 'tenant-done':
      return { ...progress, stage: tenantsText(event) }
    case 'warning':
      return progress
  }
}

/** Lines for a log: a stage, a build that starts, ends or waits, a warning. `progress` is what was before the event. */
export function plainLines(progress: Progress, event: RunEvent): readonly string[] {
  switch (event.type) {
    case 'stage':
      return [visible(event.message)]
    case 'step-started':
      return event.step === 'keep'
        ? []
        : [visible(`[${event.number}/${event.of}] ${event.step} ${event.index} on ${event.table}`)]
    case 'step-progress': {
      const running = progress.running.find((each) => each.index === event.index)
      return running !== undefined && tells(running, event) ? [visible(`${mark(running)} ${waitingText(event)}`)] : []
    }
    case 'step-done': {
      const running = progress.running.find((each) => each.index === event.index)
      return running === undefined ? [] : [visible(`${mark(running)} ${doneText(event)}`)]
    }
    case 'measured':
      return []
    case 'tenant-done':
      return tenantLines(event)
    case 'warning':
      return [visible(`warning: ${event.message}`)]
  }
}

function tenantsText({ number, of }: Extract<RunEvent, { type: 'tenant-done' }>): string {
  return of === null ? several(number, 'tenant') : `${withThousands(number)} of ${several(of, 'tenant')}`
}

/** A line of a tenant that is not in order or was changed, and one at each tenth of the way: thousands of others are no news. Of a worker each is a line. */
function tenantLines({ tenant, outcome, message, number, of }: Extract<RunEvent, { type: 'tenant-done' }>) {
  const line = `${tenant}: ${outcome.replaceAll('_', ' ')}: ${message}`
  if (of === null) return [visible(line)]
  const passed = Math.floor((number * 10) / of) > Math.floor(((number - 1) * 10) / of)
  const quiet = outcome === 'in_order'
  if (quiet && !passed) return []
  const way = `[${withThousands(number)}/${withThousands(of)}]`
  return [visible(quiet ? `${way} tenants` : `${way} ${line}`)]
}

/** `idx_jobs_due built in 1.2 s, 12.3 MB`. */
export function doneText(event: Extract<RunEvent, { type: 'step-done' }>): string {
  return `${event.index} ${outcomeText(event)}`
}

/** `built in 1.2 s, 12.3 MB`, `failed after 2.1 s: could not create unique index`. */
function outcomeText(event: Extract<RunEvent, { type: 'step-done' }>): string {
  const size = event.sizeBytes === null ? '' : `, ${bytes(event.sizeBytes)}`
  const message = event.message === null ? '' : `: ${event.message}`
  const link = event.outcome === 'failed' ? 'after' : 'in'
  return `${outcomeWords[event.outcome]} ${link} ${duration(event.durationMs)}${size}${message}`
}

function started(event: Extract<RunEvent, { type: 'step-started' }>): Running {
  return {
    index: event.index,
    number: event.number,
    of: event.of,
    phase: event.step,
    percent: null,
    etaMs: null,
    elapsedMs: 0,
    blocker: null,
    phaseSinceMs: 0,
    toldMs: null,
  }
}

function moved(running: Running, event: Extract<RunEvent, { type: 'step-progress' }>): Running {
  return {
    ...running,
    phase: event.phase,
    percent: event.percent,
    etaMs: event.etaMs,
    elapsedMs: event.elapsedMs,
    blocker: event.blocker,
    phaseSinceMs: event.phase === running.phase ? running.phaseSinceMs : event.elapsedMs,
    toldMs: tells(running, event) ? event.elapsedMs : running.toldMs,
  }
}

function tells(running: Running, event: Extract<RunEvent, { type: 'step-progress' }>): boolean {
  if (running.toldMs !== null && event.elapsedMs - running.toldMs < tellEveryMs) return false
  if (event.blocker !== null) return true
  const waits = event.phase.startsWith('waiting') && event.phase === running.phase
  return waits && event.elapsedMs - running.phaseSinceMs >= tellAfterMs
}

function waitingText(event: Extract<RunEvent, { type: 'step-progress' }>): string {
  const whom = event.blocker === null ? '' : `, waits for ${event.blocker}`
  return `${event.index} ${event.phase} for ${duration(event.elapsedMs)}${whom}`
}

function mark(running: Running): string {
  return `[${running.number}/${running.of}]`
}
