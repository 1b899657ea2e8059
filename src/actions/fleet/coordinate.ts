import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PerfdbError } from '../../errors.js'
import { jobId, pollMs } from '../../queue/boss.js'
import { carriedOptions, jobOutput, type TenantJob } from '../../queue/job.js'
import { errorOf } from '../../result/documents/error-fields.js'
import type { SingleResult } from '../../result/results.js'
import { perfdbVersion } from '../../result/version.js'
import type { Invocation } from '../../settings/invocation.js'
import { allowed } from '../files/inputs.js'
import type { OpenFleet, Tenant, TenantPart } from './open-fleet.js'
import { patientQueue } from './open-queue.js'

/** A run of which workers do the tenants. */
export interface QueuedRun extends AsyncDisposable {
  /** Of the run that is followed, where the same one was under way. */
  readonly name: string
  /** Sends the tenant and waits for what became of it. Throws what the worker met, WORKER_LOST, QUEUE_LOST, and INTERRUPTED after a signal. */
  run(tenant: Tenant, part: TenantPart): Promise<SingleResult>
}

/**
 * Opens the queue and joins the run: the same command for the same tenants, profiles and options that is under way is followed, and its jobs are the same,
 * so that whichever of the two ends, the other one goes on. Throws what patientQueue throws.
 */
export async function queuedRun(
  name: string,
  url: string,
  fleet: OpenFleet,
  invocation: Invocation,
): Promise<QueuedRun> {
  const { listener, options, signals } = invocation
  const patient = await patientQueue(url, invocation, signals.signal)
  const carried = carriedOptions(options, [...allowed(invocation, fleet.config)])
  const perfdb = perfdbVersion()
  const tenants = fleet.tenants.map((tenant) => [tenant.id, fleet.digest(tenant)])
  const key = createHash('sha256')
    .update(JSON.stringify([perfdb, carried, options.waves, tenants]))
    .digest('hex')
  const { run, leads } = await patient.ask(async (queue) => queue.join(key, name, signals.signal), signals.signal)
  const message = leads ? `run ${run}: waiting for workers` : `run ${run} is under way: following it`
  listener({ type: 'stage', stage: 'plan', message })
  return {
    name: run,
    async run(tenant, { wave, measured }) {
      const id = jobId(run, tenant.id)
      const profiles = fleet.digest(tenant)
      const job: TenantJob = { perfdb, run, tenant: tenant.id, wave, measured, profiles, options: carried }
      await patient.ask(async (queue) => queue.send(id, job), signals.signal)
      for (;;) {
        const found = await patient.ask(async (queue) => queue.look(id), signals.signal)
        if (found === undefined) throw new PerfdbError('WORKER_LOST', 'its job is no longer in the queue')
        if (found.state === 'completed') return resultOf(found.output)
        if (found.state === 'failed')
          throw new PerfdbError('WORKER_LOST', 'every worker that took this tenant was lost with it')
        if (found.state === 'cancelled') throw new PerfdbError('INTERRUPTED', 'its job was cancelled')
        if (signals.signal.aborted) {
          if (found.state === 'active')
            throw new PerfdbError('INTERRUPTED', 'ended by a signal: its worker finishes it')
          await patient.ask(async (queue) => queue.cancel(id), signals.signal)
          throw new PerfdbError('INTERRUPTED', 'ended by a signal: no worker had begun it')
        }
        await sleep(pollMs, undefined, { signal: signals.signal }).catch(() => undefined)
      }
    },
    async [Symbol.asyncDispose]() {
      if (leads) await patient.queue.leave(key).catch(() => undefined)
      await patient[Symbol.asyncDispose]()
    },
  }
}

/** What a worker left in the job. Throws the error that it met. */
function resultOf(output: unknown): SingleResult {
  const read = jobOutput.safeParse(output)
  if (!read.success) throw new PerfdbError('INTERNAL', 'the job of this tenant holds no result of a worker')
  if ('result' in read.data) return read.data.result
  throw errorOf(read.data.error)
}
