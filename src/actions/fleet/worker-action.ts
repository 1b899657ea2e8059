import { setTimeout as sleep } from 'node:timers/promises'
import type { Listener } from '../../build/events.js'
import { folded, foldedError, type Folded } from '../../commands/fleet/fold.js'
import { endLostSessions, markSession } from '../../commands/fleet/takeover.js'
import { PerfdbError } from '../../errors.js'
import { lockNumber, pollMs, type TakenJob } from '../../queue/boss.js'
import { tenantJob, type JobOutput, type TenantJob } from '../../queue/job.js'
import { errorOf, fieldsOf } from '../../result/documents/error-fields.js'
import type { FleetResult } from '../../result/documents/fleet-result.js'
import { perfdbVersion } from '../../result/version.js'
import type { Invocation } from '../../settings/invocation.js'
import type { Signals } from '../../settings/signals.js'
import { apply } from '../actions.js'
import { sessionsOf } from './fleet-action.js'
import { openFleet, type OpenFleet, type Tenant } from './open-fleet.js'
import { patientQueue, type PatientQueue } from './open-queue.js'
import { serveMetrics } from './worker-metrics.js'
import { workerTally, type WorkerTally } from './worker-tally.js'

/**
 * Takes tenants from the queue until a signal, and finishes those that it has. The list is read anew for each run, the profiles too. Throws what opening the
 * queue and reading list and profiles throws, and WORKER_REFUSED for a run of another version or with other profiles, whose job goes back.
 */
export async function worker(invocation: Invocation, args: readonly string[]): Promise<FleetResult> {
  const { options, signals } = invocation
  const listener = options.format === 'jsonl' ? aLineEach(invocation.listener) : invocation.listener
  if (options.queue === undefined)
    throw new PerfdbError('BAD_OPTION', 'a worker takes tenants from a queue: name it', {
      hint: 'perfdb worker --queue postgres://user@host/database',
    })
  const stopping = new AbortController()
  signals.signal.addEventListener('abort', () => stopping.abort(), { once: true })
  const own: Invocation = { ...invocation, listener, signals: untilDone(signals) }
  const fleets = new Map<string, OpenFleet>()
  const fleetFor = async (run: string) => {
    const fleet = fleets.get(run) ?? (await openFleet('apply', apply, own, args, []))
    fleets.clear()
    fleets.set(run, fleet)
    return fleet
  }
  // What is wrong with list and profiles is said now, and not with the first tenant.
  await openFleet('apply', apply, own, args, [])
  const opened = await patientQueue(options.queue, own, stopping.signal, Number.POSITIVE_INFINITY).catch(
    (error: unknown) => {
      // It had begun nothing.
      if (stopping.signal.aborted) return undefined
      throw error
    },
  )
  if (opened === undefined) return workerTally(() => false).document()
  await using patient = opened
  const tally = workerTally(() => patient.answers())
  await using _metrics =
    options.metrics === undefined ? undefined : await serveMetrics(options.metrics, tally, listener)
  const sessions = sessionsOf('apply', options)
  const atOnce = Math.max(1, Math.floor((options.total ?? sessions) / sessions))
  const lateStop = afterAWhile(stopping.signal)
  const parts: Worker = { patient, tally, invocation: own, fleetFor, stopping, lateStop }
  listener({ type: 'stage', stage: 'connect', message: 'waiting for tenants' })
  const loops = await Promise.allSettled(Array.from({ length: atOnce }, async () => takeAll(parts)))
  const failed = loops.find((loop) => loop.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return tally.document()
}

interface Worker {
  readonly patient: PatientQueue
  readonly tally: WorkerTally
  readonly invocation: Invocation
  readonly fleetFor: (run: string) => Promise<OpenFleet>
  readonly stopping: AbortController
  /** A while after `stopping`: a result is not held back for a queue that never returns, as the catalog of the tenant says the same. */
  readonly lateStop: AbortSignal
}

/** A queue that restarts is back by then. */
const lastWordsMs = 30_000

function afterAWhile(signal: AbortSignal): AbortSignal {
  const late = new AbortController()
  signal.addEventListener('abort', () => setTimeout(() => late.abort(), lastWordsMs).unref(), { once: true })
  return late.signal
}

/** Of a log of months each build's progress would be most. */
function aLineEach(listener: Listener): Listener {
  return (event) => (event.type.startsWith('step-') ? undefined : listener(event))
}

/** A signal ends the worker between two tenants: it cancels nothing of one that has begun. */
function untilDone(signals: Signals): Signals {
  return {
    signal: new AbortController().signal,
    name: () => undefined,
    cleansUp: true,
    get lastWords() {
      return signals.lastWords
    },
    set lastWords(text) {
      signals.lastWords = text
    },
    stop: () => signals.stop(),
  }
}

async function takeAll(worker: Worker): Promise<void> {
  const { patient, stopping } = worker
  try {
    while (!stopping.signal.aborted) {
      const job = await patient.ask(async (queue) => queue.take(), stopping.signal)
      if (job === undefined) await sleep(pollMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      else await oneJob(worker, job)
    }
  } catch (error) {
    // While it stops a queue that is away is no failure.
    if (stopping.signal.aborted) return
    // The other loops of this worker finish what they have.
    stopping.abort()
    throw error
  }
}

async function oneJob(worker: Worker, job: TakenJob): Promise<void> {
  const { patient, tally, invocation } = worker
  const started = performance.now()
  const heart = beating(patient, job)
  let one: Folded | undefined
  tally.begin()
  try {
    const wanted = wantedOf(job)
    const output = await outputOf(worker, job, wanted)
    if (output === undefined) return await giveBack(worker, job)
    if (await patient.ask(async (queue) => queue.finish(job, output), worker.lateStop)) {
      one = 'result' in output ? folded(output.result) : foldedError(errorOf(output.error))
    } else {
      const message = `${wanted.tenant}: another worker has it by now, and says what became of it`
      invocation.listener({ type: 'warning', message })
    }
  } catch (error) {
    await giveBack(worker, job)
    throw error
  } finally {
    heart.stop()
    tally.end(one)
  }
  if (one !== undefined) tell(worker, wantedOf(job).tenant, one, started)
}

/** Throws WORKER_REFUSED for what another version of perfdb sent. */
function wantedOf({ data }: TakenJob): TenantJob {
  const wanted = tenantJob.safeParse(data)
  if (wanted.success && wanted.data.perfdb === perfdbVersion()) return wanted.data
  const version = typeof data === 'object' && data !== null && 'perfdb' in data ? String(data.perfdb) : 'unknown'
  const message = `the run is of perfdb ${version}, and this worker is perfdb ${perfdbVersion()}`
  throw new PerfdbError('WORKER_REFUSED', message)
}

/** undefined: the worker stops, and has done nothing yet. */
async function outputOf(worker: Worker, job: TakenJob, wanted: TenantJob): Promise<JobOutput | undefined> {
  const { run, wave, measured, options } = wanted
  const fleet = await worker.fleetFor(run)
  const tenant = fleet.tenants.find(({ id }) => id === wanted.tenant)
  if (tenant === undefined)
    return { error: fieldsOf(new PerfdbError('TENANT_GONE', `tenant ${wanted.tenant} is not in the list`)) }
  if (fleet.digest(tenant) !== wanted.profiles)
    throw new PerfdbError('WORKER_REFUSED', `the profiles of this worker are not those of run ${run}`, {
      detail: `for tenant ${tenant.id}`,
    })
  const key = lockNumber(job.id)
  try {
    if (job.retryCount > 0) await takeOver(worker, fleet, tenant, key)
    const decided = { ...options, allow: new Set(options.allow) }
    const admit = async (session: Parameters<typeof markSession>[0]) => markSession(session, key)
    const result = await fleet.run(tenant, { run, wave, measured, options: decided, admit })
    return 'steps' in result && result.command === 'apply' ? { result } : undefined
  } catch (error) {
    if (error instanceof PerfdbError && error.code === 'INTERRUPTED') return undefined
    const known = error instanceof PerfdbError ? error : new PerfdbError('INTERNAL', String(error), { cause: error })
    return { error: fieldsOf(known) }
  }
}

async function takeOver(worker: Worker, fleet: OpenFleet, tenant: Tenant, key: string): Promise<void> {
  const { listener } = worker.invocation
  await using session = await fleet.connect(tenant)
  const onWait = (message: string) => listener({ type: 'warning', message: `${tenant.id}: ${message}` })
  await endLostSessions(session, key, { signal: worker.stopping.signal, onWait })
}

/** Tells the queue that the job is being worked on, as often as it takes to miss two beats. */
function beating({ queue }: PatientQueue, job: TakenJob): { readonly stop: () => void } {
  const timer = setInterval(() => void queue.keep(job).catch(() => undefined), 3000)
  return { stop: () => clearInterval(timer) }
}

async function giveBack({ patient, stopping }: Worker, job: TakenJob): Promise<void> {
  await patient.ask(async (queue) => queue.giveBack(job), stopping.signal).catch(() => undefined)
}

function tell({ invocation, tally }: Worker, tenant: string, one: Folded, started: number): void {
  invocation.listener({
    type: 'tenant-done',
    tenant,
    outcome: one.outcome,
    durationMs: Math.round(performance.now() - started),
    number: tally.total(),
    of: null,
    message: one.reason,
  })
}
