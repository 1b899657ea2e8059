import { readIndex } from '../catalog/read.js'
import { PerfdbError } from '../errors.js'
import type { Statement, Step } from '../plan/plan.js'
import type { BuildContext } from './context.js'
import { otherBuildsGone } from './run-build.js'
import { runWatched } from './statement.js'

/** DROP INDEX CONCURRENTLY; never a plain DROP. Stopped half-way it leaves an index that queries no longer use (fault 31). */
export async function runDrop(context: BuildContext, step: Step, statement: Statement): Promise<number> {
  // Behind a build it would wait with a snapshot, and end it with a deadlock (fault 21).
  await otherBuildsGone(context, step)
  const ran = await runWatched(context, statement.index, statement.sql.join(';\n'))
  if (ran.error === null) return ran.waitedMs
  const left = await readIndex(context.watchdog, step.schema, statement.index)
  if (left === undefined) return ran.waitedMs
  const half = left.valid ? 'it is still valid' : 'it is half dropped: queries no longer use it'
  throw new PerfdbError(ran.error.code, ran.error.message, {
    detail: [ran.error.detail, half].filter((text) => text !== undefined).join('; '),
    hint: left.valid ? ran.error.hint : `finish with: ${statement.sql.join('; ')}`,
    sqlstate: ran.error.sqlstate,
  })
}
