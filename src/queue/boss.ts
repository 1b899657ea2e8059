import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PgBoss } from 'pg-boss'
import { PerfdbError } from '../errors.js'
import { lockHoldersSql } from '../sql/catalog/tenants.js'
import type { QueueDatabase } from './database.js'

/** What pg-boss does for a fleet: jobs with a heartbeat, each of them one tenant of one run. */
export interface Queue extends AsyncDisposable {
  /** Does nothing where a job of that id is there already: whoever else follows the run has sent it. */
  send(id: string, data: object): Promise<void>
  /** The oldest job that nobody has; undefined when there is none. */
  take(): Promise<TakenJob | undefined>
  /** Says that the job is still being worked on; false where somebody else has it by now. */
  keep(job: TakenJob): Promise<boolean>
  /** False where somebody else has it by now: then nothing is written. */
  finish(job: TakenJob, output: object): Promise<boolean>
  /** Gives it back untouched. */
  giveBack(job: TakenJob): Promise<void>
  /** undefined for a job that is gone. */
  look(id: string): Promise<FollowedJob | undefined>
  /** Of a job that nobody has begun. */
  cancel(id: string): Promise<void>
  /**
   * The name of the run that others with the same key began and have not ended; their first, when it is this one, which is then its own to end. Where that is gone
   * without a word it may be that the queue has just restarted: then it has `returnMs` to come back.
   */
  join(key: string, run: string, signal: AbortSignal): Promise<{ readonly run: string; readonly leads: boolean }>
  leave(key: string): Promise<void>
}

export interface TakenJob {
  readonly id: string
  /** Of the attempt: one more each time that somebody lost it. */
  readonly retryCount: number
  readonly data: unknown
}

export interface FollowedJob {
  readonly state: 'created' | 'retry' | 'active' | 'completed' | 'cancelled' | 'failed'
  readonly output: unknown
}

/** Jobs of tenants, and runs that are under way. */
const jobs = 'perfdb-tenants'
const runs = 'perfdb-runs'

/** How often somebody who waits for the queue looks at it. */
export const pollMs = 500

/** Who leads a run asks the queue several times a second, and once a second while it does not answer. */
const returnMs = 10_000

/** How often a lost heartbeat is looked for: once for all that share the queue. */
const superviseSeconds = 2

/**
 * Opens the queues in the schema pgboss of a database, and makes them where they are not there yet. Loaded here alone, as an optional package. Throws
 * NO_PG_BOSS, what connecting throws and PRIVILEGE; errors of its background work go to `onError`.
 */
export async function openQueue(
  database: QueueDatabase,
  { heartbeatMs, onError }: { readonly heartbeatMs: number; readonly onError: (error: unknown) => void },
): Promise<Queue> {
  const { PgBoss: Boss } = await import('pg-boss').catch((cause: unknown) => {
    throw new PerfdbError('NO_PG_BOSS', 'the package pg-boss is not installed', { cause })
  })
  const boss = new Boss({
    db: database,
    schedule: false,
    registerInstance: false,
    reindex: false,
    monitorVacuum: false,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
  })
  // Without a listener an error of its timers would end the process.
  boss.on('error', onError)
  try {
    await begin(boss, heartbeatMs)
  } catch (error) {
    // Its timers would go on asking.
    await boss.stop({ graceful: false, close: false }).catch(onError)
    throw error
  }
  const heartbeatSeconds = heartbeatSecondsOf(heartbeatMs)
  const forget = async (key: string) => {
    for (const { id } of await boss.findJobs(runs, { key })) await boss.deleteJob(runs, id)
  }
  return {
    async send(id, data) {
      await boss.send(jobs, data, { id, heartbeatSeconds })
    },
    async take() {
      const [job] = await boss.fetch(jobs)
      return job
    },
    keep: async ({ id, retryCount }) => hasAffected(await boss.touch(jobs, { id, retryCount })),
    finish: async ({ id, retryCount }, output) => hasAffected(await boss.complete(jobs, { id, retryCount }, output)),
    async giveBack({ id, retryCount }) {
      await boss.fail(jobs, { id, retryCount })
    },
    async look(id) {
      const [job] = await boss.findJobs(jobs, { id })
      return job
    },
    async cancel(id) {
      await boss.cancel(jobs, id)
    },
    async join(key, run, signal) {
      const gone = new Map<string, number>()
      for (;;) {
        const other = (await boss.findJobs<{ readonly run: string }>(runs, { key })).at(-1)?.data.run
        if (other !== undefined && other !== run) {
          // Its lock is there before its name, and comes back with its connection.
          if (await isHeld(database, lockNumber(other))) return { run: other, leads: false }
          gone.set(other, gone.get(other) ?? performance.now())
        }
        const since = other === undefined ? undefined : gone.get(other)
        const free = since === undefined || performance.now() - since >= returnMs
        if (free && (await database.hold([lockNumber(key), lockNumber(run)]))) {
          await forget(key)
          await boss.send(runs, { run }, { singletonKey: key })
          return { run, leads: true }
        }
        await sleep(pollMs, undefined, { signal })
      }
    },
    leave: forget,
    async [Symbol.asyncDispose]() {
      await boss.stop({ graceful: false, close: false }).catch(onError)
      await database.close()
    },
  }
}

function heartbeatSecondsOf(heartbeatMs: number): number {
  return Math.max(10, Math.round(heartbeatMs / 1000))
}

async function begin(boss: PgBoss, heartbeatMs: number): Promise<void> {
  await boss.start()
  // A build may take longer than the day that is the most: whoever takes the job then waits for the one that builds.
  await boss.createQueue(jobs, {
    retryLimit: 10,
    expireInSeconds: 86_400,
    heartbeatSeconds: heartbeatSecondsOf(heartbeatMs),
    deleteAfterSeconds: 604_800,
  })
  await boss.createQueue(runs, { retentionSeconds: 604_800 })
}

/** Its types do not say so: { jobs, requested, affected }. */
function hasAffected(response: object): boolean {
  return 'affected' in response && typeof response.affected === 'number' && response.affected > 0
}

/** By a connection, so that a coordinator that is gone holds none. */
async function isHeld(database: QueueDatabase, lock: string): Promise<boolean> {
  return (await database.executeSql(lockHoldersSql, [lock])).rows.length > 0
}

/** 63 bits of a text, for advisory locks. */
export function lockNumber(text: string): string {
  return (createHash('sha256').update(text).digest().readBigUInt64BE(0) >> 1n).toString()
}

/** The same id for the same tenant of the same run, whoever sends it. */
export function jobId(run: string, tenant: string): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([run, tenant]))
    .digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
