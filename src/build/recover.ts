import { setTimeout as sleep } from 'node:timers/promises'
import { readIndex } from '../catalog/read.js'
import { PerfdbError } from '../errors.js'
import type { Step } from '../plan/plan.js'
import { acquireRunLock } from '../server/lock.js'
import type { Session } from '../server/session.js'
import { dropIndexSql } from '../sql/index-ddl.js'
import type { BuildContext } from './context.js'
import type { Built } from './run-build.js'
import type { Ran } from './statement.js'
import { stateOf, verifyBuilt } from './verify.js'

/** How long a server may be away (restart, failover) before the run gives up. */
const awayMs = 60_000

/**
 * The connection of a build is gone; its backend may be dead, or alive and building (faults 5 to 7). A new session waits
 * until that backend is gone, then the catalog decides: a valid index was built, an invalid one is this run's leftover and
 * is dropped under a run lock taken anew. Throws CONNECTION_LOST with what is left.
 */
export async function recoverBuild(context: BuildContext, step: Step, name: string, ran: Ran): Promise<Built> {
  const { schema, table } = step
  context.listener({
    type: 'stage',
    stage: 'clean-up',
    message: `the connection was lost while ${name} was built: looking at what is left`,
  })
  await using session = await reconnected(context)
  await backendGone(session, context.ddl.pid)
  const left = await readIndex(session, schema, name)
  const state = stateOf(left)
  if (state === 'valid')
    return { index: await verifyBuilt(session, schema, name, table.name, step.canonical), waitedMs: ran.waitedMs }
  if (left !== undefined && (ran.indexOid === null || ran.indexOid === left.oid)) {
    await acquireRunLock(session, { waitMs: 5000 })
    await session.query(dropIndexSql(schema, name))
  }
  const gone = stateOf(await readIndex(session, schema, name)) === 'missing'
  throw new PerfdbError('CONNECTION_LOST', ran.error?.message ?? 'the connection was lost', {
    detail: gone
      ? `${name} does not exist; nothing invalid is left`
      : `an invalid index is left: ${dropIndexSql(schema, name)}`,
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

async function backendGone(session: Session, pid: number): Promise<void> {
  const deadline = performance.now() + awayMs
  while (performance.now() < deadline) {
    const rows = await session.query<{ pid: number }>(
      "select pid from pg_catalog.pg_stat_activity where pid = $1 and application_name like 'perfdb%'",
      [pid],
    )
    if (rows.length === 0) return
    await sleep(500)
  }
}
