import { readIndex } from '../../catalog/read/read.js'
import { PerfdbError } from '../../errors.js'
import { newNameFor } from '../../plan/match/names.js'
import type { Statement, Step } from '../../plan/plan.js'
import { dropIndexSql } from '../../sql/ddl/index-ddl.js'
import { shortLockSql } from '../../sql/ddl/partitions.js'
import type { BuildContext } from '../context.js'
import { runShortly } from './partitioned-short.js'
import { perfdbError } from '../statement.js'

/** Whoever queues behind it waits for that long at most; far below deadlock_timeout, so that it ends no build of anybody's (fault 22). */
const swapLockMs = 50

/** Short statements in one transaction; returns how long they waited, in ms. What a replace has built for it stays when it fails, and the next run goes on there. */
export async function runSwap(context: BuildContext, step: Step, statement: Statement): Promise<number> {
  const short = { ...statement, sql: [shortLockSql(swapLockMs), ...statement.sql] }
  return runShortly(context, short, step.schema, step.table).catch(async (error: unknown) => {
    const failure = perfdbError(error)
    if (step.step !== 'replace' || step.partitioned === true) throw failure
    const fresh = newNameFor(step.index)
    const left = await readIndex(context.watchdog, step.schema, fresh).catch(() => undefined)
    if (left?.valid !== true) throw failure
    const stays = `${fresh} is built and valid and did not get its name yet: the same command goes on there`
    throw new PerfdbError(failure.code, failure.message, {
      detail: failure.detail === undefined ? stays : `${failure.detail}; ${stays}`,
      hint: `run the same command again; if it is not wanted any more: ${dropIndexSql(step.schema, fresh)}`,
      sqlstate: failure.sqlstate,
      cause: failure,
    })
  })
}
