import { buildSearchPath } from '../catalog/probe.js'
import type { Statement, Step } from '../plan/plan.js'
import { cleanUp } from './clean-up.js'
import type { BuildContext } from './context.js'
import { PerfdbError } from '../errors.js'
import { runWatched, type Ran } from './statement.js'

/**
 * REINDEX INDEX CONCURRENTLY of a partition's index that is attached and not valid: it can neither be dropped nor exchanged
 * (fault 32). When it fails, the copy that it was building is dropped; the index is then as it was. Returns how long it
 * waited, in ms. Throws BUILD_FAILED, BLOCKED, INTERRUPTED or CONNECTION_LOST.
 */
export async function repairIndex(context: BuildContext, part: Step, { index, sql }: Statement): Promise<number> {
  const { ddl } = context
  // Before 17 functions of an expression look for others by the search_path of the session (fault 46).
  await ddl.query(`set search_path = ${buildSearchPath(ddl, part.schema)}`)
  const ran = await runWatched(context, index, sql.join(';\n'))
  await ddl.query('set search_path = pg_catalog').catch(() => undefined)
  if (ran.error === null) return ran.waitedMs
  const copy = await unfinishedCopy(context, ran).catch(() => undefined)
  if (copy !== undefined) await cleanUp(context, part.schema, copy, ran)
  const { code, message, detail, hint, sqlstate } = ran.error
  throw new PerfdbError(code === 'QUERY_FAILED' ? 'BUILD_FAILED' : code, message, {
    detail,
    hint: code === 'QUERY_FAILED' ? undefined : hint,
    sqlstate,
    cause: ran.error,
  })
}

/** The copy bears the name of the index with _ccnew; its oid was seen in the progress view (fault 12). */
async function unfinishedCopy({ watchdog }: BuildContext, { indexOid }: Ran): Promise<string | undefined> {
  const rows = await watchdog.query<{ name: string }>(
    "select relname as name from pg_catalog.pg_class where oid = $1::int8::oid and relname ~ '_ccnew[0-9]*$'",
    [indexOid],
  )
  return rows[0]?.name
}
