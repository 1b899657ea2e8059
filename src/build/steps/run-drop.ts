import { readIndex } from '../../catalog/read/read.js'
import { PerfdbError } from '../../errors.js'
import type { Statement, Step } from '../../plan/plan.js'
import type { BuildContext } from '../context.js'
import { otherBuildsGone } from './run-build.js'
import { runWatched } from '../statement.js'

/** DROP INDEX CONCURRENTLY; never a plain DROP. Stopped half-way it leaves an index that queries no longer use (fault 31). */
export async function runDrop(context: BuildContext, step: Step, statement: Statement): Promise<number> {
  // Behind a build it would wait with a snapshot, and end it with a deadlock (fault 21).
  await otherBuildsGone(context, step)
  await assertNotMended(context, step, statement)
  const ran = await runWatched(context, statement.index, statement.sql.join(';\n'))
  if (ran.error === null) return ran.waitedMs
  const left = await readIndex(context.watchdog, step.schema, statement.index)
  if (left === undefined) return ran.waitedMs
  const before = step.existing?.name !== statement.index || step.existing.valid
  const half = left.valid ? 'it is still valid' : before ? halfDropped : 'it is not valid, as before'
  throw new PerfdbError(ran.error.code, ran.error.message, {
    detail: [ran.error.detail, half].filter((text) => text !== undefined).join('; '),
    hint: left.valid || !before ? ran.error.hint : `finish with: ${statement.sql.join('; ')}`,
    sqlstate: ran.error.sqlstate,
  })
}

const halfDropped = 'it is half dropped: queries no longer use it'

/** Whoever was waited for may have been about this very index, by REINDEX CONCURRENTLY: what is good now is not dropped. */
async function assertNotMended({ watchdog }: BuildContext, { existing }: Step, { index }: Statement): Promise<void> {
  if (existing === null || existing.valid || existing.name !== index) return
  const now = await readIndex(watchdog, existing.schema, existing.name)
  if (now?.valid !== true) return
  const message = `${existing.schema}.${index} was not valid when the plan was made, and is valid now`
  throw new PerfdbError('CHANGED', message, { hint: 'run the same command again' })
}
