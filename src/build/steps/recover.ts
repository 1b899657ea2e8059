import { setTimeout as sleep } from 'node:timers/promises'
import { PerfdbError } from '../../errors.js'
import type { Step } from '../../plan/plan.js'
import { acquireRunLock } from '../../server/session/lock.js'
import type { Session } from '../../server/session/session.js'
import { dropIndexSql } from '../../sql/ddl/index-ddl.js'
import { cleanUp } from './clean-up.js'
import type { BuildContext, Built } from '../context.js'
import type { Ran } from '../statement.js'
import { verifyBuilt } from '../check/verify.js'
import { watch } from '../watch.js'

/** How long a server may be away (restart, failover) before the run gives up. */
const awayMs = 60_000

/**
 * The connection of a build is gone; its backend may be dead, or alive and building (faults 5 to 7, 54). A new session waits
 * until that backend is done, then the catalog decides: a valid index was built, an invalid one is this run's leftover and
 * is dropped. Throws CONNECTION_LOST with what is left.
 */
export async function recoverBuild(context: BuildContext, step: Step, name: string, ran: Ran): Promise<Built> {
  const { schema, table } = step
  context.listener({
    type: 'stage',
    stage: 'clean-up',
    message: `the connection was lost while ${name} was built: looking at what is left`,
  })
  await using session = await reconnected(context)
  await orphanGone(context, session, name)
  const left = await dropLeftover(context, session, schema, name, ran)
  if (left === 'valid')
    return { index: await verifyBuilt(session, schema, name, table.name, step.canonical), waitedMs: ran.waitedMs }
  throw new PerfdbError('CONNECTION_LOST', ran.error?.message ?? 'the connection was lost', {
    detail: left === 'missing' ? `${name} does not exist; nothing invalid is left` : `${name} is left invalid`,
    hint: left === 'missing' ? ran.error?.hint : `an invalid index is left: ${dropIndexSql(schema, name)}`,
    sqlstate: ran.error?.sqlstate,
  })
}

async function reconnected(context: BuildContext): Promise<Session> {
  const deadline = performance.now() + awayMs
  for (;;) {
    try {
      return await context.reconnect()
    } catch (error) {
      if (performance.now() > deadline || context.signal.aborted) throw error
      await sleep(1000)
    }
  }
}

/**
 * The old backend, which still builds when its client is gone without its notice: it is watched to its end. Once it has nothing to do
 * it is ended, because it would keep the run lock until a keepalive finds its client gone.
 */
async function orphanGone(context: BuildContext, session: Session, index: string): Promise<void> {
  const { ddl, eyes, listener, maxWaitMs, onQueue, signal } = context
  const { pid } = ddl
  const cancel = async () => {
    await session.query('select pg_catalog.pg_cancel_backend($1)', [pid])
  }
  const watching = watch(eyes, pid, {
    index,
    maxWaitMs,
    listener,
    onQueue,
    signal,
    cancel,
    abandon: () => undefined,
  })
  try {
    for (;;) {
      const [orphan] = await session.query<{ state: string | null }>(
        "select state from pg_catalog.pg_stat_activity where pid = $1 and application_name = 'perfdb ddl'",
        [pid],
      )
      if (orphan === undefined) return
      if (orphan.state === 'idle') await session.query('select pg_catalog.pg_terminate_backend($1)', [pid])
      await sleep(300)
    }
  } finally {
    await watching.stop()
  }
}

/** Under the run lock: of another worker it is still held, its own is taken anew. Who holds it meanwhile sees to the leftover as well. */
async function dropLeftover(
  context: BuildContext,
  session: Session,
  schema: string,
  name: string,
  ran: Ran,
): Promise<'missing' | 'invalid' | 'valid'> {
  const ownLock = context.lockPid === context.ddl.pid
  if (ownLock) await acquireRunLock(session, { waitMs: 5000 })
  const lockPid = ownLock ? session.pid : context.lockPid
  return cleanUp({ ...context, ddl: session, lockPid }, schema, name, ran)
}
